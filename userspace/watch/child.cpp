// SPDX-License-Identifier: GPL-2.0-only
#include "watch/child.h"

#include "base/text.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace lastref::watch {
namespace {

struct Pipe {
    Fd read;
    Fd write;
};

Result<Pipe> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail({.what = "cannot make a pipe to the command", .errnum = errno, .hint = ""});
    }
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// In the new process: waits for the word to go, then becomes the command. Reports a failed exec
/// through `failed` as an errno.
[[noreturn]] void become(const std::vector<std::string> &argv, bool stdout_to_stderr, int go,
                         int failed)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (stdout_to_stderr) {
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    char byte = 0;
    if (::read(go, &byte, 1) != 1) {
        ::_exit(static_cast<int>(ExitCode::CannotRun));
    }
    std::vector<char *> args;
    args.reserve(argv.size() + 1);
    for (const auto &arg : argv) {
        args.push_back(const_cast<char *>(arg.c_str()));
    }
    args.push_back(nullptr);
    ::execvp(args[0], args.data());
    const int error = errno;
    const auto written = ::write(failed, &error, sizeof(error));
    ::_exit(written == sizeof(error) ? 127 : static_cast<int>(ExitCode::CannotRun));
}

/// Lets go of standard input, which is the command's from now on.
Result<void> give_up_stdin()
{
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.valid() || ::dup2(null.get(), STDIN_FILENO) < 0) {
        return fail({.what = "cannot give up standard input", .errnum = errno, .hint = ""});
    }
    return {};
}

Error cannot_execute(const std::string &command, int error)
{
    const bool missing = error == ENOENT;
    return {.what = fmt::format("cannot run {}", escape_text(command)),
            .errnum = error,
            .hint = missing ? "Give the command as in: lastref run -- rmmod MODULE" : "",
            .exit_code = missing ? ExitCode::NotFound : ExitCode::CannotRun};
}

} // namespace

Result<Child> Child::spawn(const std::vector<std::string> &argv, bool stdout_to_stderr,
                           const std::function<void(pid_t)> &before_exec)
{
    auto go = make_pipe();
    auto failed = make_pipe();
    if (!go || !failed) {
        return fail(!go ? go.error() : failed.error());
    }
    const pid_t pid = ::fork();
    if (pid < 0) {
        return fail(
            {.what = "cannot start a process for the command", .errnum = errno, .hint = ""});
    }
    if (pid == 0) {
        go->write.reset();
        failed->read.reset();
        become(argv, stdout_to_stderr, go->read.get(), failed->write.get());
    }
    go->read.reset();
    failed->write.reset();
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd.valid()) {
        return fail({.what = "cannot watch the command", .errnum = errno, .hint = ""});
    }
    if (auto released = give_up_stdin(); !released) {
        return fail(released.error());
    }
    before_exec(pid);
    if (::write(go->write.get(), "g", 1) != 1) {
        return fail({.what = "cannot start the command", .errnum = errno, .hint = ""});
    }
    int error = 0;
    if (::read(failed->read.get(), &error, sizeof(error)) == sizeof(error)) {
        ::waitpid(pid, nullptr, 0);
        return fail(cannot_execute(argv.front(), error));
    }
    return Child(pid, std::move(pidfd));
}

std::optional<int> Child::status()
{
    int raw = 0;
    if (!status_ && ::waitpid(pid_, &raw, WNOHANG) == pid_) {
        status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    return status_;
}

} // namespace lastref::watch
