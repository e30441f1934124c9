// SPDX-License-Identifier: GPL-2.0-only
// What is rewritten in place: on a terminal, and elsewhere.

#include "base/fd.h"
#include "base/progress.h"
#include "cli/live_status.h"
#include "cli/terminal.h"
#include "made_up.h"
#include "stream.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lastref::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A terminal of 80 columns and 6 rows, which standard output and stderr are meanwhile.
class Terminal {
public:
    Terminal()
    {
        ::grantpt(master_.get());
        ::unlockpt(master_.get());
        const Fd slave(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
        const winsize size{.ws_row = 6, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        ::ioctl(slave.get(), TIOCSWINSZ, &size);
        for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
            (fd == STDOUT_FILENO ? out_ : err_) = Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
            ::dup2(slave.get(), fd);
        }
    }
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;
    ~Terminal() { give_back(); }

    /// All that was written on it.
    std::string read()
    {
        std::cout.flush();
        give_back();
        std::string text;
        std::array<char, 4096> some{};
        for (ssize_t size = 0; (size = ::read(master_.get(), some.data(), some.size())) > 0;) {
            text.append(some.data(), static_cast<std::size_t>(size));
        }
        return text;
    }

private:
    void give_back()
    {
        if (out_.valid()) {
            ::dup2(out_.get(), STDOUT_FILENO);
            ::dup2(err_.get(), STDERR_FILENO);
            out_.reset();
            err_.reset();
        }
    }

    Fd master_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
    Fd out_, err_;
};

/// An unload as it was before the first line of tests/streams/deferred.txt with this in it, a while
/// ago.
Session unload_before(const std::string &line, const std::string &now = "12.200000000")
{
    const auto text = read_stream_file("deferred.txt");
    return play(text.substr(0, text.rfind('\n', text.find(line)) + 1) + now + " losses\n");
}

/// One that waits for soft references, 1.99 s by now.
Session waiting()
{
    return unload_before("outstanding=2");
}

TEST_F(Commands, WhatAnUnloadWaitsForIsALineOfItsOwnInAPipe)
{
    testing::internal::CaptureStderr();
    cli::LiveStatus status(false);
    status.update(waiting());
    status.update(waiting()); // not again before twice the time
    status.clear();
    const auto said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, StartsWith("lastref: foo: waits for "));
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
    EXPECT_THAT(said, Not(HasSubstr("\x1b")));

    testing::internal::CaptureStderr();
    cli::LiveStatus(true).update(waiting());
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Commands, WhatAnUnloadWaitsForIsRewrittenOnATerminal)
{
    Terminal terminal;
    cli::LiveStatus status(false);
    status.update(waiting());
    status.update(waiting());
    status.clear();
    const auto said = terminal.read();
    EXPECT_THAT(said, StartsWith("\r\x1b[Klastref: foo: waits for "));
    EXPECT_THAT(said, Not(HasSubstr("\n")));
    EXPECT_THAT(said, testing::EndsWith("\r\x1b[K"));
}

TEST_F(Commands, EachPhaseOfAnUnloadIsTold)
{
    const std::vector<std::pair<const char *, const char *>> all{
        {"exit_start", "foo: waits for the kernel's module mutex ("},
        {"exit_done", "foo: its exit routine is running ("},
        {"outstanding=2", "foo: waits for 3 soft references ("},
        {"grace_start", "foo: its free is queued ("},
        {"freeing", "foo: the kernel waits for a grace period ("},
        {"freed", "foo: is being freed ("}};
    for (const auto &[before, words] : all) {
        testing::internal::CaptureStderr();
        cli::LiveStatus status(false);
        status.update(unload_before(before, "15.000000000"));
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(words));
    }
    testing::internal::CaptureStderr();
    cli::LiveStatus(false).update(unload_before("freed", "13.500000000")); // not long yet
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Commands, ATableTakesThePlaceOfTheOneBefore)
{
    ::setenv("TERM", "xterm", 1);
    Terminal terminal;
    cli::LiveText live;
    EXPECT_TRUE(live.in_place());
    EXPECT_EQ(cli::window_of(STDOUT_FILENO).columns, 80U);
    live.show("one\ntwo\n", {});
    live.show("1\n2\n3\n4\n5\n6\n7\n8\n", {}); // more than there are rows
    live.clear();
    const auto said = terminal.read();
    EXPECT_THAT(said, StartsWith("one\r\ntwo\r\n\x1b[2F\x1b[J1\r\n"));
    EXPECT_THAT(said, Not(HasSubstr("8")));
    EXPECT_THAT(said, testing::EndsWith("F\x1b[J"));
}

TEST_F(Commands, TablesFollowEachOtherInAPipe)
{
    testing::internal::CaptureStdout();
    cli::LiveText live;
    EXPECT_FALSE(live.in_place());
    live.show("one\n", {});
    live.show("two\n", {});
    live.clear();
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\ntwo\n");
}

TEST_F(Commands, TheKernelsOwnConsoleHasFewCharacters)
{
    ::setenv("TERM", "linux", 1);
    EXPECT_EQ(cli::charset(), Charset::Unicode); // no terminal
    {
        const Terminal terminal;
        EXPECT_EQ(cli::charset(), Charset::Ascii);
    }
    ::setenv("LC_ALL", "C", 1);
    EXPECT_EQ(cli::charset(), Charset::Ascii);
    EXPECT_EQ(cli::environment("NO_SUCH_VARIABLE_1"), "");
}

TEST_F(Commands, WhatTakesLongIsToldOnATerminal)
{
    Terminal terminal;
    {
        const Progress progress("looking", false);
        ::usleep(1'100'000);
    }
    { // it did not take long
        const Progress progress("quick", false);
    }
    {
        const Progress progress("silent", true);
    }
    EXPECT_EQ(terminal.read(), "\r\x1b[Klastref: looking (1 s)\r\x1b[K");
}

} // namespace
} // namespace lastref::test
