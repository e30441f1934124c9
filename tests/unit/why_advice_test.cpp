// SPDX-License-Identifier: GPL-2.0-only
// What `lastref why` tells people to do: nothing that harms, and nothing that is not known.

#include "why_cases.h"

#include "census/watchdogs.h"
#include "render/holder_words.h"
#include "render/why_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::string text_in_columns(const Census &census, unsigned width)
{
    RenderOptions options;
    options.width = width;
    return why_text_of(census, options);
}

Process contained(std::uint32_t pid, const std::string &container, const Stop &stop)
{
    auto out = process(pid, "sshd");
    out.unit = "whatever.scope";
    out.container = container;
    out.stop = stop;
    return out;
}

const Stop stop_01{{"podman", "stop"}, "01"};

constexpr census::FileWords watchdog_words{{
    .detail = "fd {fd} on {path}",
    .clause = "{who} has {path} open",
    .remedy = end_process,
}};

Sighting open_watchdog(const Process &process)
{
    auto out =
        of_words(HolderKind::OpenFile,
                 process.pid == 1 ? watchdog_words.watchdog_of_init : watchdog_words.watchdog,
                 "/dev/watchdog0", process);
    out.object = 1;
    out.fd = 3;
    return out;
}

TEST(WhyAdvice, NamesTheContainer)
{
    auto census = loaded(2);
    census.sightings = {open_file(1, contained(10, "LXC container web", {}), 3, "/dev/foo"),
                        open_file(2, contained(11, "podman container 01", stop_01), 3, "/dev/foo")};
    const auto doc = explain(census);
    EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: sshd[10] (LXC container web) has /dev/foo "
                               "open, and sshd[11] (podman container 01) has /dev/foo open.");
    EXPECT_THAT(next_of(doc), ElementsAre("podman stop 01", "kill 10"));
    EXPECT_THAT(
        cautions_of(doc),
        ElementsAre("sshd[10] is in LXC container web: whoever started it there may start it "
                    "again.",
                    "sshd[11] is in podman container 01, of which all is stopped."));
    EXPECT_THAT(text_in_columns(census, 80),
                HasSubstr("\n  Note: sshd[10] is in LXC container web"));
}

TEST(WhyAdvice, NumbersOfAnotherPidNamespaceAreNoAdvice)
{
    auto census = loaded(2);
    census.foreign_pids = true;
    census.sightings = {open_file(1, process(10, "sshd"), 3, "/dev/foo"),
                        open_file(2, contained(11, "podman container 01", stop_01), 3, "/dev/foo")};
    const auto doc = explain(census);
    EXPECT_THAT(next_of(doc), IsEmpty());
    EXPECT_THAT(cautions_of(doc), ElementsAre(HasSubstr("end them on the host")));
}

TEST(WhyAdvice, SaysWhoseServiceManagerHasAUnit)
{
    auto users = process(7, "vpn", "vpn.service");
    users.unit_of_user = 1000;
    EXPECT_EQ(who(users), "vpn[7] (vpn.service of user 1000)");
}

TEST(WhyAdvice, KnowsWatchdogs)
{
    EXPECT_TRUE(census::is_name_of_watchdog("watchdog"));
    EXPECT_TRUE(census::is_name_of_watchdog("watchdog12"));
    EXPECT_FALSE(census::is_name_of_watchdog("watchdog.conf"));
    EXPECT_FALSE(census::is_name_of_watchdog("tun"));
    EXPECT_FALSE(census::is_name_of_watchdog(""));
}

TEST(WhyAdvice, NeverEndsWhoFeedsAWatchdog)
{
    for (const auto *unit : {"", "sbd.service"}) {
        const auto feeder = process(71, "sbd", unit);
        auto census = loaded(3);
        census.sightings = {open_watchdog(feeder), open_file(2, feeder, 4, "/dev/foo")};
        const auto shared = open_watchdog(process(72, "child", unit)); // as forks share it
        census.sightings.push_back(shared);
        const auto doc = explain(census);
        for (const auto &step : next_of(doc)) {
            EXPECT_THAT(step, Not(HasSubstr("kill")));
            EXPECT_THAT(step, Not(HasSubstr("stop")));
        }
        ASSERT_EQ(doc.cautions.size(), 1U);
        EXPECT_THAT(cautions_of(doc).front(),
                    HasSubstr("Do not kill sbd[71]: it feeds a watchdog"));
        EXPECT_THAT(cautions_of(doc).front(), Not(HasSubstr("RuntimeWatchdogSec")));
    }
    const auto systemd = open_watchdog(process(1, "systemd", "init.scope"));
    EXPECT_THAT(caution_of(systemd), HasSubstr("RuntimeWatchdogSec"));
}

TEST(WhyAdvice, OthersAreEndedBesideAWatchdog)
{
    auto census = loaded(2);
    census.sightings = {open_watchdog(process(71, "sbd")),
                        open_file(2, process(80, "x"), 4, "/dev/foo")};
    EXPECT_THAT(next_of(explain(census)), ElementsAre("kill 80"));
}

constexpr Words directory_words{.detail = "a directory", .clause = "it exists"};

TEST(WhyAdvice, CommandsAreNeverFolded)
{
    ShellCommand links{.arguments = {"rm"}};
    ShellCommand directories{.arguments = {"rmdir"}};
    for (int i = 0; i < 12; i++) {
        links.arguments.push_back(fmt::format("/sys/kernel/config/foo/link_{}", i));
        directories.arguments.push_back(fmt::format("/sys/kernel/config/foo/directory_{}", i));
    }
    auto census = loaded(1);
    census.sightings = {of_words("configfs", directory_words, "/sys/kernel/config")};
    census.sightings[0].remedy = {links, directories};
    const auto command = fmt::format("{} && {}", fmt::join(links.arguments, " "),
                                     fmt::join(directories.arguments, " "));
    for (const unsigned width : {20U, 80U, 132U}) {
        EXPECT_THAT(text_in_columns(census, width), HasSubstr("\n  Next: " + command + "\n"));
    }
    for (const auto &one : all_cases()) {
        const auto text = text_in_columns(one, 20);
        for (const auto &step : next_of(explain(one))) {
            EXPECT_THAT(text, HasSubstr(" " + step + "\n"));
        }
    }
}

constexpr Words loop_device{
    .detail = "a loop device",
    .clause = "{path} is bound",
    .remedy = "losetup -d {path}",
};

constexpr Words mapped_device{
    .detail = "device mapper: is built on its disk",
    .clause = "{path} is built on it",
    .remedy = "dmsetup remove {path}",
};
constexpr Words md_array{
    .detail = "an array",
    .clause = "{path} is an array",
    .remedy = "mdadm --stop {path}",
};
constexpr Words mounted_device{
    .detail = "a file system",
    .clause = "{path} is mounted",
    .remedy = "umount {path}",
};

/// What sits on another goes first, though it holds less.
TEST(WhyAdvice, StepsStandInTheOrderInWhichTheyWork)
{
    auto census = loaded(7);
    census.sightings = {of_words("loop", loop_device, "/dev/loop5"),
                        of_words("loop", loop_device, "/dev/loop6"),
                        of_words("loop", loop_device, "/dev/loop6"),
                        of_words("md", md_array, "/dev/md0"),
                        of_words("device_mapper", mapped_device, "held"),
                        of_words(HolderKind::Mount, mounted_device, "/mnt")};
    census.sightings[0].refs = 2;
    constexpr std::uint64_t loop5 = 5, loop6 = 6, held = 7, md0 = 8;
    auto &seen = census.sightings;
    seen[0].device = loop5;
    seen[1].device = seen[2].device = loop6;
    seen[1].sits_on = seen[2].sits_on = {loop5};
    seen[3].device = md0;
    seen[3].sits_on = {loop6, loop5};
    seen[4].device = held;
    seen[4].sits_on = {md0};
    seen[5].sits_on = {held};
    EXPECT_THAT(next_of(explain(census)),
                ElementsAre("umount /mnt", "dmsetup remove held", "mdadm --stop /dev/md0",
                            "losetup -d /dev/loop6", "losetup -d /dev/loop5"));
}

/// A loop device above one of device mapper: the kinds have no order of their own.
TEST(WhyAdvice, ALoopDeviceGoesBeforeTheMappedDeviceThatItSitsOn)
{
    constexpr std::uint64_t loop5 = 5, held = 7, other = 8;
    auto census = loaded(3);
    census.sightings = {of_words("device_mapper", mapped_device, "held"),
                        of_words("device_mapper", mapped_device, "other"),
                        of_words("loop", loop_device, "/dev/loop5")};
    auto &seen = census.sightings;
    seen[0].device = held;
    seen[1].device = other;
    seen[1].sits_on = {loop5};
    seen[2].device = loop5;
    seen[2].sits_on = {held, 99};
    EXPECT_THAT(
        next_of(explain(census)),
        ElementsAre("dmsetup remove other", "losetup -d /dev/loop5", "dmsetup remove held"));
}

/// What changes while it is looked at may seem to sit on itself.
TEST(WhyAdvice, DevicesInACircleAreAllNamed)
{
    auto census = loaded(2);
    census.sightings = {of_words("loop", loop_device, "/dev/loop5"),
                        of_words("loop", loop_device, "/dev/loop6")};
    auto &seen = census.sightings;
    seen[0].device = 5;
    seen[0].sits_on = {6};
    seen[1].device = 6;
    seen[1].sits_on = {5, 6};
    EXPECT_THAT(next_of(explain(census)),
                UnorderedElementsAre("losetup -d /dev/loop5", "losetup -d /dev/loop6"));
}

/// rmmod, seen twice; its exit routine is there.
Census unloading(RoutineStatus status, std::vector<std::string> stack)
{
    auto out = loaded(-1);
    out.state = ModuleState::Going;
    out.routine = Routine{.status = status,
                          .task = RoutineSample{.process = process(71, "rmmod"),
                                                .inside = "foo_exit+0x10 [foo]",
                                                .stack = std::move(stack)},
                          .sample_ns = 1};
    return out;
}

/// An overlay above another one is unmounted for the lower one; that it is a holder itself does not
/// make it go twice. Nor is a process ended twice.
TEST(WhyAdvice, NoStepStandsTwice)
{
    const auto holder = [](const std::string &path, Remedy remedy) {
        Sighting out{.kind = HolderKind::Mount, .refs = 1, .path = path};
        out.remedy = std::move(remedy);
        return out;
    };
    const Step kill = Kill{{812}};
    const Step upper = ShellCommand{.arguments = {"umount", "/upper"}};
    const Step lower = ShellCommand{.arguments = {"umount", "/lower"}};
    const auto doc =
        explained(4, {holder("/lower", {kill, upper, lower}), holder("/upper", {upper}),
                      open_file(0x10, process(812, "vpnd"), 5, "/dev/foo"),
                      open_file(0x20, process(813, "other"), 5, "/dev/foo")});
    EXPECT_THAT(next_of(doc),
                ElementsAre("kill 812 && umount /upper && umount /lower", "kill 813"));
}

TEST(WhyAdvice, SaysWhatShowsThatAnExitRoutineNeverEnds)
{
    const auto doc =
        explain(unloading(RoutineStatus::Working, {"msleep+0x2b", "foo_exit+0x10 [foo]"}));
    EXPECT_EQ(verdict_of(doc), "foo is being unloaded by rmmod[71]: its exit routine still runs in "
                               "msleep+0x2b, called by foo_exit+0x10 [foo].");
    EXPECT_THAT(next_of(doc), ElementsAre("Wait, and ask again."));
    EXPECT_THAT(cautions_of(doc), ElementsAre(HasSubstr("the same after a minute")));
    const auto stuck =
        explain(unloading(RoutineStatus::Stuck, {"msleep+0x2b", "foo_exit+0x10 [foo]"}));
    EXPECT_THAT(cautions_of(stuck), IsEmpty()); // nobody is told to wait
}

TEST(WhyAdvice, KnowsTheWaitForANetworkDevice)
{
    const std::string exit = "foo_exit+0x10 [foo]";
    const auto log = HasSubstr("unregister_netdevice: waiting for … to become free");
    // Between two looks it may have slept, or not.
    for (const auto status : {RoutineStatus::Working, RoutineStatus::Stuck}) {
        for (const std::vector<std::string> &stack : {
                 std::vector<std::string>{"msleep+0x2b", "netdev_run_todo+0x3f0", exit},
                 {"schedule_timeout+0x8", "msleep+0x2b", "netdev_run_todo+0x3f0", exit},
                 {"msleep+0x2b", "netdev_wait_allrefs_any.constprop.0+0x11",
                  "netdev_run_todo+0x3f0", exit},
                 {"rtnl_lock+0x1", "netdev_wait_allrefs+0x11", "netdev_run_todo+0x3f0", exit},
             }) {
            EXPECT_THAT(cautions_of(explain(unloading(status, stack))), ElementsAre(log));
        }
        for (const std::vector<std::string> &stack : {
                 std::vector<std::string>{"rcu_barrier+0x2b", "netdev_run_todo+0x3f0", exit},
                 {"msleep+0x2b", "netdev_run_todo_later+0x3f0", exit},
                 {"msleep+0x2b", exit, "netdev_run_todo+0x3f0"},
                 {},
             }) {
            EXPECT_THAT(cautions_of(explain(unloading(status, stack))),
                        Not(testing::Contains(log)));
        }
    }
    EXPECT_THAT(cautions_of(explain(
                    unloading(RoutineStatus::Crashed, {"msleep+0x1", "netdev_run_todo+0x1"}))),
                IsEmpty());
}

constexpr Words thread_of_module{
    .detail = "a kernel thread of the module's",
    .clause = "its kernel thread {who}",
};

Sighting task(HolderKind kind)
{
    auto out = of_words(kind, thread_of_module, "", process(70, "cifsd"));
    out.counter = HolderCounter::None;
    out.holds = Holds::No;
    out.refs = 0;
    return out;
}

TEST(WhyAdvice, ATaskOfTheModuleMayHoldWhatIsNotExplained)
{
    for (const auto kind : {HolderKind::KernelThread, HolderKind::TaskStack}) {
        auto census = loaded(1);
        census.sightings = {task(kind)};
        const auto doc = explain(census);
        EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: who holds its only reference is not "
                                   "known; perhaps its kernel thread cifsd[70].");
        EXPECT_EQ(doc.holders[0].seen.holds, Holds::Unknown);
        EXPECT_EQ(doc.hard.explained, 0);
        EXPECT_THAT(text_in_columns(census, 80),
                    HasSubstr("Perhaps; the kernel does not tell whether these hold it:"));

        census.sightings.push_back(open_file(1, process(10, "a"), 3, "/dev/foo"));
        const auto all_known = explain(census);
        EXPECT_EQ(all_known.holders[1].seen.holds, Holds::No);
        EXPECT_EQ(verdict_of(all_known), "foo cannot be unloaded: a[10] has /dev/foo open.");
    }
}

constexpr Words device_of_driver{
    .detail = "fd {fd}",
    .clause = "{who}, which has {path} open",
};

/// Nobody is suspected where all is explained, and nobody is sent to end who is only suspected.
TEST(WhyAdvice, WhoMayHoldItIsToldOfWhereSomethingIsNotExplained)
{
    auto census = loaded(1);
    auto seen =
        of_words("driven_device", device_of_driver, "/dev/snd/controlC0", process(80, "pipewire"));
    seen.counter = HolderCounter::None;
    seen.holds = Holds::Unknown;
    seen.refs = 0;
    census.sightings = {seen};
    const auto doc = explain(census);
    EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: who holds its only reference is not "
                               "known; perhaps pipewire[80], which has /dev/snd/controlC0 open.");
    EXPECT_EQ(doc.hard.explained, 0);
    EXPECT_THAT(next_of(doc), testing::Not(testing::Contains("kill 80")));

    census.sightings.push_back(open_file(1, process(10, "a"), 3, "/dev/foo"));
    EXPECT_EQ(explain(census).holders.size(), 1U);
}

TEST(WhyAdvice, SaysWhatGoesWithAModule)
{
    auto census = loaded(1);
    add_dependent(census, "bar");
    census.dependents[0].devices = {"eth0", "eth1"};
    const auto doc = explain(census);
    EXPECT_THAT(next_of(doc), ElementsAre("rmmod bar"));
    EXPECT_THAT(cautions_of(doc), ElementsAre("With bar go its network devices eth0, eth1."));
    census.dependents[0].refs = 1; // it is asked about first
    EXPECT_THAT(next_of(explain(census)), ElementsAre("lastref why bar"));
    EXPECT_THAT(cautions_of(explain(census)), IsEmpty());
}

/// "lastref why" of a module of which nothing is known ends nowhere.
TEST(WhyAdvice, NobodyIsSentWhereNothingIsKnown)
{
    auto census = loaded(1);
    add_dependent(census, "smq", 1, 0);
    EXPECT_THAT(next_of(explain(census)), ElementsAre("lastref why smq"));
    census.dependents[0].can_be_asked = false;
    EXPECT_THAT(next_of(explain(census)),
                ElementsAre("To catch who holds smq: lastref refs --hard smq"));
    census.dependents[0].refs = 0;
    EXPECT_THAT(next_of(explain(census)), ElementsAre("rmmod smq"));
}

TEST(WhyAdvice, NobodyWasFoundOnlyWhereLastrefLooked)
{
    auto census = loaded(2);
    EXPECT_THAT(text_in_columns(census, 80), HasSubstr("  lastref found nobody who holds these\n"));
    census.not_examined = {{"sockets", "it did not end within 3 s"}};
    EXPECT_THAT(text_in_columns(census, 80),
                HasSubstr("  lastref found nobody who holds these where it could look\n"));
    census.blind = "not root";
    const auto text = text_in_columns(census, 80);
    EXPECT_THAT(text, HasSubstr("  not known     2  lastref could not look: not root\n"));
    EXPECT_THAT(text, Not(HasSubstr("found nobody")));
}

} // namespace
} // namespace lastref::test
