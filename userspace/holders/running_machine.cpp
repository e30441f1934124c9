// SPDX-License-Identifier: GPL-2.0-only
#include "holders/running_machine.h"

#include "base/clock.h"
#include "kernel/features.h"
#include "procfs/host.h"
#include "procfs/net_devices.h"

#include <thread>
#include <unistd.h>

namespace lastref::holders {

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
    return procfs::this_host().release;
}

std::uint32_t RunningMachine::self_pid()
{
    return static_cast<std::uint32_t>(::getpid());
}

bool RunningMachine::in_first_pid_namespace()
{
    constexpr std::uint32_t first = 0xEFFFFFFC; // for good: PROC_PID_INIT_INO
    return procfs::inode_of_namespace("self", "pid") == first;
}

bool RunningMachine::has_oopsed()
{
    return procfs::has_oopsed();
}

std::uint64_t RunningMachine::clock_ns()
{
    return boot_clock_ns();
}

void RunningMachine::wait(std::chrono::milliseconds time)
{
    std::this_thread::sleep_for(time);
}

procfs::ModulePresence RunningMachine::module_presence(const std::string &module)
{
    return procfs::module_presence(module);
}

std::vector<std::string> RunningMachine::loaded_modules()
{
    return procfs::loaded_modules();
}

std::optional<procfs::SysfsModule> RunningMachine::sysfs_module(const std::string &module)
{
    return procfs::sysfs_module(module);
}

std::vector<std::string> RunningMachine::net_devices(const std::string &module)
{
    if (!net_devices_) {
        net_devices_ = procfs::net_devices_by_module();
    }
    const auto found = net_devices_->find(module);
    return found == net_devices_->end() ? std::vector<std::string>() : found->second;
}

procfs::Cgroup RunningMachine::cgroup(std::uint64_t id)
{
    return procfs::cgroup_of(id);
}

NetNamespaceNames RunningMachine::net_namespace(std::uint32_t inode)
{
    NetNamespaceNames out{.is_own = inode == procfs::inode_of_namespace("self", "net")};
    if (out.is_own) {
        return out;
    }
    out.name = procfs::name_of_net_namespace(inode);
    if (out.name.empty()) {
        if (!net_namespaces_) {
            net_namespaces_ = procfs::processes_by_net_namespace();
        }
        const auto found = net_namespaces_->find(inode);
        out.pid = found == net_namespaces_->end() ? 0 : found->second;
    }
    return out;
}

std::uint32_t RunningMachine::own_mount_namespace()
{
    if (!own_mount_namespace_) {
        own_mount_namespace_ = procfs::inode_of_namespace("self", "mnt");
    }
    return *own_mount_namespace_;
}

std::optional<procfs::Inhabitant> RunningMachine::process_in_mount_namespace(std::uint32_t inode)
{
    if (!mount_namespaces_) {
        mount_namespaces_ = procfs::inhabitants_of_mount_namespaces();
    }
    const auto known = mount_namespaces_->find(inode);
    return known == mount_namespaces_->end() ? std::nullopt : std::optional(known->second);
}

std::vector<AtPath> RunningMachine::look_at(const std::vector<MountPlace> &places)
{
    return holders::look_at(places);
}

} // namespace lastref::holders
