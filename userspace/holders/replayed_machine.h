// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/machine.h"
#include "holders/saved_census.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace lastref::holders {

/// A machine of which a census was saved.
class ReplayedMachine : public Machine {
public:
    explicit ReplayedMachine(const SavedCensus &census);
    ~ReplayedMachine() override;

    void begin() override;
    [[nodiscard]] std::vector<std::string> unknown() const override;

    bool looks_for(std::string_view kind) override;
    Result<census::Source *> source() override;
    census::Unwinder *unwinder(census::TypeId iterator) override;
    std::optional<Lack> missing_to_search() override { return census_.missing_to_search; }

    std::string kernel_release() override { return census_.kernel_release; }
    std::uint32_t self_pid() override { return census_.self_pid; }
    bool in_first_pid_namespace() override { return census_.in_first_pid_namespace; }
    bool has_oopsed() override { return census_.has_oopsed; }
    std::uint64_t clock_ns() override;
    void wait(std::chrono::milliseconds /*time*/) override {}

    procfs::ModulePresence module_presence(const std::string &module) override;
    std::vector<std::string> loaded_modules() override;
    std::optional<procfs::SysfsModule> sysfs_module(const std::string &module) override;
    std::vector<std::string> net_devices(const std::string &module) override;

    procfs::Cgroup cgroup(std::uint64_t id) override;
    NetNamespaceNames net_namespace(std::uint32_t inode) override;
    std::uint32_t own_mount_namespace() override { return census_.own_mount_namespace; }
    std::optional<procfs::Inhabitant> process_in_mount_namespace(std::uint32_t inode) override;
    std::vector<AtPath> look_at(const std::vector<MountPlace> &places) override;

private:
    class SavedSource;
    class SavedUnwinder;

    const SavedCensus &census_;
    std::unique_ptr<SavedSource> source_;
    std::unique_ptr<SavedUnwinder> unwinder_;
    std::map<std::uint32_t, std::size_t> clock_read_; ///< how often, by epoch
    std::set<std::string> unknown_;
};

} // namespace lastref::holders
