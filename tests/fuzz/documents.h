// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/session.h"

#include <sstream>
#include <string>

namespace lastref::fuzz {

/// Ends the process, as a sanitizer would, unless `wrong` is empty.
void expect_nothing(const std::string &wrong, const char *of_what);

/// Prints what a session says, in every form, and judges it when all is printed.
class Documents {
public:
    /// The lines of trace for the event that was fed last.
    void trace(const Session &session);
    /// All the rest, and the judgement.
    void judge(Session session);

private:
    template <typename Document>
    void print(const Document &document);

    std::ostringstream text_;
    std::ostringstream json_;
};

} // namespace lastref::fuzz
