// SPDX-License-Identifier: GPL-2.0-only
// Registers the commands, and turns what becomes of one into an exit status.

#include "cli/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>

namespace {

using namespace lastref;

constexpr std::array commands{&cli::why_command,   &cli::run_command,    &cli::refs_command,
                              &cli::trace_command, &cli::record_command, &cli::report_command,
                              &cli::serve_command, &cli::doctor_command};

int say(const Error &error)
{
    fmt::print(stderr, "lastref: {}\n", error.text());
    return static_cast<int>(error.exit_code);
}

int usage(const CLI::App &app, const CLI::ParseError &error)
{
    if (error.get_exit_code() == 0) {
        return app.exit(error); // --help, --version
    }
    const auto chosen = app.get_subcommands();
    fmt::print(stderr, "lastref: {}\n  See: lastref {}--help\n", error.what(),
               chosen.empty() ? "" : chosen.front()->get_name() + " ");
    return static_cast<int>(ExitCode::Usage);
}

int dispatch(int argc, char **argv)
{
    // What stands behind "--" is a command of the user's: none of it is ours to interpret.
    char **const dashes = std::find_if(
        argv, argv + argc, [](const char *arg) { return std::string_view(arg) == "--"; });
    const bool has_tail = dashes != argv + argc;

    CLI::App app{"Why is this kernel module still here, and who holds its last reference?"};
    app.set_version_flag("-V,--version", "lastref " LASTREF_VERSION);
    app.footer("Exit status: 0 nothing pending, 1 failed, 2 usage, 3 references outstanding,\n"
               "4 an exit routine still runs, 5 kernel or privileges insufficient,\n"
               "6 refused, not attempted or no such module, 126/127 command cannot be run.");
    app.require_subcommand(0, 1);

    cli::Options bare;
    cli::overview_command.add_flags(app, bare);
    std::array<cli::Options, commands.size()> options;
    std::array<CLI::App *, commands.size()> subcommands{};
    for (std::size_t i = 0; i < commands.size(); ++i) {
        subcommands[i] = app.add_subcommand(commands[i]->name, commands[i]->summary);
        commands[i]->add_flags(*subcommands[i], options[i]);
    }
    try {
        app.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::ParseError &error) {
        return usage(app, error);
    }

    const cli::Command *command = &cli::overview_command;
    cli::Options *chosen = &bare;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (subcommands[i]->parsed()) {
            command = commands[i];
            chosen = &options[i];
        }
    }
    chosen->has_command = has_tail;
    if (has_tail) {
        chosen->command.assign(dashes + 1, argv + argc);
    }
    const auto done = command->run(*chosen);
    return done ? static_cast<int>(*done) : say(done.error());
}

} // namespace

int main(int argc, char **argv)
{
    try {
        return dispatch(argc, argv);
    } catch (const std::exception &error) {
        return say({.what = error.what(), .errnum = 0, .hint = ""});
    }
}
