// SPDX-License-Identifier: GPL-2.0-only
// lastref why: who keeps a module from going.

#include "core/why.h"
#include "base/files.h"
#include "base/messages.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "holders/census_file.h"
#include "holders/crashed_machine.h"
#include "holders/recorder.h"
#include "holders/replayed_machine.h"
#include "holders/running_machine.h"
#include "holders/take_census.h"
#include "kernel/tracer.h"
#include "procfs/modules.h"
#include "vmcore/vmcore.h"

#include <fmt/format.h>
#include <memory>
#include <optional>
#include <unistd.h>

namespace lastref::cli {
namespace {

Error misused(std::string what, std::string hint)
{
    return {.what = std::move(what),
            .errnum = 0,
            .hint = std::move(hint),
            .exit_code = ExitCode::Usage};
}

/// The module that was asked about, as the kernel spells it; empty where none was.
Result<std::string> asked_module(const Options &options)
{
    if (options.modules.empty()) {
        return options.replay.empty()
                   ? Result<std::string>(
                         fail(misused("why needs the name of a module", "See: lastref why --help")))
                   : std::string();
    }
    const auto &given = options.modules.front();
    auto name = procfs::module_name(given);
    if (name.empty()) {
        return fail(misused(fmt::format("'{}' is not the name of a module", shown(given)),
                            "lsmod lists those that are loaded"));
    }
    return name;
}

Result<Census> ask(const std::string &module, holders::Machine &machine, bool quiet)
{
    const Progress progress(fmt::format("looking who holds {}", shown(module)), quiet);
    return holders::take_census(module, machine);
}

/// The same, with all that was read for it in a file. An answer that could not be saved is one.
Result<Census> ask_and_save(const std::string &module, holders::Machine &machine,
                            const Options &options, std::optional<Error> &not_saved)
{
    const auto file = make_file(options.save, "the census");
    if (!file) {
        return fail(file.error());
    }
    holders::Recorder recorder(machine, module);
    auto census = ask(module, recorder, options.quiet);
    if (census) {
        if (const auto saved = write_census(*file, options.save, recorder.census()); !saved) {
            not_saved = saved.error();
        }
    }
    if (!census || not_saved) {
        ::unlink(options.save.c_str()); // what has not all of it would only be in the way
    } else {
        sync_folder_of(options.save);
    }
    return census;
}

Result<Census> ask_a_file(const std::string &module, const Options &options)
{
    const auto file = open_file(options.replay, "the census", "lastref why MODULE --save FILE");
    if (!file) {
        return fail(file.error());
    }
    const auto census = holders::read_census(*file, options.replay);
    if (!census) {
        return fail(census.error());
    }
    if (!module.empty() && module != census->module) {
        return fail(misused(fmt::format("{} tells of {}, not of {}", shown(options.replay),
                                        shown(census->module), shown(module)),
                            "leave out the name of the module"));
    }
    holders::ReplayedMachine machine(*census);
    return ask(census->module, machine, options.quiet);
}

/// The one that runs, or the one whose core it is.
Result<std::unique_ptr<holders::Machine>> choose_machine(const Options &options)
{
    if (options.core.empty()) {
        return std::make_unique<holders::RunningMachine>();
    }
    auto file = open_file(options.core, "the core", "kdump");
    if (!file) {
        return fail(file.error());
    }
    auto memory = open_vmcore(std::move(*file), shown(options.core));
    if (!memory) {
        return fail(memory.error());
    }
    return std::make_unique<holders::CrashedMachine>(std::move(*memory));
}

Result<Census> ask_a_machine(const std::string &module, const Options &options,
                             std::optional<Error> &not_saved)
{
    const auto machine = choose_machine(options);
    if (!machine) {
        return fail(machine.error());
    }
    return options.save.empty() ? ask(module, **machine, options.quiet)
                                : ask_and_save(module, **machine, options, not_saved);
}

Result<ExitCode> why(const Options &options)
{
    kernel::set_verbose(options.verbose);
    const auto module = asked_module(options);
    if (!module) {
        return fail(module.error());
    }
    std::optional<Error> not_saved;
    auto census = options.replay.empty() ? ask_a_machine(*module, options, not_saved)
                                         : ask_a_file(*module, options);
    if (!census) {
        return fail(census.error());
    }
    const auto doc = explain(std::move(*census));
    print(doc, options);
    if (!doc.census.blind.empty()) {
        say(fmt::format("only /sys/module/{} could be read: {}\n  {}",
                        escape_text(doc.census.module), doc.census.blind, doc.census.blind_remedy));
    }
    return not_saved ? Result<ExitCode>(fail(*not_saved)) : doc.exit_code();
}

} // namespace

const Command why_command{"why", "Say who keeps a module from being unloaded", add_why_flags, why};

} // namespace lastref::cli
