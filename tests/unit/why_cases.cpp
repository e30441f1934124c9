// SPDX-License-Identifier: GPL-2.0-only
#include "why_cases.h"

#include <sstream>
#include <utility>

namespace lastref::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t now = 300 * second;

constexpr Words file_words{
    .detail = "fd {fd} on {path}",
    .clause = "{who} has {path} open",
    .remedy = end_process,
};
constexpr Words mount_words{
    .detail = "foofs on /dev/loop0",
    .clause = "{path} is mounted",
    .remedy = "umount {path}",
};
constexpr Words dependent_words{
    .detail = "depends on it",
    .clause = "{path} depends on it",
    .remedy = "rmmod {path}",
};
constexpr Words thread_words{
    .detail = "runs worker+0x10 [[foo]",
    .clause = "{who} runs its code",
};
constexpr Words algorithm_words{.detail = "used by somebody", .clause = "{path} is in use"};
constexpr Words soft_words{.detail = "took a soft reference", .clause = ""};

Sighting kernel_thread()
{
    auto out = of_words(HolderKind::KernelThread, thread_words, "", process(70, "foo_worker"));
    out.counter = HolderCounter::None;
    out.holds = Holds::No;
    out.evidence = Evidence::Sampled;
    out.refs = 0;
    out.stack = {"worker+0x10 [foo]", "kthread+0xcf"};
    return out;
}

Census everything()
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
    contained.stop = {{"docker", "stop"}, "0a1b"};
    out.sightings.push_back(open_file(0x301, contained, 21, "/dev/foo"));
    out.sightings.push_back(of_words(HolderKind::Mount, mount_words, "/mnt/a"));
    out.sightings.push_back(of_words("crypto", algorithm_words, "foo-aes"));
    out.sightings.back().holds = Holds::Unknown;
    out.sightings.push_back(of_words(HolderKind::TaskStack, soft_words, "hold+0x1a [foo]"));
    out.sightings.back().counter = HolderCounter::Soft;
    out.sightings.push_back(kernel_thread());
    add_dependent(out, "bar", 1, 1);
    out.dependents.insert(out.dependents.begin(), DependentModule{.name = "outer"});
    out.soft = 3;
    out.not_examined = {{"memory maps of pid 900", "mmap lock held, 200 ms deadline"}};
    return out;
}

/// A module whose exit routine waits for a lock.
Census exiting()
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

Census blind()
{
    auto out = loaded(4);
    add_dependent(out, "bar");
    out.blind = "not root";
    out.blind_remedy = "run it with sudo";
    out.not_examined = {{"all but /sys/module/foo", "not root"}};
    return out;
}

} // namespace

Census loaded(std::int64_t hard)
{
    Census out;
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
            .stop = unit.ends_with(".service") ? Stop{{"systemctl", "stop"}, unit, true} : Stop{}};
}

Sighting of_words(HolderKind kind, const Words &words, const std::string &path,
                  const std::optional<Process> &process)
{
    Sighting out{.kind = kind, .refs = 1, .process = process, .path = path, .words = &words};
    out.remedy = words.remedy.ends_process()
                     ? how_to_end(*process)
                     : commands_of(words.remedy.commands(),
                                   [&out](std::string_view name) { return value_of(out, name); });
    return out;
}

Sighting open_file(std::uint64_t object, const Process &process, int fd, const std::string &path,
                   std::int64_t refs)
{
    auto out = of_words(HolderKind::OpenFile, file_words, path, process);
    out.object = object;
    out.refs = refs;
    out.fd = fd;
    return out;
}

void add_dependent(Census &census, const std::string &name, std::int64_t refs,
                   std::int64_t dependents)
{
    census.sightings.push_back(of_words(HolderKind::Dependent, dependent_words, name));
    census.dependents.push_back({.name = name, .refs = refs, .dependents = dependents});
}

WhyDoc explained(std::int64_t refs, std::vector<Sighting> sightings)
{
    auto census = loaded(refs);
    census.sightings = std::move(sightings);
    return explain(std::move(census));
}

std::string why_text_of(const Census &census, const RenderOptions &options)
{
    std::ostringstream out;
    render_text(out, explain(census), options);
    return out.str();
}

std::vector<Census> all_cases()
{
    std::vector<Census> out{everything(), exiting(), blind(), loaded(0), loaded(2)};
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
    Census absent;
    absent.module = "foox";
    absent.kernel_release = "6.12.57";
    out.push_back(absent);
    absent.similar = {"foo", "fox"};
    out.push_back(absent);
    absent.presence = Presence::BuiltIn;
    out.push_back(absent);
    return out;
}

Census with_names(Census census, const std::string &text)
{
    for (auto &sighting : census.sightings) {
        if (sighting.process) {
            sighting.process->comm = sighting.process->unit = text;
            sighting.process->container = text;
        }
        sighting.path = text;
        for (auto &[name, value] : sighting.values) {
            value = text;
        }
        if (!sighting.remedy.empty()) {
            sighting.remedy = {ShellCommand{.arguments = {"end", text}}};
        }
        sighting.stack = {text};
    }
    for (auto &module : census.dependents) {
        module.name = text;
        module.devices = {text};
    }
    for (auto &one : census.not_examined) {
        one = {text, text};
    }
    for (auto &name : census.similar) {
        name = text;
    }
    census.module = census.kernel_release = text;
    if (!census.blind.empty()) {
        census.blind = census.blind_remedy = text;
    }
    return census;
}

} // namespace lastref::test
