// SPDX-License-Identifier: GPL-2.0-only
// What a process cannot do any more once it has confined itself, and what it still can.

#include "base/confinement.h"

#include "base/capabilities.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastref {
namespace {

constexpr int no_errno = 254;

/// The errno of an attempt in a process of its own; 0 if it succeeded.
int in_child(bool confined, const std::function<bool()> &attempt)
{
    const pid_t child = ::fork();
    if (child == 0) {
        if (confined && !confine()) {
            ::_exit(255);
        }
        errno = 0;
        const bool succeeded = attempt();
        ::_exit(succeeded ? 0 : (errno != 0 ? errno : no_errno));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << status;
    return WEXITSTATUS(status);
}

int confined(const std::function<bool()> &attempt)
{
    return in_child(true, attempt);
}

int free_to(const std::function<bool()> &attempt)
{
    return in_child(false, attempt);
}

TEST(Confinement, WritesNoFile)
{
    const auto write = [] { return ::open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0; };
    EXPECT_EQ(free_to(write), 0);
    EXPECT_EQ(confined(write), EPERM);
    const auto create = [] { return ::open("/tmp", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) >= 0; };
    EXPECT_EQ(free_to(create), EISDIR);
    EXPECT_EQ(confined(create), EPERM);
}

TEST(Confinement, StartsNoProgram)
{
    const auto fork = [] { return ::fork() >= 0; };
    EXPECT_EQ(free_to(fork), 0);
    EXPECT_EQ(confined(fork), EPERM);
    const auto exec = [] { return ::execl("/no/such/program", "", nullptr) == 0; };
    EXPECT_EQ(free_to(exec), ENOENT);
    EXPECT_EQ(confined(exec), EPERM);
}

TEST(Confinement, OpensNoSocket)
{
    const auto open = [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; };
    EXPECT_EQ(free_to(open), 0);
    EXPECT_EQ(confined(open), EPERM);
}

TEST(Confinement, LoadsNoProgramButAsksThoseThatAreLoaded)
{
    const auto call = [](int command) {
        return [command] { return ::syscall(SYS_bpf, command, nullptr, 0) == 0; };
    };
    EXPECT_EQ(confined(call(BPF_PROG_LOAD)), EPERM);
    EXPECT_EQ(confined(call(BPF_LINK_CREATE)), EPERM);
    EXPECT_NE(confined(call(BPF_OBJ_GET_INFO_BY_FD)), EPERM);
}

TEST(Confinement, ReachesNoOtherProcess)
{
    const pid_t other = ::getppid();
    const auto signal = [](pid_t process, pid_t thread) {
        return [=] {
            return ::syscall(SYS_tgkill, process, thread == 0 ? ::gettid() : thread, 0) == 0;
        };
    };
    EXPECT_EQ(free_to(signal(other, other)), 0);
    EXPECT_EQ(confined(signal(other, other)), EPERM);
    EXPECT_EQ(confined([&] { return signal(::getpid(), 0)(); }), 0);
    const auto limit = [](pid_t process) {
        return [=] {
            rlimit limits{};
            return ::prlimit(process, RLIMIT_CORE, nullptr, &limits) == 0;
        };
    };
    EXPECT_EQ(free_to(limit(other)), 0);
    EXPECT_EQ(confined(limit(other)), EPERM);
    EXPECT_EQ(confined(limit(0)), 0);
}

/// Whom a file sends signals to is anybody that its opener may signal.
TEST(Confinement, HasNoFileSendSignals)
{
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const auto own = [&] { return ::fcntl(ends[0], F_SETOWN, ::getppid()) == 0; };
    EXPECT_EQ(free_to(own), 0);
    EXPECT_EQ(confined(own), EPERM);
    EXPECT_EQ(confined([&] { return ::fcntl(ends[0], F_SETSIG, SIGKILL) == 0; }), EPERM);
    EXPECT_EQ(confined([&] { return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0; }), 0);
    EXPECT_EQ(confined([&] { return ::fcntl(ends[0], F_DUPFD_CLOEXEC, 0) >= 0; }), 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(Confinement, AbortsStill)
{
    const pid_t child = ::fork();
    if (child == 0) {
        const bool done = confine().has_value();
        done ? std::abort() : ::_exit(255);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

/// Root without capabilities would still be the owner of it.
TEST(Confinement, ReadsNoFileOfRoots)
{
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    std::string name = "/tmp/lastref-test-XXXXXX";
    const int file = ::mkstemp(name.data()); // mode 0600
    ASSERT_GE(file, 0);
    const auto read = [&] { return ::open(name.c_str(), O_RDONLY | O_CLOEXEC) >= 0; };
    EXPECT_EQ(free_to(read), 0);
    EXPECT_EQ(confined(read), EACCES);
    ::close(file);
    ::unlink(name.c_str());
}

TEST(Confinement, HasNoCapabilities)
{
    const auto has_some = [] { return effective_capabilities() != 0; };
    EXPECT_EQ(free_to(has_some), ::geteuid() == 0 ? 0 : no_errno);
    EXPECT_EQ(free_to([&] { return give_up_capabilities() && !has_some(); }), 0);
}

TEST(Confinement, ReadsFilesAndWritesToWhatIsOpen)
{
    EXPECT_EQ(confined([] { return ::open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0; }), 0);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    EXPECT_EQ(confined([&] { return ::write(ends[1], "x", 1) == 1; }), 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

} // namespace
} // namespace lastref
