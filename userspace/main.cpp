// SPDX-License-Identifier: GPL-2.0-only
// Registers the commands, and turns what becomes of one into an exit status.

#include "cli/commands.h"
#include "cli/usage.h"

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

int finish(const Result<ExitCode> &done)
{
    return done ? static_cast<int>(*done) : say(done.error());
}

int usage(const CLI::App &app, const CLI::ParseError &error)
{
    if (error.get_exit_code() == 0) {
        return app.exit(error); // --help, --version
    }
    fmt::print(stderr, "lastref: {}\n", cli::usage_text(app, error));
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
    app.footer("lastref help COMMAND tells more.\n\n" + cli::exit_status_help());
    app.require_subcommand(0, 1);

    cli::Options bare;
    cli::overview_command.add_flags(app, bare);
    std::array<cli::Options, commands.size()> options;
    std::array<CLI::App *, commands.size()> subcommands{};
    for (std::size_t i = 0; i < commands.size(); ++i) {
        subcommands[i] = app.add_subcommand(commands[i]->name, commands[i]->summary);
        subcommands[i]->footer(cli::exit_status_help());
        commands[i]->add_flags(*subcommands[i], options[i]);
    }
    std::string help_on;
    CLI::App *const help = app.add_subcommand("help", "Print what a command does and its options");
    help->add_option("COMMAND", help_on, "the command; none: the program")->type_name("");
    try {
        app.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::ParseError &error) {
        return usage(app, error);
    }

    if (help->parsed()) {
        return finish(cli::print_help(app, help_on));
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
    return finish(command->run(*chosen));
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
