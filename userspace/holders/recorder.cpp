// SPDX-License-Identifier: GPL-2.0-only
#include "holders/recorder.h"

#include <algorithm>

namespace lastref::holders {

class Recorder::KeepingSource final : public census::Source {
public:
    KeepingSource(census::Source &from, SavedCensus &into) : from_(from), into_(into) {}

    void read(std::span<census::Request> requests) override { from_.read(requests); }
    void read_now(census::Request &request) override
    {
        from_.read_now(request);
        into_.memory.keep_now(epoch_, request);
    }
    std::optional<census::Address> symbol(const std::string &name) override
    {
        return into_.symbols.insert_or_assign(name, from_.symbol(name)).first->second;
    }
    const census::Types *types(const std::string &name) override
    {
        const auto [known, is_new] = types_.try_emplace(name);
        if (is_new) {
            const auto *types = from_.types(name);
            auto &saved = into_.types[name];
            if (types != nullptr) {
                saved.emplace();
                known->second = std::make_unique<census::RecordingTypes>(*types, *saved);
            }
        }
        return known->second.get();
    }
    void forget() override
    {
        from_.forget();
        epoch_++;
    }
    [[nodiscard]] bool keeps() const override { return true; }
    void keep(census::Address line, const census::Line *bytes,
              const census::LineMask &asked) override
    {
        into_.memory.keep(epoch_, line, bytes, asked);
    }
    [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
    void begin() { epoch_ = 0; }

private:
    census::Source &from_;
    SavedCensus &into_;
    std::map<std::string, std::unique_ptr<census::RecordingTypes>> types_;
    std::uint32_t epoch_ = 0;
};

class Recorder::KeepingUnwinder final : public census::Unwinder {
public:
    KeepingUnwinder(census::Unwinder &from, SavedCensus &into) : from_(from), into_(into) {}

    Stacks stacks(const census::Target &target, std::span<const census::Address> wanted) override
    {
        return into_.stacks.emplace_back(from_.stacks(target, wanted));
    }
    std::vector<std::string> functions(std::span<const census::Address> addresses) override
    {
        auto out = from_.functions(addresses);
        for (std::size_t i = 0; i < out.size() && i < addresses.size(); i++) {
            into_.functions[addresses[i]] = out[i];
        }
        return out;
    }

private:
    census::Unwinder &from_;
    SavedCensus &into_;
};

Recorder::Recorder(Machine &from, std::string module) : from_(from)
{
    census_.module = std::move(module);
    census_.kinds.emplace();
}

Recorder::~Recorder() = default;

void Recorder::begin()
{
    from_.begin();
    census_.memory.clear();
    census_.stacks.clear();
    census_.clock.clear();
    if (source_) {
        source_->begin();
    }
}

bool Recorder::looks_for(std::string_view kind)
{
    const bool does = from_.looks_for(kind);
    auto &known = *census_.kinds;
    if (does && std::find(known.begin(), known.end(), kind) == known.end()) {
        known.emplace_back(kind);
    }
    return does;
}

Result<census::Source *> Recorder::source()
{
    if (!source_) {
        const auto source = from_.source();
        if (!source) {
            census_.unreadable = source.error();
            return fail(source.error());
        }
        source_ = std::make_unique<KeepingSource>(**source, census_);
    }
    return source_.get();
}

census::Unwinder *Recorder::unwinder(census::TypeId iterator)
{
    auto *unwinder = from_.unwinder(iterator);
    census_.has_unwinder = unwinder != nullptr;
    if (unwinder != nullptr) {
        unwinder_ = std::make_unique<KeepingUnwinder>(*unwinder, census_);
    }
    return unwinder_.get();
}

std::optional<Lack> Recorder::missing_to_search()
{
    return census_.missing_to_search = from_.missing_to_search();
}

std::string Recorder::kernel_release()
{
    return census_.kernel_release = from_.kernel_release();
}

std::uint32_t Recorder::self_pid()
{
    return census_.self_pid = from_.self_pid();
}

bool Recorder::in_first_pid_namespace()
{
    return census_.in_first_pid_namespace = from_.in_first_pid_namespace();
}

bool Recorder::has_oopsed()
{
    return census_.has_oopsed = from_.has_oopsed();
}

std::uint64_t Recorder::clock_ns()
{
    return census_.clock[source_ ? source_->epoch() : 0].emplace_back(from_.clock_ns());
}

void Recorder::wait(std::chrono::milliseconds time)
{
    from_.wait(time);
}

procfs::ModulePresence Recorder::module_presence(const std::string &module)
{
    return census_.presence[module] = from_.module_presence(module);
}

std::vector<std::string> Recorder::loaded_modules()
{
    return census_.loaded_modules.emplace(from_.loaded_modules());
}

std::optional<procfs::SysfsModule> Recorder::sysfs_module(const std::string &module)
{
    return census_.modules[module] = from_.sysfs_module(module);
}

std::vector<std::string> Recorder::net_devices(const std::string &module)
{
    return census_.net_devices[module] = from_.net_devices(module);
}

procfs::Cgroup Recorder::cgroup(std::uint64_t id)
{
    return census_.cgroups[id] = from_.cgroup(id);
}

NetNamespaceNames Recorder::net_namespace(std::uint32_t inode)
{
    return census_.net_namespaces[inode] = from_.net_namespace(inode);
}

std::uint32_t Recorder::own_mount_namespace()
{
    return census_.own_mount_namespace = from_.own_mount_namespace();
}

std::optional<procfs::Inhabitant> Recorder::process_in_mount_namespace(std::uint32_t inode)
{
    return census_.mount_namespaces[inode] = from_.process_in_mount_namespace(inode);
}

std::vector<AtPath> Recorder::look_at(const std::vector<MountPlace> &places)
{
    auto out = from_.look_at(places);
    for (std::size_t i = 0; i < places.size() && i < out.size(); i++) {
        census_.paths[places[i]] = out[i];
    }
    return out;
}

} // namespace lastref::holders
