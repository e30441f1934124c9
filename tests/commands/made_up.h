// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/census.h"
#include "core/session_info.h"
#include "kernel/environment.h"
#include "kernel/features.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

/// The machine that the commands of these tests run on.
namespace lastref::test {

struct MadeUp {
    kernel::Environment environment{};
    /// What the probes see: the records of this file of tests/fixtures, a snapshot at a time.
    std::string recording = "deferred-1.lastref";
    std::optional<Error> cannot_attach{};
    std::string passed_over{};
    std::vector<NotWatched> not_watched{};
    std::optional<kernel::Check> switched_off{};
    /// What it says of itself to `why`: this file of tests/fixtures/why/stock-6.12.
    std::string census = "block-loop.census";
    std::vector<NotExamined> limits{}; ///< of `why`
    bool is_verbose = false;           ///< that was asked of libbpf
    int times_confined = 0;
};

/// Made anew for each test.
MadeUp &made_up();

/// What a command has printed, and its exit status.
struct Said {
    int status = 0;
    std::string out{};
    std::string err{};
};

// What exit statuses tell, by their numbers: scripts have those.
inline constexpr int failed = 1, misused = 2, outstanding = 3, unsupported = 5, refused = 6,
                     cannot_run = 126, not_found = 127;

/// lastref with these words behind its name.
Said lastref(const std::vector<std::string> &words);

std::string fixture(const std::string &name);
std::string contents(const std::string &path);

class Commands : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;
    /// A place for a file.
    [[nodiscard]] std::string in_folder(const std::string &name) const
    {
        return folder_ + "/" + name;
    }
    /// Makes a program there that ends with this status.
    [[nodiscard]] std::string program(const std::string &name, int status) const;

private:
    std::string folder_;
};

} // namespace lastref::test
