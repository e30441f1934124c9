// SPDX-License-Identifier: GPL-2.0-only
#include "base/progress.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <pthread.h>
#include <string_view>
#include <unistd.h>

namespace lastref {
namespace {

constexpr const char *take_line_away = "\r\x1b[K";

void write_all(std::string_view text)
{
    // What cannot be written of a message about progress is not worth a word.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

} // namespace

Progress::Progress(const std::string &what, bool quiet) : what_(what)
{
    if (quiet || ::isatty(STDERR_FILENO) != 1) {
        return;
    }
    // Signals are for the thread that waits for them.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Progress::~Progress()
{
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
}

void Progress::run()
{
    constexpr std::chrono::seconds step(1);
    std::unique_lock lock(mutex_);
    unsigned seconds = 0;
    while (!changed_.wait_for(lock, step, [this] { return ended_; })) {
        std::array<char, 200> line{};
        ++seconds;
        const int length = std::snprintf(line.data(), line.size(), "%slastref: %s (%u s)",
                                         take_line_away, what_.c_str(), seconds);
        write_all({line.data(), std::min(static_cast<std::size_t>(length), line.size() - 1)});
    }
    if (seconds != 0) {
        write_all(take_line_away);
    }
}

} // namespace lastref
