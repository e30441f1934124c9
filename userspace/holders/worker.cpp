// SPDX-License-Identifier: GPL-2.0-only
#include "holders/worker.h"

#include "base/fd.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr int deadline_ms = 3000; // for one task; they take some ms on an ordinary machine

struct Report {
    std::size_t task;
    int error;
};

/// The child: says of each task how it has ended.
[[noreturn]] void work(int out, std::size_t first, std::size_t count,
                       const std::function<int(std::size_t)> &task)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (auto i = first; i < count; i++) {
        const Report report{i, task(i)};
        if (::write(out, &report, sizeof(report)) != sizeof(report)) {
            break;
        }
    }
    ::_exit(0);
}

/// Takes in reports from task `next` on; returns the first one that none came of.
std::size_t collect(int in, std::size_t next, std::size_t count, std::vector<Problem> &problems)
{
    while (next < count) {
        pollfd ready{in, POLLIN, 0};
        const int polled = ::poll(&ready, 1, deadline_ms);
        if (polled < 0 && errno == EINTR) {
            continue;
        }
        Report report{};
        if (polled <= 0) {
            problems.push_back(
                {next, fmt::format("it did not end within {} s", deadline_ms / 1000)});
            return next;
        }
        if (::read(in, &report, sizeof(report)) != sizeof(report)) {
            problems.push_back({next, "the process that examined it has died"});
            return next;
        }
        if (report.error != 0) {
            problems.push_back({report.task, std::strerror(report.error)});
        }
        next = report.task + 1;
    }
    return next;
}

} // namespace

std::vector<Problem> run_in_worker(std::size_t count, const std::function<int(std::size_t)> &task)
{
    std::vector<Problem> problems;
    std::size_t next = 0;
    while (next < count) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            problems.push_back({next++, std::strerror(errno)});
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
            problems.push_back({next++, std::strerror(errno)});
            continue;
        }
        const auto stopped_at = collect(in.get(), next, count, problems);
        const bool hangs = stopped_at < count;
        if (hangs) {
            ::kill(child, SIGKILL); // it may not die of it, so nobody waits
        }
        ::waitpid(child, nullptr, hangs ? WNOHANG : 0);
        next = stopped_at + 1;
    }
    return problems;
}

} // namespace lastref::holders
