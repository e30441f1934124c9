// SPDX-License-Identifier: GPL-2.0-only
#include "holders/replayed_machine.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref::holders {
namespace {

/// What was said; a default and a note where nobody asked.
template <typename Values, typename Key>
typename Values::mapped_type find(const Values &values, const Key &key,
                                  std::set<std::string> &unknown, std::string what)
{
    const auto found = values.find(key);
    if (found == values.end()) {
        unknown.insert(std::move(what));
        return {};
    }
    return found->second;
}

} // namespace

class ReplayedMachine::SavedSource final : public census::Source {
public:
    explicit SavedSource(const SavedCensus &census) : census_(census)
    {
        for (const auto &[name, types] : census.types) {
            if (types) {
                types_.emplace(name, *types);
            }
        }
    }

    void read(std::span<census::Request> requests) override
    {
        for (auto &one : requests) {
            note(census_.memory.read(epoch_, one));
        }
    }
    void read_now(census::Request &request) override
    {
        note(census_.memory.read_now(epoch_, request));
    }
    std::optional<census::Address> symbol(const std::string &name) override
    {
        const auto found = census_.symbols.find(name);
        return found == census_.symbols.end() ? std::nullopt : found->second;
    }
    [[nodiscard]] bool knows_symbol(const std::string &name) const override
    {
        return census_.symbols.contains(name);
    }
    const census::Types *types(const std::string &name) override
    {
        const auto found = types_.find(name);
        return found == types_.end() ? nullptr : &found->second;
    }
    void forget() override { epoch_++; }
    [[nodiscard]] bool is_exact() const override { return true; }
    std::size_t take_unknown() override { return std::exchange(unknown_, 0); }
    [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
    void begin() { epoch_ = 0; }

private:
    void note(census::SavedMemory::Found found)
    {
        unknown_ += found == census::SavedMemory::Found::Unknown ? 1 : 0;
    }

    const SavedCensus &census_;
    std::map<std::string, census::ReplayedTypes> types_;
    std::uint32_t epoch_ = 0;
    std::size_t unknown_ = 0;
};

class ReplayedMachine::SavedUnwinder final : public census::Unwinder {
public:
    SavedUnwinder(const SavedCensus &census, std::set<std::string> &unknown)
        : census_(census), unknown_(unknown)
    {
    }

    Stacks stacks(const census::Target & /*target*/,
                  std::span<const census::Address> /*wanted*/) override
    {
        if (census_.stacks.empty()) {
            unknown_.insert("stacks of tasks");
            return {};
        }
        const auto last = census_.stacks.size() - 1;
        return census_.stacks[std::min(taken_++, last)];
    }
    std::vector<std::string> functions(std::span<const census::Address> addresses) override
    {
        std::vector<std::string> out;
        for (const auto address : addresses) {
            out.push_back(find(census_.functions, address, unknown_,
                               fmt::format("the function at {:#x}", address)));
        }
        return out;
    }
    void begin() { taken_ = 0; }

private:
    const SavedCensus &census_;
    std::set<std::string> &unknown_;
    std::size_t taken_ = 0;
};

ReplayedMachine::ReplayedMachine(const SavedCensus &census)
    : census_(census), source_(std::make_unique<SavedSource>(census)),
      unwinder_(std::make_unique<SavedUnwinder>(census, unknown_))
{
}

ReplayedMachine::~ReplayedMachine() = default;

void ReplayedMachine::begin()
{
    source_->begin();
    unwinder_->begin();
    clock_read_.clear();
    unknown_.clear();
}

std::vector<std::string> ReplayedMachine::unknown() const
{
    return {unknown_.begin(), unknown_.end()};
}

bool ReplayedMachine::looks_for(std::string_view kind)
{
    const auto &known = census_.kinds;
    return !known || std::find(known->begin(), known->end(), kind) != known->end();
}

Result<census::Source *> ReplayedMachine::source()
{
    if (census_.unreadable) {
        return fail(*census_.unreadable);
    }
    return source_.get();
}

census::Unwinder *ReplayedMachine::unwinder(census::TypeId /*iterator*/)
{
    return census_.has_unwinder ? unwinder_.get() : nullptr;
}

std::uint64_t ReplayedMachine::clock_ns()
{
    // The epoch may have none, if another version of lastref reads on another occasion.
    auto epoch = census_.clock.upper_bound(source_->epoch());
    if (epoch == census_.clock.begin()) {
        return 0;
    }
    epoch--;
    const auto &readings = epoch->second;
    const auto read = clock_read_[epoch->first]++;
    return readings.empty() ? 0 : readings[std::min(read, readings.size() - 1)];
}

procfs::ModulePresence ReplayedMachine::module_presence(const std::string &module)
{
    return find(census_.presence, module, unknown_, "whether " + module + " is loaded");
}

std::vector<std::string> ReplayedMachine::loaded_modules()
{
    if (!census_.loaded_modules) {
        unknown_.insert("the names of loaded modules");
    }
    return census_.loaded_modules.value_or(std::vector<std::string>());
}

std::optional<procfs::SysfsModule> ReplayedMachine::sysfs_module(const std::string &module)
{
    return find(census_.modules, module, unknown_, "/sys/module/" + module);
}

std::vector<std::string> ReplayedMachine::net_devices(const std::string &module)
{
    return find(census_.net_devices, module, unknown_, "the network devices of " + module);
}

procfs::Cgroup ReplayedMachine::cgroup(std::uint64_t id)
{
    return find(census_.cgroups, id, unknown_, fmt::format("the cgroup {}", id));
}

NetNamespaceNames ReplayedMachine::net_namespace(std::uint32_t inode)
{
    return find(census_.net_namespaces, inode, unknown_,
                fmt::format("the network namespace {}", inode));
}

std::optional<procfs::Inhabitant> ReplayedMachine::process_in_mount_namespace(std::uint32_t inode)
{
    return find(census_.mount_namespaces, inode, unknown_,
                fmt::format("the mount namespace {}", inode));
}

std::vector<AtPath> ReplayedMachine::look_at(const std::vector<MountPlace> &places)
{
    std::vector<AtPath> out;
    out.reserve(places.size());
    for (const auto &place : places) {
        out.push_back(
            find(census_.paths, place, unknown_, "where the path " + place.path + " leads"));
    }
    return out;
}

} // namespace lastref::holders
