// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lastref {

/// Which part of the table a holder belongs to, in the order of printing.
enum class WhySection {
    Holds,   ///< hard references: keep the module from being unloaded
    Soft,    ///< soft references: keep its memory
    Perhaps, ///< of which the kernel does not tell whether they count
    Uses,    ///< those that use the module without a reference
};

/// A row of the table of holders; all texts are safe.
struct WhyRow {
    WhySection section = WhySection::Holds;
    std::string who; ///< empty: the same as in the row before
    std::int64_t refs = 0;
    std::string how;
    std::string note; ///< what else is known of a process, under its last row
};

/// The holders as rows: those of one process stand together, and what it holds in the same way,
/// such as a device opened many times, is one row.
std::vector<WhyRow> why_rows(const WhyDoc &doc);

} // namespace lastref
