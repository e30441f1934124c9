// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <fmt/format.h>

namespace lastref::holders {

void describe_dma_bufs(const Found &found, std::vector<Sighting> &out)
{
    for (const auto &finding : found.findings) {
        if (finding.kind != LR_FOUND_DMA_BUF) {
            continue;
        }
        // A process that has its file is sighted before, and is the same object.
        Sighting sighting{.kind = HolderKind::DmaBuf};
        sighting.path = fmt::format("dmabuf:[{}]", finding.number);
        sighting.detail =
            fmt::format("a DMA buffer of {}, which no process has open", text_of(finding.name));
        sighting.clause = fmt::format("a driver has a DMA buffer of {}", text_of(finding.name));
        count(sighting, finding);
        out.push_back(std::move(sighting));
    }
}

} // namespace lastref::holders
