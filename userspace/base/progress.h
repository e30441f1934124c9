// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace lastref {

/// Says on stderr what is being done, if that takes longer than a second and stderr is a terminal:
/// a line with the seconds, rewritten each second, and taken away at the end of this object's life.
/// The thread that does it only waits and writes, so that what is being done may fork.
class Progress {
public:
    Progress(const std::string &what, bool quiet);
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

private:
    void run();

    std::string what_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    std::thread thread_;
};

} // namespace lastref
