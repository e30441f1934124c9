// SPDX-License-Identifier: GPL-2.0-only
#include "cli/command_line.h"

#include "cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace lastref::cli {
namespace {

constexpr std::array commands{&why_command,    &run_command,    &refs_command,  &trace_command,
                              &record_command, &report_command, &serve_command, &doctor_command};

/// What CLI11 ends a parse with: words that were asked for, or an error.
Result<std::variant<Chosen, Answer>> ended(const CLI::App &app, const CLI::ParseError &error)
{
    if (error.get_exit_code() != 0) {
        return fail(usage_error(app, error));
    }
    std::ostringstream text;
    app.exit(error, text, text);
    return Answer{text.str()};
}

} // namespace

Result<std::variant<Chosen, Answer>> parse_command_line(int argc, const char *const *argv)
{
    const auto *const end = argv + argc;
    const auto *const dashes =
        std::find_if(argv, end, [](const char *arg) { return std::string_view(arg) == "--"; });

    CLI::App app{"Why is this kernel module still here, and who holds its last reference?"};
    app.set_version_flag("-V,--version", "lastref " LASTREF_VERSION);
    app.footer("lastref help COMMAND tells more.\n\n" + exit_status_help());
    app.require_subcommand(0, 1);

    Chosen chosen{&overview_command};
    overview_command.add_flags(app, chosen.options);
    std::array<Options, commands.size()> options;
    std::array<CLI::App *, commands.size()> subcommands{};
    for (std::size_t i = 0; i < commands.size(); ++i) {
        subcommands[i] = app.add_subcommand(commands[i]->name, commands[i]->summary);
        subcommands[i]->footer(exit_status_help());
        commands[i]->add_flags(*subcommands[i], options[i]);
    }
    std::string help_on;
    CLI::App *const help = app.add_subcommand("help", "Print what a command does and its options");
    help->add_option("COMMAND", help_on, "the command; none: the program")->type_name("");
    try {
        app.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::ParseError &error) {
        return ended(app, error);
    }

    if (help->parsed()) {
        return help_text(app, help_on).map([](std::string text) {
            return Answer{std::move(text)};
        });
    }
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (subcommands[i]->parsed()) {
            chosen = {commands[i], options[i]};
        }
    }
    if (dashes != end) {
        chosen.options.has_command = true;
        chosen.options.command.assign(dashes + 1, end);
    }
    return chosen;
}

} // namespace lastref::cli
