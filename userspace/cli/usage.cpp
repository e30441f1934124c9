// SPDX-License-Identifier: GPL-2.0-only
#include "cli/usage.h"

#include "base/text.h"
#include "core/similar.h"
#include "procfs/modules.h"

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

/// What somebody may have meant who typed a word in place of a command.
std::string instead_of_a_command(const CLI::App &app, const std::string &word)
{
    auto near = did_you_mean(word, names_of_commands(app), "lastref ");
    const auto presence = procfs::module_presence(procfs::module_name(word));
    if (near.empty() || presence == procfs::ModulePresence::Loaded) {
        return fmt::format("To ask about a module of that name: lastref why {}",
                           shell_word(shown(word)));
    }
    return near;
}

/// What somebody may have meant who gave a command words that it does not take.
std::string where_words_belong(const std::string &command, const std::vector<std::string> &words)
{
    if (command != "run" && command != "record") {
        return "";
    }
    std::string line;
    for (const auto &word : words) {
        line += " " + shell_word(shown(word));
    }
    return fmt::format("Put a command behind two dashes: lastref {} --{}", command, line);
}

/// What is wrong with the words that nothing was made of: with the first.
Error about_words(const CLI::App &app, const CLI::App *command,
                  const std::vector<std::string> &words)
{
    const auto &word = words.front();
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
        hint = instead_of_a_command(app, word);
    } else {
        what = fmt::format("{} takes no argument '{}'", command->get_name(), shown(word));
        hint = where_words_belong(command->get_name(), words);
    }
    return misuse(command, std::move(what), std::move(hint));
}

} // namespace

std::string exit_status_help()
{
    return "Exit status:\n"
           "  0         nothing is pending\n"
           "  3         references are outstanding, the module is held, or not freed yet\n"
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
        return about_words(app, command, words);
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
