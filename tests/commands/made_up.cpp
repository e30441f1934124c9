// SPDX-License-Identifier: GPL-2.0-only
#include "made_up.h"

#include "cli/command_line.h"
#include "source_tree.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <sstream>

namespace lastref::test {
namespace {

namespace fs = std::filesystem;

Result<ExitCode> run(const std::vector<std::string> &words)
{
    std::vector<const char *> argv{"lastref"};
    for (const auto &word : words) {
        argv.push_back(word.c_str());
    }
    const auto asked = cli::parse_command_line(static_cast<int>(argv.size()), argv.data());
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

} // namespace

MadeUp &made_up()
{
    static MadeUp it;
    return it;
}

Said lastref(const std::vector<std::string> &words)
{
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto done = run(words);
    std::cout.flush();
    std::fflush(stderr);
    Said said{.status = static_cast<int>(done ? *done : done.error().exit_code),
              .out = testing::internal::GetCapturedStdout(),
              .err = testing::internal::GetCapturedStderr()};
    if (!done) {
        said.err += done.error().text();
    }
    return said;
}

std::string fixture(const std::string &name)
{
    return source_tree() / "tests/fixtures" / name;
}

std::string contents(const std::string &path)
{
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void Commands::SetUp()
{
    made_up() = {};
    // Text is to look the same wherever the tests run.
    ::setenv("LC_ALL", "C.UTF-8", 1);
    ::setenv("COLUMNS", "100", 1);
    ::unsetenv("NO_COLOR");
    std::string place = fs::temp_directory_path() / "lastref-commands-XXXXXX";
    ASSERT_NE(::mkdtemp(place.data()), nullptr);
    folder_ = place;
}

void Commands::TearDown()
{
    fs::remove_all(folder_);
}

std::string Commands::program(const std::string &name, int status) const
{
    const auto path = in_folder(name);
    std::ofstream(path) << fmt::format("#!/bin/sh\nexit {}\n", status);
    fs::permissions(path, fs::perms::owner_all);
    return path;
}

} // namespace lastref::test
