// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace lastref::watch {

/// Has the disk keep what was written to a file, on a thread of its own: a disk may take seconds
/// for that, and events do not wait.
class DiskSync {
public:
    explicit DiskSync(const Fd &file);
    ~DiskSync();
    DiskSync(const DiskSync &) = delete;
    DiskSync &operator=(const DiskSync &) = delete;

    /// Something was written. Returns at once.
    void request();

    struct Outcome {
        int errnum = 0;                      ///< of the first failure; 0: there was none
        std::chrono::milliseconds slowest{}; ///< how long the disk took at most
    };
    /// Waits until the disk has all that was requested; there is nothing to request after it.
    Outcome finish();
    /// errno of the first failure so far; 0: none.
    [[nodiscard]] int errnum() const;

private:
    void run();

    Fd file_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool requested_ = false;
    bool ended_ = false;
    Outcome outcome_;
    std::thread thread_;
};

} // namespace lastref::watch
