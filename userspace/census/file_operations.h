// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

namespace lastref::census {

class Search;

/// Files whose open() takes more than the owner of their operations, or that need words of their
/// own.
enum class FileType {
    Other,
    PerfEvent,     ///< perf_event_open(2)
    FsContext,     ///< fsopen(2), fspick(2)
    DmaBuf,        ///< dma_buf_export()
    ScsiGeneric,   ///< /dev/sgN
    ScsiTape,      ///< /dev/stN
    NvmeCharacter, ///< /dev/nvmeN, /dev/ngXnY
    Tun,           ///< /dev/net/tun
    Tap,           ///< /dev/tapN
    Watchdog,      ///< /dev/watchdogN
};

/// What a struct file_operations tells of every file that has it.
struct FileOperations {
    FileType type = FileType::Other;
    bool is_target = false; ///< its owner is the module in question
};

/// Of the struct file_operations that `operations` leads to.
FileOperations look_at_operations(Search &search, const Object &operations);

} // namespace lastref::census
