// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace lastref {

/// What a program that runs lastref learns from its exit status. See worse() for their order.
enum class ExitCode : int {
    Done = 0,        ///< nothing is pending
    Failed = 1,      ///< lastref failed, or its answer would be wrong
    Usage = 2,       ///< the command line is wrong
    Outstanding = 3, ///< references are outstanding, the module is held, or not freed
    ExitRunning = 4, ///< an exit routine still runs
    Unsupported = 5, ///< the kernel or the privileges do not suffice
    Refused = 6,     ///< refused, not attempted, or no such module
    CannotRun = 126, ///< the command to run cannot be executed
    NotFound = 127,  ///< the command to run does not exist
};

/// The one of two exit codes that a caller must hear of: 1, 5, 4, 3, 6, 0, in this order.
ExitCode worse(ExitCode a, ExitCode b);

/// strerror(), and what the kernel lets slip beside the errors that have names.
std::string in_words(int errnum);

/// A failure that a person can act on.
struct Error {
    std::string what; ///< what happened, and to what
    int errnum = 0;   ///< errno where there was one, else 0
    std::string hint; ///< what to do about it; may be empty
    ExitCode exit_code = ExitCode::Failed;

    /// `what: strerror`, then the hint on a line of its own.
    [[nodiscard]] std::string text() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// Makes the failing Result of any type.
inline tl::unexpected<Error> fail(Error error)
{
    return tl::unexpected<Error>(std::move(error));
}

} // namespace lastref
