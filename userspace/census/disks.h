// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <vector>

/// Block devices. The kernel counts how often each is open, and each open is one reference on the
/// driver; so all of them together are known for sure, and core/why.cpp takes those away of whom it
/// is known who they are.
namespace lastref::census {

class Search;

/// Every struct block_device: disks, and their partitions.
std::vector<Object> block_devices(Search &search);

/// The struct block_device of a struct inode that is one's.
Object block_device_of(const Object &inode);

/// The struct gendisk of a struct file that is a block device's, opened.
Object disk_of(const Object &file);

/// What counts the references that opens of a struct gendisk take on the module: the disk, or the
/// SCSI device or NVMe namespace behind it. 0: they take none.
Address counter_of_disk(Search &search, const Object &disk);

} // namespace lastref::census
