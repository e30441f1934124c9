// SPDX-License-Identifier: GPL-2.0-only
// The commands that watch the kernel that runs: here one that plays a recording.

#include "base/fd.h"
#include "made_up.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Where nobody listens now.
std::string free_address(const std::string &host)
{
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto *const any = reinterpret_cast<sockaddr *>(&address);
    EXPECT_EQ(::bind(socket.get(), any, size), 0);
    EXPECT_EQ(::getsockname(socket.get(), any, &size), 0);
    return host + ":" + std::to_string(ntohs(address.sin_port));
}

TEST_F(Commands, RunTellsHowItsCommandEnded)
{
    const auto good = lastref({"run", "-j", "--", "true"});
    EXPECT_EQ(good.status, 0);
    EXPECT_THAT(good.err, HasSubstr("attached (tracepoint)"));
    const auto doc = json::parse(good.out);
    EXPECT_EQ(doc["command"], "true");
    EXPECT_EQ(doc["command_status"], 0);
    const auto bad = json::parse(lastref({"run", "-j", "--", "sh", "-c", "exit 9"}).out);
    EXPECT_EQ(bad["command_status"], 9);
    const auto killed = json::parse(lastref({"run", "-j", "--", "sh", "-c", "kill $$"}).out);
    EXPECT_EQ(killed["command_status"], 128 + 15);
    EXPECT_EQ(made_up().times_confined, 0); // somebody may have to be found who holds its module
}

TEST_F(Commands, WhatACommandPrintsDoesNotSpoilJson)
{
    const auto as_json = lastref({"run", "-j", "--", "echo", "hello"});
    EXPECT_THAT(as_json.out, StartsWith("{"));
    EXPECT_THAT(as_json.err, HasSubstr("hello"));
    EXPECT_THAT(lastref({"run", "--", "echo", "hello"}).out, StartsWith("hello\n"));
}

TEST_F(Commands, ACommandThatCannotBeRun)
{
    const auto missing = lastref({"run", "--", "no-such-program-1"});
    EXPECT_EQ(missing.status, not_found);
    EXPECT_THAT(missing.err, AllOf(HasSubstr("cannot run no-such-program-1"),
                                   HasSubstr("lastref run -- rmmod MODULE")));
    EXPECT_EQ(lastref({"run", "--", in_folder(".")}).status, cannot_run);
}

TEST_F(Commands, AnUnloadThatWasNotAttemptedSaysWhy)
{
    const auto rmmod = program("rmmod", 1);
    const auto said = lastref({"run", "-j", "--", rmmod, "no_such_module_1"});
    EXPECT_EQ(said.status, refused);
    const auto unloads = json::parse(said.out)["unloads"];
    EXPECT_THAT(unloads.dump(),
                AllOf(HasSubstr("not_attempted"), HasSubstr("no such module is loaded")));
    // Of a command that succeeds nothing is assumed.
    EXPECT_EQ(lastref({"run", "--", program("modprobe", 0), "-r", "no_such_module_1"}).status, 0);
}

TEST_F(Commands, WhatIsRecordedIsReported)
{
    const auto file = in_folder("new.lastref");
    const auto said = lastref({"record", "-o", file, "-d", "0"});
    EXPECT_EQ(said.status, 0);
    EXPECT_THAT(said.err, AllOf(HasSubstr("recorded "), HasSubstr("lastref report " + file)));
    EXPECT_EQ(made_up().times_confined, 1);
    const auto report = lastref({"report", file, "-j"});
    EXPECT_EQ(report.err, "");
    EXPECT_EQ(json::parse(report.out)["attach"], "tracepoint");
    const auto again = lastref({"record", "-o", file, "-d", "0"});
    EXPECT_EQ(again.status, failed); // never overwritten
    EXPECT_EQ(lastref({"report", file, "-j"}).out, report.out);

    const auto other = in_folder("command.lastref");
    EXPECT_EQ(lastref({"record", "-o", other, "-q", "--", "true"}).status, 0);
    EXPECT_EQ(json::parse(lastref({"report", other, "-j"}).out)["command"], "true");
}

TEST_F(Commands, WhatIsNotWatchedIsSaidBeforeAllElse)
{
    made_up().not_watched = {{.what = "grace periods", .why = "no such function"}};
    made_up().passed_over = "fentry does not work here";
    made_up().switched_off =
        kernel::Check{"kprobes", kernel::Check::Level::Absent, "switched off", "switch them on"};
    const auto said = lastref({"trace", "-d", "0"});
    EXPECT_THAT(said.err, AllOf(HasSubstr("fentry does not work here"),
                                HasSubstr("not watched: grace periods (no such function)"),
                                HasSubstr("kprobes: switched off; until that ends"),
                                HasSubstr("switch them on")));
    EXPECT_THAT(said.out, HasSubstr("grace periods (no such function)"));
    const auto run = lastref({"run", "-j", "--", program("rmmod", 1), "no_such_module_1"});
    EXPECT_THAT(run.out, HasSubstr("no such module is loaded"));
}

TEST_F(Commands, TraceSaysWhatIsNotLoaded)
{
    const auto said = lastref({"trace", "-d", "0", "no_such_module_1"});
    EXPECT_EQ(said.status, refused);
    EXPECT_THAT(said.err, AllOf(HasSubstr("no_such_module_1 is not loaded: waiting for its load"),
                                HasSubstr("no_such_module_1 was not loaded at any time")));
    EXPECT_THAT(lastref({"trace", "-q", "-d", "0", "no_such_module_1"}).err,
                Not(HasSubstr("waiting")));
}

TEST_F(Commands, RefsPrintsATableWheneverAnIntervalIsOver)
{
    made_up().recording = "refused-1.lastref";
    const auto once = lastref({"refs", "--hard", "-d", "0", "-j"});
    EXPECT_EQ(json::parse(once.out)["schema"], "lastref.refs/1");
    EXPECT_EQ(once.err.find("Ctrl-C"), std::string::npos);
    const auto often = lastref({"refs", "--hard", "-d", "0.1", "-i", "0.01"});
    EXPECT_THAT(often.out, HasSubstr("tun"));
    EXPECT_GE(lastref({"refs", "--hard", "-d", "0.1", "-i", "0.01", "-j"}).out.size(),
              once.out.size());
}

TEST_F(Commands, SoftReferencesThatTheKernelDoesNotHaveCannotBeCounted)
{
    made_up().environment.btf = true;
    const auto said = lastref({"refs", "--soft", "-d", "0"});
    EXPECT_EQ(said.status, unsupported);
    EXPECT_THAT(said.err, HasSubstr("this kernel has no soft references"));
    made_up().environment.soft_field = true;
    EXPECT_EQ(lastref({"refs", "--soft", "-d", "0"}).status, 0);
}

TEST_F(Commands, WhatCannotBeAttachedEndsEachOfThem)
{
    made_up().cannot_attach = Error{.what = "lastref cannot trace here",
                                    .errnum = 0,
                                    .hint = "run it with sudo",
                                    .exit_code = ExitCode::Unsupported};
    const std::vector<std::vector<std::string>> all{
        {},
        {"run", "--", "true"},
        {"trace", "-d", "0"},
        {"refs", "--hard", "-d", "0"},
        {"record", "-d", "0", "-o", in_folder("none")},
        {"serve", "-d", "0", "--listen", free_address("127.0.0.1")}};
    for (const auto &words : all) {
        const auto said = lastref(words);
        SCOPED_TRACE(testing::PrintToString(words));
        EXPECT_EQ(said.status, unsupported);
        EXPECT_EQ(said.out, "");
        EXPECT_THAT(said.err, HasSubstr("lastref cannot trace here"));
    }
}

TEST_F(Commands, AloneItSaysWhatIsStuck)
{
    const auto said = lastref({"-j"});
    EXPECT_EQ(said.status, 0);
    EXPECT_EQ(json::parse(said.out)["schema"], "lastref.overview/1");
    EXPECT_THAT(said.err, Not(HasSubstr("attached")));
    EXPECT_NE(lastref({}).out, "");
}

TEST_F(Commands, ServeSaysWhereItServes)
{
    const auto address = free_address("127.0.0.1");
    const auto said = lastref({"serve", "-d", "0", "--listen", address, "-i", "0.1"});
    EXPECT_EQ(said.status, 0);
    EXPECT_THAT(said.err, HasSubstr("serving http://" + address + "/metrics"));
    EXPECT_EQ(made_up().times_confined, 1);
    EXPECT_THAT(lastref({"serve", "-q", "-d", "0", "--listen", free_address("0.0.0.0")}).err,
                HasSubstr("neither a password nor encryption"));
}

TEST_F(Commands, ADryRunAttachesNothing)
{
    made_up().cannot_attach = Error{.what = "it was attached", .errnum = 0, .hint = ""};
    made_up().environment.btf = true;
    const std::vector<std::vector<std::string>> all{{"trace", "--dry-run"},
                                                    {"refs", "--hard", "--dry-run"},
                                                    {"run", "--dry-run", "--", "true"},
                                                    {"record", "-o", "x", "--dry-run"},
                                                    {"serve", "--dry-run"}};
    for (const auto &words : all) {
        const auto said = lastref(words);
        SCOPED_TRACE(testing::PrintToString(words));
        EXPECT_EQ(said.status, unsupported); // nothing is known of its functions
        EXPECT_THAT(said.out, AllOf(HasSubstr("free_module"), HasSubstr("; MISSING: ")));
        EXPECT_THAT(said.err, Not(HasSubstr("it was attached")));
    }
    const auto no_soft = lastref({"trace", "--dry-run", "--attach", "tracepoint"});
    EXPECT_EQ(no_soft.status, unsupported);
    EXPECT_NE(no_soft.err, "");
}

} // namespace
} // namespace lastref::test
