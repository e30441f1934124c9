// SPDX-License-Identifier: GPL-2.0-only
// lastref why: who keeps a module from going.

#include "core/why.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/messages.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/usage.h"
#include "holders/take_inventory.h"
#include "kernel/sysfs_modules.h"
#include "kernel/tracer.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace lastref::cli {
namespace {

void add_flags(CLI::App &app, Options &options)
{
    app.add_option("MODULE", options.modules, "the module")->type_name("")->required()->expected(1);
    add_output_flags(app, options);
    add_number(app, "-n,--top", options.top, bounds::top, "print at most N rows of the table", "N");
    app.add_flag("-v,--verbose", options.verbose, "show libbpf's own messages on stderr");
}

Result<ExitCode> why(const Options &options)
{
    kernel::set_verbose(options.verbose);
    const auto &given = options.modules.front();
    const auto name = kernel::module_name(given);
    if (name.empty()) {
        return fail({.what = fmt::format("'{}' is not the name of a module", shown(given)),
                     .errnum = 0,
                     .hint = "lsmod lists those that are loaded",
                     .exit_code = ExitCode::Usage});
    }
    auto inventory = [&] {
        const Progress progress(fmt::format("looking who holds {}", shown(name)), options.quiet);
        return holders::take_inventory(name);
    }();
    if (!inventory) {
        return fail(inventory.error());
    }
    const auto doc = explain(std::move(*inventory));
    print(doc, options);
    if (!doc.found.blind.empty()) {
        say(fmt::format("only /sys/module/{} could be read: {}\n  {}", escape_text(name),
                        doc.found.blind, doc.found.blind_remedy));
    }
    return doc.exit_code();
}

} // namespace

const Command why_command{"why", "Say who keeps a module from being unloaded", add_flags, why};

} // namespace lastref::cli
