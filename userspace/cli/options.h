// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "cli/bounds.h"
#include "kernel/options.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lastref::cli {

enum class Color { Auto, Always, Never };
/// What a command prints on standard output. -j and --format choose it.
enum class Format { Text, Json, ChromeTrace, Html };

/// What the command line said. Each command offers the flags that mean something to it; a flag has
/// one meaning everywhere.
struct Options {
    Format format = Format::Text;
    std::optional<double> duration_s;
    std::optional<double> interval_s;
    std::optional<unsigned> top;
    std::optional<unsigned> pid;
    bool stacks = false;
    bool wall_clock = false;
    bool quiet = false;
    bool verbose = false;
    kernel::AttachMode attach = kernel::AttachMode::Auto;
    Color color = Color::Auto;
    bool dry_run = false;
    std::string replay;
    std::string save;
    std::string core;
    std::string output;
    std::string listen;
    std::optional<unsigned> max_labels;
    std::vector<std::string> modules;
    bool soft = false;
    bool hard = false;
    /// What stood behind "--", and whether there was one.
    std::vector<std::string> command;
    bool has_command = false;
};

/// The flags of each command. All are in one file, since CLI11's headers take seconds to compile.
void add_overview_flags(CLI::App &app, Options &options);
void add_why_flags(CLI::App &app, Options &options);
void add_run_flags(CLI::App &app, Options &options);
void add_refs_flags(CLI::App &app, Options &options);
void add_trace_flags(CLI::App &app, Options &options);
void add_record_flags(CLI::App &app, Options &options);
void add_report_flags(CLI::App &app, Options &options);
void add_serve_flags(CLI::App &app, Options &options);
void add_doctor_flags(CLI::App &app, Options &options);

} // namespace lastref::cli
