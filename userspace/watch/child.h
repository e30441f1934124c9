// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace lastref::watch {

/// A command that lastref started for its user. lastref waits for it but never signals it, and
/// leaves it alone when it gives up waiting: it may be the rmmod that hangs.
class Child {
public:
    /// Starts `argv`, looked up in PATH, with lastref's standard input, of which lastref keeps no
    /// copy: the file may be what holds the module. `before_exec` gets the pid while the command
    /// has not begun. With `stdout_to_stderr` the command's output goes to lastref's stderr.
    /// Errors: ExitCode::NotFound or CannotRun when the command cannot be executed.
    static Result<Child> spawn(const std::vector<std::string> &argv, bool stdout_to_stderr,
                               const std::function<void(pid_t)> &before_exec);

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Becomes readable when the command has ended.
    [[nodiscard]] int fd() const { return pidfd_.get(); }

    /// The command's exit status once it has ended: its own, or 128 + N after signal N.
    std::optional<int> status();

private:
    Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

    pid_t pid_;
    Fd pidfd_;
    std::optional<int> status_;
};

} // namespace lastref::watch
