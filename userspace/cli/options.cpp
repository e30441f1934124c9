// SPDX-License-Identifier: GPL-2.0-only
#include "cli/options.h"

#include "exporter/exporter.h"

#include <CLI/CLI.hpp>
#include <map>

namespace lastref::cli {
namespace {

/// An option that takes a number within these bounds, and refuses anything else in words.
template <typename Number>
void add_number(CLI::App &app, const char *names, std::optional<Number> &into, const Bounds &bounds,
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

/// The formats that a report has beside text and JSON.
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

} // namespace

void add_overview_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
    app.add_flag("-v,--verbose", options.verbose, "show libbpf's own messages on stderr");
}

void add_why_flags(CLI::App &app, Options &options)
{
    auto *const module =
        app.add_option("MODULE", options.modules, "the module")->type_name("")->expected(1);
    add_output_flags(app, options);
    add_number(app, "-n,--top", options.top, bounds::top, "print at most N rows of the table", "N");
    auto *const save =
        app.add_option("--save", options.save, "make FILE of all that was read for the answer")
            ->type_name("FILE")
            ->needs(module);
    auto *const replay =
        app.add_option("--replay", options.replay, "answer from a FILE that --save has made")
            ->type_name("FILE")
            ->excludes(save);
    app.add_option("--core", options.core, "ask the memory of a machine that has crashed: a vmcore")
        ->type_name("FILE")
        ->needs(module)
        ->excludes(replay);
    app.add_flag("-v,--verbose", options.verbose, "show libbpf's own messages on stderr");
}

void add_run_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
    add_duration_flag(app, options);
    app.add_flag("-k,--stacks", options.stacks, "print the full stack of every call site");
    app.add_flag("-T,--timestamp", options.wall_clock, "print times of day");
    add_attach_flags(app, options);
    app.footer("The command stands behind two dashes: lastref run [OPTIONS] -- COMMAND [ARGS]\n\n" +
               app.get_footer());
}

void add_refs_flags(CLI::App &app, Options &options)
{
    app.add_option("MODULE", options.modules, "only these modules")->type_name("");
    add_output_flags(app, options);
    add_duration_flag(app, options);
    app.add_flag("--soft", options.soft,
                 "soft references (the default, where the kernel has them)");
    app.add_flag("--hard", options.hard, "hard references (the default elsewhere)");
    add_number(app, "-i,--interval", options.interval_s, bounds::refs_interval,
               "print a table every SEC seconds", "SEC");
    add_number(app, "-n,--top", options.top, bounds::top, "at most N call sites a module", "N");
    app.add_flag("-k,--stacks", options.stacks, "print the full stack of every call site");
    app.add_flag("-T,--timestamp", options.wall_clock, "print times of day");
    add_replay_flag(app, options);
    add_attach_flags(app, options);
}

void add_trace_flags(CLI::App &app, Options &options)
{
    app.add_option("MODULE", options.modules, "only these modules")->type_name("");
    add_output_flags(app, options);
    add_duration_flag(app, options);
    add_number(app, "-p,--pid", options.pid, bounds::pid, "only what this process does", "PID");
    app.add_flag("-T,--timestamp", options.wall_clock, "print times of day");
    add_replay_flag(app, options);
    add_attach_flags(app, options);
}

void add_record_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
    app.add_option("-o,--output", options.output, "the file to make")
        ->required()
        ->type_name("FILE");
    app.add_flag("--hard", options.hard, "count hard references too");
    add_duration_flag(app, options);
    add_attach_flags(app, options);
    app.footer("A command may follow: lastref record -o FILE [OPTIONS] -- COMMAND [ARGS]\n\n" +
               app.get_footer());
}

void add_report_flags(CLI::App &app, Options &options)
{
    app.add_option("FILE,--replay", options.replay, "a recording made by lastref record")
        ->type_name("");
    add_output_flags(app, options);
    add_format_flag(app, options);
    app.add_flag("-k,--stacks", options.stacks, "print the full stack of every call site");
    app.add_flag("-T,--timestamp", options.wall_clock, "print times of day");
}

void add_serve_flags(CLI::App &app, Options &options)
{
    options.listen = default_listen;
    app.add_option("--listen", options.listen, "where to listen: a numeric address and a port")
        ->capture_default_str()
        ->type_name("HOST:PORT");
    add_number(app, "-i,--interval", options.interval_s, bounds::serve_interval,
               "read the counters every SEC seconds (5)", "SEC");
    add_number(app, "--modules", options.max_labels, bounds::labels,
               "modules with series of their own; the others share module=\"other\" (100)", "N");
    add_duration_flag(app, options);
    app.add_flag("-q,--quiet", options.quiet, "nothing on stderr but errors and losses");
    add_attach_flags(app, options);
}

void add_doctor_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
}

} // namespace lastref::cli
