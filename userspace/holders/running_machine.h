// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/bpf_source.h"
#include "holders/bpf_unwinder.h"
#include "holders/machine.h"

#include <map>
#include <memory>

namespace lastref::holders {

/// The machine that lastref runs on. Reads no file that could wait for a lock, but in a child.
class RunningMachine final : public Machine {
public:
    Result<census::Source *> source() override;
    census::Unwinder *unwinder(census::TypeId iterator) override;
    std::optional<Lack> missing_to_search() override;

    std::string kernel_release() override;
    std::uint32_t self_pid() override;
    bool in_first_pid_namespace() override;
    bool has_oopsed() override;
    std::uint64_t clock_ns() override;
    void wait(std::chrono::milliseconds time) override;

    procfs::ModulePresence module_presence(const std::string &module) override;
    std::vector<std::string> loaded_modules() override;
    std::optional<procfs::SysfsModule> sysfs_module(const std::string &module) override;
    std::vector<std::string> net_devices(const std::string &module) override;

    procfs::Cgroup cgroup(std::uint64_t id) override;
    NetNamespaceNames net_namespace(std::uint32_t inode) override;
    std::uint32_t own_mount_namespace() override;
    std::optional<procfs::Inhabitant> process_in_mount_namespace(std::uint32_t inode) override;
    std::vector<AtPath> look_at(const std::vector<MountPlace> &places) override;

private:
    std::unique_ptr<BpfSource> source_;
    std::unique_ptr<BpfUnwinder> unwinder_;
    // Going over all processes, or devices, is put off until somebody asks.
    std::optional<std::map<std::uint32_t, std::uint32_t>> net_namespaces_; ///< the first process
    std::optional<std::map<std::uint32_t, procfs::Inhabitant>> mount_namespaces_;
    std::optional<std::uint32_t> own_mount_namespace_;
    std::optional<std::map<std::string, std::vector<std::string>>> net_devices_; ///< by module
};

} // namespace lastref::holders
