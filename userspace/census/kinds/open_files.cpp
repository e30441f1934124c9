// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_hold.h"
#include "census/paths.h"
#include "census/search.h"
#include "census/sockets.h"
#include "census/watchdogs.h"

namespace lastref::census {
namespace {

constexpr FileWords file_words{{
    .detail = "fd {fd} on {path}",
    .clause = "{who} has {path} open",
    .remedy = end_process,
}};
constexpr FileWords words_with_socket{{
    .detail = "fd {fd} on {path} (the file and its socket)",
    .clause = file_words.usual.clause,
    .remedy = end_process,
}};

/// What a struct file holds, and what is said of it.
struct Held {
    FileHold hold;
    bool has_socket = false;
};

Held look_at(Search &search, const Object &file)
{
    Held out{hold_of_file(search, file)};
    if (out.hold) {
        const auto of_socket = refs_of_device_socket(search, file);
        out.hold.refs += of_socket;
        out.has_socket = of_socket != 0;
    }
    return out;
}

/// All that kinds look at first of the inodes of files is read together.
void prefetch_inodes(Search &search)
{
    auto &kernel = search.kernel();
    const auto end = kernel.offset("inode", "i_rdev");
    std::vector<Address> inodes;
    for (const auto &file : search.open_files()) {
        inodes.push_back(kernel.at(file.file, "file")["f_inode"].pointer());
    }
    kernel.memory().prefetch(inodes, end.value_or(0) + sizeof(std::uint32_t));
}

void look(Search &search)
{
    auto &kernel = search.kernel();
    prefetch_inodes(search);
    for (const auto &open : search.open_files()) {
        const auto file = kernel.at(open.file, "file");
        const auto held = look_at(search, file);
        if (!held.hold || !search.is_still_open(open)) {
            continue;
        }
        auto &found = search.found(HolderKind::OpenFile, file_words.usual, file, held.hold.refs);
        found.task = search.owner_of(open);
        found.fd = open.fd;
        found.path = path_of(search, file["f_path"]);
        found.count_in(held.hold.counted_in);
        choose_words(found, held.has_socket ? words_with_socket : file_words,
                     is_watchdog(search, file));
    }
}

constexpr Symbol symbols[] = {
    {"debugfs_full_proxy_file_operations", "open files of debugfs", "debugfs_fsdata"},
    {"perf_fops", "perf events", "perf_event"},
    {"perf_tracepoint", "perf events on its tracepoints", "trace_event_call"},
    {"fscontext_fops", "file systems that are being set up", "fs_context"},
    {"dma_buf_fops", "DMA buffers", "dma_buf"},
};

constexpr Reference references[] = {
    {"`open_file`", "1 for the owner of the file's operations",
     "`do_dentry_open()`, `chrdev_open()`, `misc_open()`: `fops_get()`",
     "the file tables of all processes"},
    {"`open_file`", "1 more for the owner of its character device", "`chrdev_open()`: `cdev_get()`",
     "`inode->i_cdev`"},
    {"`open_file`", "1 for the driver of its block device",
     "`bdev_open()` (6.12), `blkdev_get_by_dev()` (6.1)", "the block device of the inode"},
    {"`open_file`", "1 for the owner behind debugfs' own operations",
     "`full_proxy_open()`: `fops_get()`", "`dentry->d_fsdata`"},
    {"`open_file`", "1 for a perf event on a tracepoint of the module", "`perf_trace_init()`",
     "`perf_event->tp_event`"},
    {"`open_file`", "1 for a perf event of its PMU", "`perf_init_event()`", "`perf_event->pmu`"},
    {"`open_file`", "1 for the file system that is being set up",
     "`alloc_fs_context()`: `get_filesystem()`", "the file of fsopen(2) or fspick(2)"},
    {"`open_file`", "1 for the driver of the host adapter of its SCSI disk",
     "`sd_open()`, `sr_block_open()`: `scsi_device_get()`", "the queue of the disk"},
    {"`open_file`", "1 for the driver of the host adapter of its SCSI device",
     "`sg_open()`, `st_open()`: `scsi_device_get()`", "`file->private_data`"},
    {"`open_file`", "1 more of `sg`", "`sg_add_sfp()`", "–"},
    {"`open_file`", "1 for the driver of the controller of its NVMe disk", "`nvme_ns_open()`",
     "`nvme_ns->ctrl`"},
    {"`open_file`", "1 more for it, of a character device of NVMe",
     "`nvme_dev_open()`, `nvme_ns_chr_open()`", "`inode->i_cdev`"},
    {"`open_file` of tun or tap", "1 more for the protocol of the socket in the file",
     "`tun_chr_open()`, `tap_open()`: `sk_prot_alloc()`", "`file->private_data`"},
    {"`open_file` in configfs", "1 for the owner of the attribute", "`__configfs_open_file()`",
     "`configfs_buffer->owner`"},
};
constexpr Doc doc{"A process has a file open whose operations, device or driver are the module's",
                  references, "The process closes it, or ends"};

} // namespace

extern const Kind open_files{"open files", doc, symbols, look};

} // namespace lastref::census
