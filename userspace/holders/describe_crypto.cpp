// SPDX-License-Identifier: GPL-2.0-only
// Algorithms of the crypto API, and who uses them.

#include "holders/describe.h"

#include <fmt/format.h>

namespace lastref::holders {
namespace {

/// "crc32c-intel (crc32c)".
std::string algorithm(const lr_finding &finding, const std::string &name)
{
    const auto driver = text_of(finding.name);
    return name.empty() || name == driver ? driver : fmt::format("{} ({})", driver, name);
}

Sighting describe_algorithm(const lr_finding &finding, const std::string &name)
{
    Sighting out{.kind = HolderKind::Crypto};
    out.path = text_of(finding.name);
    out.detail =
        fmt::format("users of {}; the kernel does not record who", algorithm(finding, name));
    out.clause = fmt::format("its algorithm {} is in use, the kernel does not record by whom",
                             algorithm(finding, name));
    return out;
}

/// A process that has it in use by a socket.
Sighting describe_transform(const lr_finding &finding, const std::string &name,
                            Processes &processes)
{
    Sighting out{.kind = HolderKind::Crypto};
    const auto where = processes.net_namespace(finding.within).where();
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = fmt::format("socket:[{}]", finding.number);
    out.detail =
        fmt::format("fd {}, AF_ALG socket{}: uses {}", finding.fd, where, algorithm(finding, name));
    out.clause = fmt::format("{} uses {} by an AF_ALG socket{}", who(*out.process),
                             algorithm(finding, name), where);
    out.remedy = how_to_end(*out.process);
    return out;
}

} // namespace

void describe_crypto(const Found &found, Processes &processes, std::vector<Sighting> &out)
{
    for (const auto &finding : found.findings) {
        if (finding.kind == LR_FOUND_ALGORITHM) {
            out.push_back(describe_algorithm(finding, found.path(finding)));
        } else if (finding.kind == LR_FOUND_TRANSFORM) {
            out.push_back(describe_transform(finding, found.path(finding), processes));
        } else {
            continue;
        }
        count(out.back(), finding);
    }
}

} // namespace lastref::holders
