// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_operations.h"

#include "census/search.h"

#include <array>

namespace lastref::census {
namespace {

struct Known {
    const char *symbol;
    FileType type;
};

constexpr std::array known_operations{
    Known{"perf_fops", FileType::PerfEvent},
    Known{"fscontext_fops", FileType::FsContext},
    Known{"dma_buf_fops", FileType::DmaBuf},
    Known{"sg_fops", FileType::ScsiGeneric},
    Known{"st_fops", FileType::ScsiTape},
    Known{"nvme_core:nvme_dev_fops", FileType::NvmeCharacter},
    Known{"nvme_core:nvme_ns_chr_fops", FileType::NvmeCharacter},
    Known{"tun:tun_fops", FileType::Tun},
    Known{"tap:tap_fops", FileType::Tap},
    Known{"watchdog:watchdog_fops", FileType::Watchdog},
};

} // namespace

FileOperations look_at_operations(Search &search, const Object &operations)
{
    const auto owner = operations["owner"];
    const bool is_target = search.is_target(owner);
    for (const auto &known : known_operations) {
        if (search.kernel().leads_to(operations.pointer(), known.symbol)) {
            return {known.type, is_target};
        }
    }
    // Where they are modules their names say it: each has one table of operations for files.
    const auto name = owner ? owner["name"].text() : "";
    return {name == "sg"   ? FileType::ScsiGeneric
            : name == "st" ? FileType::ScsiTape
                           : FileType::Other,
            is_target};
}

} // namespace lastref::census
