// SPDX-License-Identifier: GPL-2.0-only
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <map>

namespace lastref::cli {

namespace {

template <typename Number>
void add(CLI::App &app, const char *names, std::optional<Number> &into, const Bounds &bounds,
         const char *what, const char *type_name)
{
    const auto take = [&into, bounds](const std::string &text) {
        if (const auto number = parse_number(text, bounds)) {
            into = static_cast<Number>(*number);
        }
    };
    const auto wrong = [bounds](const std::string &text) {
        const auto number = parse_number(text, bounds);
        return number ? std::string() : number.error();
    };
    app.add_option_function<std::string>(names, take, what)->check(wrong, "")->type_name(type_name);
}

} // namespace

void add_number(CLI::App &app, const char *names, std::optional<double> &into, const Bounds &bounds,
                const char *what, const char *type_name)
{
    add(app, names, into, bounds, what, type_name);
}

void add_number(CLI::App &app, const char *names, std::optional<unsigned> &into,
                const Bounds &bounds, const char *what, const char *type_name)
{
    add(app, names, into, bounds, what, type_name);
}

void add_output_flags(CLI::App &app, Options &options)
{
    static const std::map<std::string, Color> colors{
        {"auto", Color::Auto}, {"always", Color::Always}, {"never", Color::Never}};
    app.add_flag_callback(
        "-j,--json", [&options] { options.format = Format::Json; }, "print JSON instead of text");
    app.add_option("--color", options.color, "auto, always or never; NO_COLOR is honoured")
        ->transform(CLI::CheckedTransformer(colors).description(""))
        ->type_name("WHEN");
    app.add_flag("-q,--quiet", options.quiet, "nothing on stderr but errors and losses");
}

void add_format_flag(CLI::App &app, Options &options)
{
    static const std::map<std::string, Format> formats{{"text", Format::Text},
                                                       {"json", Format::Json},
                                                       {"chrome-trace", Format::ChromeTrace},
                                                       {"html", Format::Html}};
    app.add_option_function<std::string>(
           "--format", [&options](const std::string &name) { options.format = formats.at(name); },
           "text, json (the same as -j), html, a page for a browser, or chrome-trace, for "
           "ui.perfetto.dev")
        ->check(CLI::IsMember({"text", "json", "chrome-trace", "html"}).description(""))
        ->type_name("FORMAT")
        ->excludes("--json");
}

void add_attach_flags(CLI::App &app, Options &options)
{
    app.add_option_function<std::string>(
           "--attach",
           [&options](const std::string &name) { options.attach = *kernel::attach_mode(name); },
           "how to watch soft references: auto, tracepoint, fentry or kprobe")
        ->check(CLI::IsMember({"auto", "tracepoint", "fentry", "kprobe"}).description(""))
        ->type_name("HOW");
    app.add_flag("--dry-run", options.dry_run, "show what would be attached, and attach nothing");
    app.add_flag("-v,--verbose", options.verbose, "show libbpf's own messages on stderr");
}

void add_duration_flag(CLI::App &app, Options &options)
{
    add_number(app, "-d,--duration", options.duration_s, bounds::duration, "end after SEC seconds",
               "SEC");
}

void add_replay_flag(CLI::App &app, Options &options)
{
    app.add_option("--replay", options.replay, "take a recording instead of the running kernel")
        ->type_name("FILE");
}

} // namespace lastref::cli
