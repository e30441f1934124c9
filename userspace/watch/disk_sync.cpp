// SPDX-License-Identifier: GPL-2.0-only
#include "watch/disk_sync.h"

#include "base/capabilities.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace lastref::watch {

// The signals that end an observation are blocked before it begins, here as well.
DiskSync::DiskSync(const Fd &file)
    : file_(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)), thread_([this] { run(); })
{
}

DiskSync::~DiskSync()
{
    finish();
}

void DiskSync::request()
{
    {
        const std::lock_guard lock(mutex_);
        requested_ = true;
    }
    changed_.notify_one();
}

DiskSync::Outcome DiskSync::finish()
{
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
    return outcome_;
}

int DiskSync::errnum() const
{
    const std::lock_guard lock(mutex_);
    return outcome_.errnum;
}

void DiskSync::run()
{
    begin_without_capabilities();
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return requested_ || ended_; });
        if (!requested_) {
            return;
        }
        requested_ = false;
        lock.unlock();
        const auto began = std::chrono::steady_clock::now();
        // EINVAL: a pipe or a device, which keeps nothing.
        const int error = ::fdatasync(file_.get()) != 0 && errno != EINVAL ? errno : 0;
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - began);
        lock.lock();
        outcome_.slowest = std::max(outcome_.slowest, took);
        outcome_.errnum = outcome_.errnum != 0 ? outcome_.errnum : error;
    }
}

} // namespace lastref::watch
