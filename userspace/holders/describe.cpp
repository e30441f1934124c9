// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

namespace lastref::holders {

std::optional<Sighting> describe(const lr_finding &finding, Processes &processes)
{
    switch (finding.kind) {
    case LR_FOUND_FILE:
        return describe_file(finding, processes);
    case LR_FOUND_SOCKET:
    case LR_FOUND_ALG_SOCKET:
        return describe_socket(finding, processes);
    case LR_FOUND_DEPENDENT:
        return describe_dependent(finding);
    case LR_FOUND_BPF_PROG:
    case LR_FOUND_BPF_LINK:
        return describe_bpf(finding, processes);
    default:
        return std::nullopt;
    }
}

} // namespace lastref::holders
