// SPDX-License-Identifier: GPL-2.0-only
// lastref why: who keeps a module from going.

#include "core/why.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "holders/take_inventory.h"
#include "kernel/sysfs_modules.h"
#include "kernel/tracer.h"

#include <CLI/CLI.hpp>

namespace lastref::cli {
namespace {

void add_flags(CLI::App &app, Options &options)
{
    app.add_option("MODULE", options.modules, "the module")->type_name("")->required()->expected(1);
    add_output_flags(app, options);
    app.add_flag("-v,--verbose", options.verbose, "show libbpf's own messages on stderr");
}

Result<ExitCode> why(const Options &options)
{
    kernel::set_verbose(options.verbose);
    auto inventory = holders::take_inventory(kernel::module_name(options.modules.front()));
    if (!inventory) {
        return fail(inventory.error());
    }
    const auto doc = explain(std::move(*inventory));
    print(doc, options);
    return doc.exit_code();
}

} // namespace

const Command why_command{"why", "Say who keeps a module from being unloaded", add_flags, why};

} // namespace lastref::cli
