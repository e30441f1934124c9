// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <cstdint>

namespace lastref::census {

class Search;

/// What a struct file holds, however many descriptors, maps or loop devices there are of it.
struct FileHold {
    std::int64_t refs = 0;  ///< that it takes on the module
    Address counted_in = 0; ///< what counts one of them as well: counter_of_disk()
    explicit operator bool() const { return refs != 0; }
};

/// References are taken by do_dentry_open(), chrdev_open() and bdev_open(), and by what an open()
/// of a few operations does itself; all are kept until __fput().
FileHold hold_of_file(Search &search, const Object &file);

} // namespace lastref::census
