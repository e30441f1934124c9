// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "bpf/holders/holders.h"

#include <cstring>
#include <span>
#include <string>

namespace lastref::holders {

/// What the programs have left in the memory that is shared with them.
struct Found {
    std::span<const lr_finding> findings;
    std::span<const lr_path> paths;

    /// The path of a finding; empty when it has none. One that is too long begins with "…".
    [[nodiscard]] std::string path(const lr_finding &finding) const
    {
        if (finding.path == 0 || finding.path > paths.size()) {
            return "";
        }
        const auto &path = paths[finding.path - 1];
        if (path.start >= LR_PATH) {
            return "";
        }
        const char *text = path.text + path.start;
        return (path.whole != 0 ? "" : "…") +
               std::string(text, strnlen(text, LR_PATH - path.start));
    }
};

/// A fixed-size name of the kernel's.
template <std::size_t Size>
std::string text_of(const char (&name)[Size])
{
    return std::string(name, strnlen(name, Size));
}

} // namespace lastref::holders
