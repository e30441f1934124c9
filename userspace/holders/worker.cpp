// SPDX-License-Identifier: GPL-2.0-only
#include "holders/worker.h"

#include "base/fd.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr int deadline_ms = 3000; // for one task; they take some ms on an ordinary machine

/// The child: says which task it has done.
[[noreturn]] void work(int out, std::size_t first, std::size_t count,
                       const std::function<void(std::size_t)> &task)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (auto i = first; i < count; i++) {
        task(i);
        if (::write(out, &i, sizeof(i)) != sizeof(i)) {
            break;
        }
    }
    ::_exit(0);
}

/// Hears what was done from task `next` on; returns the first one that was not, in time.
std::size_t collect(int in, std::size_t next, std::size_t count)
{
    while (next < count) {
        pollfd ready{in, POLLIN, 0};
        const int polled = ::poll(&ready, 1, deadline_ms);
        if (polled < 0 && errno == EINTR) {
            continue;
        }
        std::size_t done = 0;
        if (polled <= 0 || ::read(in, &done, sizeof(done)) != sizeof(done)) {
            return next;
        }
        next = done + 1;
    }
    return next;
}

} // namespace

void run_in_worker(std::size_t count, const std::function<void(std::size_t)> &task)
{
    std::size_t next = 0;
    while (next < count) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            next++;
            continue;
        }
        const Fd in(ends[0]);
        Fd out(ends[1]);
        const auto child = ::fork();
        if (child == 0) {
            work(out.get(), next, count, task);
        }
        out.reset();
        if (child < 0) {
            next++;
            continue;
        }
        const auto stopped_at = collect(in.get(), next, count);
        const bool hangs = stopped_at < count;
        if (hangs) {
            ::kill(child, SIGKILL); // it may not die of it, so nobody waits
        }
        ::waitpid(child, nullptr, hangs ? WNOHANG : 0);
        next = stopped_at + 1;
    }
}

} // namespace lastref::holders
