// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/machine.h"
#include "holders/saved_census.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace lastref::holders {

/// Asks another machine, and keeps what it says.
class Recorder final : public Machine {
public:
    Recorder(Machine &from, std::string module);
    ~Recorder() override;

    /// All that was asked so far. What reads the kernel must have ended: what was read of its
    /// memory is kept when it is forgotten.
    [[nodiscard]] const SavedCensus &census() const { return census_; }

    void begin() override;
    bool looks_for(std::string_view kind) override;
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
    class KeepingSource;
    class KeepingUnwinder;

    Machine &from_;
    SavedCensus census_;
    std::unique_ptr<KeepingSource> source_;
    std::unique_ptr<KeepingUnwinder> unwinder_;
};

} // namespace lastref::holders
