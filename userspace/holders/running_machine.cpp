// SPDX-License-Identifier: GPL-2.0-only
#include "holders/running_machine.h"

#include "base/directory.h"
#include "base/fd.h"
#include "holders/namespaces.h"
#include "holders/proc_links.h"
#include "kernel/features.h"
#include "kernel/host.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr auto cgroup_root = "/sys/fs/cgroup";

/// The module without which a network device is gone; empty where sysfs does not tell.
std::string module_of(const std::string &device)
{
    for (const char *kind : {"bridge", "bonding"}) { // software: no driver is bound to them
        if (::access(fmt::format("{}/{}", device, kind).c_str(), F_OK) == 0) {
            return kind;
        }
    }
    const auto module = read_link(device + "/device/driver/module");
    return module.substr(module.rfind('/') + 1); // npos + 1 is 0
}

/// Network devices of lastref's own network namespace, by module, in order.
std::map<std::string, std::vector<std::string>> net_devices_by_module()
{
    constexpr auto devices = "/sys/class/net";
    std::map<std::string, std::vector<std::string>> out;
    const auto directory = open_directory(devices);
    while (const auto *entry = directory ? ::readdir(directory.get()) : nullptr) {
        if (entry->d_name[0] != '.') {
            out[module_of(fmt::format("{}/{}", devices, entry->d_name))].emplace_back(
                entry->d_name);
        }
    }
    for (auto &[module, names] : out) {
        std::sort(names.begin(), names.end());
    }
    return out;
}

} // namespace

Result<census::Source *> RunningMachine::source()
{
    if (!source_) {
        auto source = BpfSource::load();
        if (!source) {
            return fail(source.error());
        }
        source_ = std::move(*source);
    }
    return source_.get();
}

census::Unwinder *RunningMachine::unwinder(census::TypeId iterator)
{
    if (!unwinder_) {
        unwinder_ = BpfUnwinder::load(iterator);
    }
    return unwinder_.get();
}

std::optional<Lack> RunningMachine::missing_to_search()
{
    const auto missing = kernel::missing_to_search();
    return missing ? std::optional(Lack{missing->detail, missing->remedy}) : std::nullopt;
}

std::string RunningMachine::kernel_release()
{
    return kernel::this_host().release;
}

std::uint32_t RunningMachine::self_pid()
{
    return static_cast<std::uint32_t>(::getpid());
}

bool RunningMachine::in_first_pid_namespace()
{
    constexpr std::uint32_t first = 0xEFFFFFFC; // for good: PROC_PID_INIT_INO
    return inode_of_namespace("self", "pid") == first;
}

bool RunningMachine::has_oopsed()
{
    constexpr std::uint64_t taint_die = 1U << 7;
    std::ifstream file("/proc/sys/kernel/tainted");
    std::uint64_t taints = 0;
    return file >> taints && (taints & taint_die) != 0;
}

std::uint64_t RunningMachine::clock_ns()
{
    return kernel::boot_clock_ns();
}

void RunningMachine::wait(std::chrono::milliseconds time)
{
    std::this_thread::sleep_for(time);
}

kernel::ModulePresence RunningMachine::module_presence(const std::string &module)
{
    return kernel::module_presence(module);
}

std::vector<std::string> RunningMachine::loaded_modules()
{
    return kernel::loaded_modules();
}

std::optional<kernel::SysfsModule> RunningMachine::sysfs_module(const std::string &module)
{
    return kernel::sysfs_module(module);
}

std::vector<std::string> RunningMachine::net_devices(const std::string &module)
{
    if (!net_devices_) {
        net_devices_ = net_devices_by_module();
    }
    const auto found = net_devices_->find(module);
    return found == net_devices_->end() ? std::vector<std::string>() : found->second;
}

/// The handle of a kernfs node is its id (FILEID_KERNFS, 0xfe; commit 8f5be0ec23bb, in v5.10).
Cgroup RunningMachine::cgroup(std::uint64_t id)
{
    const Fd mount(::open(cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!mount.valid()) {
        return {};
    }
    struct {
        unsigned bytes = sizeof(std::uint64_t);
        int type = 0xfe;
        std::uint64_t id = 0;
    } handle;
    handle.id = id;
    const Fd cgroup(::open_by_handle_at(mount.get(), reinterpret_cast<file_handle *>(&handle),
                                        O_PATH | O_CLOEXEC));
    struct stat status = {};
    if (!cgroup.valid() || ::fstat(cgroup.get(), &status) != 0) {
        return {};
    }
    const auto path = read_link(fmt::format("/proc/self/fd/{}", cgroup.get()));
    const auto root = std::strlen(cgroup_root);
    const bool has_children = status.st_nlink > 2; // "." and its name; kernfs counts the others
    return path.compare(0, root, cgroup_root) == 0 ? Cgroup{path.substr(root), has_children}
                                                   : Cgroup{};
}

NetNamespaceNames RunningMachine::net_namespace(std::uint32_t inode)
{
    NetNamespaceNames out{.is_own = inode == inode_of_namespace("self", "net")};
    if (out.is_own) {
        return out;
    }
    out.name = name_of_net_namespace(inode);
    if (out.name.empty()) {
        if (!net_namespaces_) {
            net_namespaces_ = processes_by_net_namespace();
        }
        const auto found = net_namespaces_->find(inode);
        out.pid = found == net_namespaces_->end() ? 0 : found->second;
    }
    return out;
}

std::uint32_t RunningMachine::own_mount_namespace()
{
    if (!own_mount_namespace_) {
        own_mount_namespace_ = inode_of_namespace("self", "mnt");
    }
    return *own_mount_namespace_;
}

std::optional<Inhabitant> RunningMachine::process_in_mount_namespace(std::uint32_t inode)
{
    if (!mount_namespaces_) {
        mount_namespaces_ = inhabitants_of_mount_namespaces();
    }
    const auto known = mount_namespaces_->find(inode);
    return known == mount_namespaces_->end() ? std::nullopt : std::optional(known->second);
}

std::vector<AtPath> RunningMachine::look_at(const std::vector<MountPlace> &places)
{
    return holders::look_at(places);
}

} // namespace lastref::holders
