// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/options.h"

namespace lastref::kernel {

std::string_view to_string(AttachMode mode)
{
    switch (mode) {
    case AttachMode::Auto:
        return "auto";
    case AttachMode::Tracepoint:
        return "tracepoint";
    case AttachMode::Fentry:
        return "fentry";
    case AttachMode::Kprobe:
        return "kprobe";
    }
    return "";
}

std::optional<AttachMode> attach_mode(std::string_view name)
{
    for (const auto mode :
         {AttachMode::Auto, AttachMode::Tracepoint, AttachMode::Fentry, AttachMode::Kprobe}) {
        if (name == to_string(mode)) {
            return mode;
        }
    }
    return std::nullopt;
}

} // namespace lastref::kernel
