// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_hold.h"

#include "census/disks.h"
#include "census/search.h"

#include <sys/stat.h>

namespace lastref::census {
namespace {

constexpr std::int64_t opened_as_path = 0x4000;     // FMODE_PATH in include/linux/fs.h
constexpr std::int64_t configfs_magic = 0x62656570; // include/uapi/linux/magic.h

/// The operations behind those of debugfs, on whose owner full_proxy_open() takes a reference.
bool debugfs_holds(Search &search, const Object &file, const Object &inode)
{
    if (!search.kernel().leads_to(inode["i_fop"].pointer(), "debugfs_full_proxy_file_operations")) {
        return false;
    }
    const auto data = file["f_path"]["dentry"]["d_fsdata"].as("debugfs_fsdata");
    return search.is_target(data["real_fops"]["owner"]);
}

/// An open attribute of configfs holds its owner: __configfs_open_file().
bool configfs_holds(Search &search, const Object &file, const Object &inode)
{
    return inode["i_sb"]["s_magic"].number() == configfs_magic &&
           search.is_target(file["private_data"].as("configfs_buffer", "configfs")["owner"]);
}

/// perf_trace_init() and perf_init_event().
std::int64_t refs_of_perf_event(Search &search, const Object &event)
{
    const auto pmu = event["pmu"];
    const bool is_tracepoint = pmu.pointer() == search.kernel().symbol_if_any("perf_tracepoint");
    return (search.is_target(pmu["module"]) ? 1 : 0) +
           (is_tracepoint && search.is_target(event["tp_event"]["module"]) ? 1 : 0);
}

/// What the open() of that type of files takes on the module.
std::int64_t refs_of_open(Search &search, const Object &file, const FileOperations &operations)
{
    const auto data = [&file](const char *type, std::string_view module = {}) {
        return file["private_data"].as(type, module);
    };
    const auto refs = [&search](const Object &module) { return search.is_target(module) ? 1 : 0; };
    // sg_open() and st_open(): scsi_device_get() takes one on the driver of the host adapter.
    const auto refs_on_host = [&refs](const Object &device) {
        return refs(device["host"]["hostt"]["module"]);
    };
    switch (operations.type) {
    case FileType::PerfEvent:
        return refs_of_perf_event(search, data("perf_event"));
    case FileType::FsContext: // alloc_fs_context()
        return refs(data("fs_context")["fs_type"]["owner"]);
    case FileType::DmaBuf: // dma_buf_export()
        return refs(data("dma_buf")["owner"]);
    case FileType::ScsiGeneric: // sg_add_sfp() takes one on sg
        return refs_on_host(data("sg_fd", "sg")["parentdp"]["device"]) +
               (operations.is_target ? 1 : 0);
    case FileType::ScsiTape:
        return refs_on_host(data("scsi_tape", "st")["device"]);
    case FileType::NvmeCharacter: // nvme_dev_open() and nvme_ns_chr_open(): the device's owner
        return refs(file["f_inode"]["i_cdev"]["owner"]);
    default:
        return 0;
    }
}

} // namespace

FileHold hold_of_file(Search &search, const Object &file)
{
    FileHold out;
    if ((file["f_mode"].number().value_or(0) & opened_as_path) != 0) {
        return out; // O_PATH opens nothing
    }
    const auto inode = file["f_inode"].target();
    const auto mode = static_cast<mode_t>(inode["i_mode"].number().value_or(0));
    const auto &operations = search.operations_of(file);
    out.refs = operations.is_target ? 1 : 0;
    if (S_ISCHR(mode) && search.is_target(inode["i_cdev"]["owner"])) {
        out.refs++;
    }
    if (S_ISBLK(mode)) {
        const auto device = block_device_of(file["f_mapping"]["host"]);
        out.counted_in = counter_of_disk(search, device["bd_disk"]);
        out.refs += out.counted_in != 0 ? 1 : 0;
    }
    if (S_ISREG(mode) &&
        (debugfs_holds(search, file, inode) || configfs_holds(search, file, inode))) {
        out.refs++;
    }
    out.refs += refs_of_open(search, file, operations);
    return out;
}

} // namespace lastref::census
