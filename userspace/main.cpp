// SPDX-License-Identifier: GPL-2.0-only
// Runs the command that was asked for, and turns what becomes of it into an exit status.

#include "base/messages.h"
#include "cli/command_line.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <unistd.h>

namespace {

using namespace lastref;

Result<ExitCode> run(int argc, char **argv)
{
    const auto asked = cli::parse_command_line(argc, argv);
    if (!asked) {
        return fail(asked.error());
    }
    if (const auto *answer = std::get_if<cli::Answer>(&*asked)) {
        std::cout << answer->text;
        return ExitCode::Done;
    }
    const auto &[command, options] = std::get<cli::Chosen>(*asked);
    return command->run(options);
}

/// What lastref opens must not be taken for a standard stream that was closed. Nothing can be
/// written to the stand-in, so that an answer to nobody is an error.
void open_standard_streams()
{
    int fd = 0;
    do {
        fd = ::open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    ::close(fd);
}

/// What was printed must have come through: an answer that is cut is none.
Result<ExitCode> run_and_flush(int argc, char **argv)
{
    auto done = run(argc, argv);
    std::cout.flush();
    const bool written = std::fflush(stdout) == 0;
    if (done && (!written || !std::cout)) {
        return fail({.what = "standard output cannot be written",
                     .errnum = written ? 0 : errno,
                     .hint = "what it has is not all of the answer"});
    }
    return done;
}

int end_with(const Error &error)
{
    say(error.text());
    return static_cast<int>(error.exit_code);
}

} // namespace

int main(int argc, char **argv)
{
    open_standard_streams();
    try {
        const auto done = run_and_flush(argc, argv);
        return done ? static_cast<int>(*done) : end_with(done.error());
    } catch (const std::exception &error) {
        return end_with({.what = error.what(), .errnum = 0, .hint = ""});
    }
}
