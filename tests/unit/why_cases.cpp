// SPDX-License-Identifier: GPL-2.0-only
#include "why_cases.h"

#include <fmt/format.h>

namespace lastref::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t now = 300 * second;

Sighting mount(const std::string &point)
{
    return {.kind = HolderKind::Mount,
            .object = 0x900,
            .refs = 1,
            .path = point,
            .detail = "foofs on /dev/loop0",
            .clause = fmt::format("{} is mounted", point),
            .remedy = fmt::format("umount {}", point)};
}

Sighting kernel_thread()
{
    return {.kind = HolderKind::KernelThread,
            .counter = HolderCounter::None,
            .pins = Pins::No,
            .evidence = Evidence::Sampled,
            .process = process(70, "foo_worker"),
            .detail = "runs worker+0x10 [foo]",
            .clause = "foo_worker[70] runs its code",
            .stack = {"worker+0x10 [foo]", "kthread+0xcf"}};
}

Inventory everything()
{
    auto out = loaded(23);
    const auto vpn = process(812, "openvpn", "openvpn@home.service");
    for (int fd = 5; fd < 12; fd++) {
        out.sightings.push_back(
            open_file(0x100 + static_cast<std::uint64_t>(fd), vpn, fd, "/dev/foo"));
    }
    out.sightings.push_back(open_file(0x200, vpn, 3, "/dev/foo"));
    out.sightings.push_back(open_file(0x201, vpn, 4, "/dev/foo_control", 2));
    out.sightings.push_back(open_file(0x300, process(90, "sh"), 7, "/dev/foo", 2));
    out.sightings.push_back(open_file(0x300, process(91, "sleep"), 7, "/dev/foo", 2));
    auto contained = process(901, "qemu", "docker-0a1b.scope");
    contained.ns_pid = 17;
    contained.container = "docker container 0a1b";
    contained.stop = "docker stop 0a1b";
    out.sightings.push_back(open_file(0x301, contained, 21, "/dev/foo"));
    out.sightings.push_back(mount("/mnt/a"));
    out.sightings.push_back({.kind = HolderKind::Crypto,
                             .pins = Pins::Unknown,
                             .refs = 1,
                             .path = "foo-aes",
                             .detail = "used by somebody",
                             .clause = "foo-aes is in use"});
    out.sightings.push_back({.kind = HolderKind::TaskStack,
                             .counter = HolderCounter::Soft,
                             .pins = Pins::Yes,
                             .refs = 1,
                             .path = "hold+0x1a [foo]",
                             .detail = "took a soft reference"});
    out.sightings.push_back(kernel_thread());
    add_dependent(out, "bar", 1, 1);
    out.dependents.insert(out.dependents.begin(), DependentModule{.name = "outer"});
    out.soft = 3;
    out.not_examined = {{"memory maps of pid 900", "mmap lock held, 200 ms deadline"}};
    return out;
}

/// A module whose exit routine waits for a lock.
Inventory exiting()
{
    auto out = loaded(-1);
    out.state = ModuleState::Going;
    out.uses = {"bar"};
    RoutineSample task{.process = process(71, "rmmod"),
                       .parent = process(70, "bash", "session-3.scope"),
                       .lock_owner = process(80, "foo_worker"),
                       .inside = "foo_exit+0x10 [foo]",
                       .stack = {"__schedule+0x1", "foo_exit+0x10 [foo]"}};
    out.routine = Routine{.status = RoutineStatus::Stuck,
                          .task = task,
                          .at_least_ns = 5 * second,
                          .at_most_ns = 60 * second,
                          .sample_ns = second / 10,
                          .switches = 1,
                          .cpu_ns = 1000};
    return out;
}

Inventory blind()
{
    auto out = loaded(4);
    add_dependent(out, "bar");
    out.blind = "not root";
    out.blind_remedy = "run it with sudo";
    out.not_examined = {{"all but /sys/module/foo", "not root"}};
    return out;
}

} // namespace

Inventory loaded(std::int64_t hard)
{
    Inventory out;
    out.module = "foo";
    out.presence = Presence::Loaded;
    out.kernel_release = "6.12.57";
    out.ts_ns = now;
    out.instance_id = 5123;
    out.hard = hard;
    return out;
}

Process process(std::uint32_t pid, const std::string &comm, const std::string &unit)
{
    return {.pid = pid,
            .comm = comm,
            .unit = unit,
            .start_ns = now - 60 * second,
            .stop = unit.ends_with(".service") ? "systemctl stop " + unit : ""};
}

Sighting open_file(std::uint64_t object, const Process &process, int fd, const std::string &path,
                   std::int64_t refs)
{
    return {.kind = HolderKind::OpenFile,
            .object = object,
            .refs = refs,
            .process = process,
            .fd = fd,
            .path = path,
            .detail = fmt::format("fd {} on {}", fd, path),
            .clause = fmt::format("{} has {} open", who(process), path),
            .remedy = how_to_end(process)};
}

void add_dependent(Inventory &inventory, const std::string &name, std::int64_t refs,
                   std::int64_t dependents)
{
    inventory.sightings.push_back({.kind = HolderKind::Dependent,
                                   .refs = 1,
                                   .path = name,
                                   .detail = "depends on it",
                                   .clause = fmt::format("{} depends on it", name),
                                   .remedy = fmt::format("rmmod {}", name)});
    inventory.dependents.push_back({.name = name, .refs = refs, .dependents = dependents});
}

std::vector<Inventory> all_cases()
{
    std::vector<Inventory> out{everything(), exiting(), blind(), loaded(0), loaded(2)};
    for (const auto state : {ModuleState::Coming, ModuleState::Unformed, ModuleState::Going}) {
        for (const std::optional<std::int64_t> soft : {std::optional<std::int64_t>(), {0}, {2}}) {
            auto one = loaded(state == ModuleState::Going ? -1 : 1);
            one.state = state;
            one.soft = soft;
            out.push_back(one);
        }
    }
    auto changed = loaded(1);
    changed.changed = true;
    changed.permanent = true;
    out.push_back(changed);
    Inventory absent;
    absent.module = "foox";
    absent.kernel_release = "6.12.57";
    out.push_back(absent);
    absent.similar = {"foo", "fox"};
    out.push_back(absent);
    absent.presence = Presence::BuiltIn;
    out.push_back(absent);
    return out;
}

Inventory with_names(Inventory inventory, const std::string &text)
{
    for (auto &sighting : inventory.sightings) {
        if (sighting.process) {
            sighting.process->comm = sighting.process->unit = text;
            sighting.process->container = text;
        }
        sighting.path = sighting.detail = sighting.clause = sighting.remedy = text;
        sighting.caution = text;
        if (sighting.fd) {
            sighting.detail = fmt::format("fd {} on {}", *sighting.fd, text);
        }
        sighting.stack = {text};
    }
    for (auto &module : inventory.dependents) {
        module.name = text;
        module.devices = {text};
    }
    for (auto &one : inventory.not_examined) {
        one = {text, text};
    }
    for (auto &name : inventory.similar) {
        name = text;
    }
    inventory.module = inventory.kernel_release = text;
    if (!inventory.blind.empty()) {
        inventory.blind = inventory.blind_remedy = text;
    }
    return inventory;
}

} // namespace lastref::test
