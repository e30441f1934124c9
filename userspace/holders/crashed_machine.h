// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/kernel.h"
#include "holders/machine.h"

#include <memory>

namespace lastref::holders {

/// A machine that has crashed: of it there is what its kernel had in memory, and nothing else.
class CrashedMachine final : public Machine {
public:
    /// `source` is its memory.
    explicit CrashedMachine(std::unique_ptr<census::Source> source);
    ~CrashedMachine() override;

    Result<census::Source *> source() override { return source_.get(); }
    census::Unwinder *unwinder(census::TypeId /*iterator*/) override { return nullptr; }
    [[nodiscard]] std::string no_unwinder() const override
    {
        return "of a core their stacks are not read: crash shows them (foreach bt)";
    }
    std::optional<Lack> missing_to_search() override { return std::nullopt; }

    [[nodiscard]] bool is_dead() const override { return true; }
    std::string kernel_release() override;
    std::uint32_t self_pid() override { return 0; }
    bool in_first_pid_namespace() override { return true; }
    bool has_oopsed() override;
    std::uint64_t clock_ns() override { return 0; }
    void wait(std::chrono::milliseconds /*time*/) override {}

    procfs::ModulePresence module_presence(const std::string &module) override;
    std::vector<std::string> loaded_modules() override;
    std::optional<procfs::SysfsModule> sysfs_module(const std::string &module) override;
    std::vector<std::string> net_devices(const std::string & /*module*/) override { return {}; }

    procfs::Cgroup cgroup(std::uint64_t /*id*/) override { return {}; }
    NetNamespaceNames net_namespace(std::uint32_t inode) override;
    std::uint32_t own_mount_namespace() override;
    std::optional<procfs::Inhabitant> process_in_mount_namespace(std::uint32_t /*inode*/) override
    {
        return std::nullopt;
    }
    std::vector<AtPath> look_at(const std::vector<MountPlace> &places) override;

private:
    std::unique_ptr<census::Source> source_;
    census::Kernel kernel_;
};

} // namespace lastref::holders
