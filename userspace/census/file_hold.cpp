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
    const auto proxy = search.kernel().symbol_if_any("debugfs_full_proxy_file_operations");
    if (proxy == 0 || inode["i_fop"].pointer() != proxy) {
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

/// nvme_dev_open() and nvme_ns_chr_open() take one more reference on the owner of the device.
bool is_of_nvme(Search &search, const Object &file)
{
    const auto operations = file["f_op"].pointer();
    const auto is = [&](const char *symbol) {
        return operations != 0 && operations == search.kernel().symbol_if_any(symbol);
    };
    return is("nvme_core:nvme_dev_fops") || is("nvme_core:nvme_ns_chr_fops");
}

/// What files of these operations lead to.
std::int64_t refs_behind(Search &search, const Object &file)
{
    const auto operations = file["f_op"].pointer();
    const auto is = [&](const char *symbol) {
        return operations != 0 && operations == search.kernel().symbol_if_any(symbol);
    };
    if (is("perf_fops")) {
        return refs_of_perf_event(search, file["private_data"].as("perf_event"));
    }
    if (is("fscontext_fops")) { // of fsopen(2) or fspick(2): alloc_fs_context()
        const auto context = file["private_data"].as("fs_context");
        return search.is_target(context["fs_type"]["owner"]) ? 1 : 0;
    }
    if (is("dma_buf_fops")) { // dma_buf_export()
        return search.is_target(file["private_data"].as("dma_buf")["owner"]) ? 1 : 0;
    }
    return 0;
}

} // namespace

FileHold hold_of_file(Search &search, const Object &file)
{
    FileHold out;
    if ((file["f_mode"].number().value_or(0) & opened_as_path) != 0) {
        return out; // O_PATH opens nothing
    }
    const auto inode = file["f_inode"];
    const auto mode = static_cast<mode_t>(inode["i_mode"].number().value_or(0));
    out.refs = search.is_target(file["f_op"]["owner"]) ? 1 : 0;
    if (S_ISCHR(mode) && search.is_target(inode["i_cdev"]["owner"])) {
        out.refs += is_of_nvme(search, file) ? 2 : 1;
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
    out.refs += refs_behind(search, file);
    return out;
}

} // namespace lastref::census
