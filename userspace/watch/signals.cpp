// SPDX-License-Identifier: GPL-2.0-only
#include "watch/signals.h"

#include <cerrno>
#include <csignal>
#include <sys/signalfd.h>

namespace lastref::watch {

Result<StopSignals> StopSignals::block()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&set, number);
    }
    Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.valid() || sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
        return fail({.what = "cannot watch for signals", .errnum = errno, .hint = ""});
    }
    return StopSignals(std::move(fd));
}

} // namespace lastref::watch
