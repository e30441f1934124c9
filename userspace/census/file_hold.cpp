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
    if (!search.kernel().leads_to(inode["i_fop"], "debugfs_full_proxy_file_operations")) {
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

/// Of a driver of SCSI devices that has character devices, as a module or as a part of the kernel.
struct ScsiDriver {
    const char *module, *operations, *structure;
};
constexpr ScsiDriver generic{"sg", "sg_fops", "sg_fd"}, tape{"st", "st_fops", "scsi_tape"};

bool is_of(Search &search, const Object &operations, const ScsiDriver &driver)
{
    if (const auto owner = operations["owner"]; owner) {
        return owner["name"].text() == driver.module;
    }
    return search.kernel().leads_to(operations, driver.operations);
}

/// sg_open() and st_open() take one on the driver of the host adapter (scsi_device_get()), and
/// sg_add_sfp() one on sg.
std::int64_t refs_of_scsi_file(Search &search, const Object &file)
{
    const auto is_target = [&search](const Object &device) {
        return search.is_target(device["host"]["hostt"]["module"]) ? 1 : 0;
    };
    const auto data = file["private_data"];
    if (is_of(search, file["f_op"], generic)) {
        const auto on_host =
            is_target(data.as(generic.structure, generic.module)["parentdp"]["device"]);
        return on_host + (search.is_target(file["f_op"]["owner"]) ? 1 : 0);
    }
    if (is_of(search, file["f_op"], tape)) {
        return is_target(data.as(tape.structure, tape.module)["device"]);
    }
    return 0;
}

/// nvme_dev_open() and nvme_ns_chr_open() take one more reference on the owner of the device.
bool is_of_nvme(Search &search, const Object &file)
{
    const auto is = [&](const char *symbol) {
        return search.kernel().leads_to(file["f_op"], symbol);
    };
    return is("nvme_core:nvme_dev_fops") || is("nvme_core:nvme_ns_chr_fops");
}

/// What files of these operations lead to.
std::int64_t refs_behind(Search &search, const Object &file)
{
    const auto operations = file["f_op"];
    const auto is = [&](const char *symbol) {
        return search.kernel().leads_to(operations, symbol);
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
    if (S_ISCHR(mode)) {
        const bool is_target = search.is_target(inode["i_cdev"]["owner"]);
        out.refs += !is_target ? 0 : is_of_nvme(search, file) ? 2 : 1;
        out.refs += refs_of_scsi_file(search, file);
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
