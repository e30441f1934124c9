// SPDX-License-Identifier: GPL-2.0-only
// What lastref would ask the machine that it runs on, in the place of read_environment.cpp,
// running_machine.cpp, limits.cpp and confinement.cpp.

#include "base/confinement.h"
#include "base/files.h"
#include "holders/census_file.h"
#include "holders/limits.h"
#include "holders/replayed_machine.h"
#include "holders/running_machine.h"
#include "made_up.h"

#include <stdexcept>
#include <unistd.h>

namespace lastref {

/// For good, of all that runs after it.
Result<void> confine()
{
    ++test::made_up().times_confined;
    return {};
}

namespace kernel {

Environment Environment::read()
{
    return test::made_up().environment;
}

void Environment::read_traceable() {}

} // namespace kernel

namespace holders {
namespace {

/// The machine that this one is, as a saved census has it.
ReplayedMachine &saved()
{
    static std::string name;
    static SavedCensus census;
    static std::unique_ptr<ReplayedMachine> machine;
    if (!machine || name != test::made_up().census) {
        name = test::made_up().census;
        const auto path = test::fixture("why/stock-6.12/" + name);
        const auto file = open_file(path, "the census", "a test");
        auto read = file ? read_census(*file, path) : Result<SavedCensus>(fail(file.error()));
        if (!read) {
            throw std::runtime_error(read.error().text());
        }
        census = std::move(*read);
        machine = std::make_unique<ReplayedMachine>(census);
    }
    return *machine;
}

bool is_hidden()
{
    return test::made_up().census.empty();
}

} // namespace

Result<census::Source *> RunningMachine::source()
{
    if (is_hidden()) {
        return fail({.what = "the kernel cannot be read",
                     .errnum = 0,
                     .hint = "run it with sudo",
                     .exit_code = ExitCode::Unsupported});
    }
    return saved().source();
}

census::Unwinder *RunningMachine::unwinder(census::TypeId iterator)
{
    return saved().unwinder(iterator);
}

std::optional<Lack> RunningMachine::missing_to_search()
{
    return is_hidden() ? std::optional(Lack{"not root", "run it with sudo"}) : std::nullopt;
}

std::string RunningMachine::kernel_release()
{
    return is_hidden() ? "6.12" : saved().kernel_release();
}

std::uint32_t RunningMachine::self_pid()
{
    return is_hidden() ? static_cast<std::uint32_t>(::getpid()) : saved().self_pid();
}

bool RunningMachine::in_first_pid_namespace()
{
    return is_hidden() || saved().in_first_pid_namespace();
}

bool RunningMachine::has_oopsed()
{
    return !is_hidden() && saved().has_oopsed();
}

std::uint64_t RunningMachine::clock_ns()
{
    return is_hidden() ? 1 : saved().clock_ns();
}

void RunningMachine::wait(std::chrono::milliseconds /*time*/) {}

procfs::ModulePresence RunningMachine::module_presence(const std::string &module)
{
    return is_hidden() ? procfs::ModulePresence::Loaded : saved().module_presence(module);
}

std::vector<std::string> RunningMachine::loaded_modules()
{
    return is_hidden() ? std::vector<std::string>{} : saved().loaded_modules();
}

std::optional<procfs::SysfsModule> RunningMachine::sysfs_module(const std::string &module)
{
    if (is_hidden()) {
        return procfs::SysfsModule{.name = module,
                                   .instance_id = 7,
                                   .state = "live",
                                   .refs = 2,
                                   .soft_refs = std::nullopt,
                                   .holders = {}};
    }
    return saved().sysfs_module(module);
}

std::vector<std::string> RunningMachine::net_devices(const std::string &module)
{
    return is_hidden() ? std::vector<std::string>{} : saved().net_devices(module);
}

procfs::Cgroup RunningMachine::cgroup(std::uint64_t id)
{
    return saved().cgroup(id);
}

NetNamespaceNames RunningMachine::net_namespace(std::uint32_t inode)
{
    return saved().net_namespace(inode);
}

std::uint32_t RunningMachine::own_mount_namespace()
{
    return saved().own_mount_namespace();
}

std::optional<procfs::Inhabitant> RunningMachine::process_in_mount_namespace(std::uint32_t inode)
{
    return saved().process_in_mount_namespace(inode);
}

std::vector<AtPath> RunningMachine::look_at(const std::vector<MountPlace> &places)
{
    return saved().look_at(places);
}

std::vector<NotExamined> limits()
{
    return test::made_up().limits;
}

} // namespace holders

} // namespace lastref
