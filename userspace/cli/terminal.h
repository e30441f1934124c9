// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "render/render.h"

#include <string>
#include <string_view>

namespace lastref::cli {

/// A variable of the environment; empty if there is none.
std::string_view environment(const char *name);

/// The size of the terminal that a file descriptor is; zeros if it is none.
struct Window {
    unsigned columns = 0;
    unsigned rows = 0;
};
Window window_of(int fd);

/// Unicode where the locale has UTF-8. The fonts of the kernel's own console lack most of what we
/// draw with, so there it is ASCII too.
Charset charset();

/// Text that is printed again and again. On a terminal each one takes the place of the one before;
/// in a pipe or a file they follow each other.
class LiveText {
public:
    /// Writes on standard output.
    LiveText();

    void show(const std::string &text, const RenderOptions &render);

    /// Takes the last one away from a terminal, so that a final one can be printed instead.
    void clear();

    [[nodiscard]] bool in_place() const { return in_place_; }

private:
    bool in_place_;
    unsigned rows_ = 0; ///< how many are to be overwritten
};

} // namespace lastref::cli
