// SPDX-License-Identifier: GPL-2.0-only
#include "base/result.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace lastref {

ExitCode worse(ExitCode a, ExitCode b)
{
    static constexpr std::array order{ExitCode::Failed,      ExitCode::Unsupported,
                                      ExitCode::ExitRunning, ExitCode::Outstanding,
                                      ExitCode::Refused,     ExitCode::Done};
    const auto rank = [](ExitCode code) { return std::find(order.begin(), order.end(), code); };
    return rank(a) <= rank(b) ? a : b;
}

std::string in_words(int errnum)
{
    constexpr int not_supported = 524; // ENOTSUPP of include/linux/errno.h
    return errnum == not_supported ? "not supported by this kernel" : std::strerror(errnum);
}

std::string Error::text() const
{
    std::string out = what;
    if (errnum != 0) {
        out += fmt::format(": {}", in_words(errnum));
    }
    if (!hint.empty()) {
        out += fmt::format("\n  {}", hint);
    }
    return out;
}

} // namespace lastref
