// SPDX-License-Identifier: GPL-2.0-only
// What a process cannot do any more once it has confined itself, and what it still can.

#include "base/confinement.h"

#include "base/capabilities.h"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/bpf.h>
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
