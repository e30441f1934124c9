// SPDX-License-Identifier: GPL-2.0-only
#include "cli/usage.h"

#include "base/text.h"
#include "core/similar.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::cli {
namespace {

std::vector<std::string> names_of_commands(const CLI::App &app)
{
    std::vector<std::string> names;
    for (const CLI::App *command : app.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    return names;
}

std::vector<std::string> names_of_options(const CLI::App &app)
{
    std::vector<std::string> names;
    for (const CLI::Option *option : app.get_options({})) {
        for (const std::string &name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

/// "lastref trace" with "lastref " as `prefix`; several are joined by "or".
std::string did_you_mean(const std::string &given, const std::vector<std::string> &names,
                         const std::string &prefix)
{
    const auto near = similar_names(given, names);
    return near.empty()
               ? ""
               : fmt::format("Did you mean: {}{}", prefix, fmt::join(near, " or " + prefix));
}

/// An error, and where the right use is told.
Error misuse(const CLI::App *command, std::string what, std::string hint)
{
    hint += hint.empty() ? "" : "\n  ";
    hint +=
        fmt::format("See: lastref {}--help", command != nullptr ? command->get_name() + " " : "");
    return {.what = std::move(what),
            .errnum = 0,
            .hint = std::move(hint),
            .exit_code = ExitCode::Usage};
}

/// What is wrong with the first word that nothing was made of.
Error about_word(const CLI::App &app, const CLI::App *command, const std::string &word)
{
    std::string what;
    std::string hint;
    if (word.size() > 1 && word[0] == '-') {
        const auto name = word.substr(0, word.find('='));
        what = command != nullptr
                   ? fmt::format("{} has no option {}", command->get_name(), shown(name))
                   : fmt::format("there is no option {}", shown(name));
        hint = did_you_mean(name, names_of_options(command != nullptr ? *command : app), "");
    } else if (command == nullptr) {
        what = fmt::format("there is no command '{}'", shown(word));
        hint = did_you_mean(word, names_of_commands(app), "lastref ");
        if (hint.empty()) {
            hint = fmt::format("To ask about a module of that name: lastref why {}",
                               shell_word(shown(word)));
        }
    } else {
        what = fmt::format("{} takes no argument '{}'", command->get_name(), shown(word));
    }
    return misuse(command, std::move(what), std::move(hint));
}

} // namespace

std::string shown(const std::string &given)
{
    constexpr std::size_t longest = 60;
    return ellipsize(escape_text(given), longest);
}

std::string exit_status_help()
{
    return "Exit status:\n"
           "  0         nothing is pending\n"
           "  3         references are outstanding, or the module is held\n"
           "  4         an exit routine still runs, or never ended\n"
           "  6         refused, not attempted, or no such module\n"
           "  1, 2, 5   lastref failed, was misused, or this kernel or these privileges do\n"
           "            not suffice\n"
           "  126, 127  the command cannot be run";
}

Error usage_error(const CLI::App &app, const CLI::ParseError &error)
{
    const auto chosen = app.get_subcommands();
    const CLI::App *const command = chosen.empty() ? nullptr : chosen.front();
    const auto words = app.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError *>(&error) != nullptr && !words.empty()) {
        return about_word(app, command, words.front());
    }
    return misuse(command, error.what(), "");
}

Result<std::string> help_text(const CLI::App &app, const std::string &name)
{
    const auto text = [](const CLI::App &about, const std::string &called) {
        return about.get_formatter()->make_help(&about, called, CLI::AppFormatMode::Normal);
    };
    if (name.empty()) {
        return text(app, "lastref");
    }
    for (const CLI::App *command : app.get_subcommands({})) {
        if (command->get_name() == name) {
            return text(*command, "lastref " + name);
        }
    }
    const auto hint = did_you_mean(name, names_of_commands(app), "lastref help ");
    return fail({.what = fmt::format("there is no command '{}'", shown(name)),
                 .errnum = 0,
                 .hint = hint.empty() ? "lastref --help lists them" : hint,
                 .exit_code = ExitCode::Usage});
}

} // namespace lastref::cli
