// SPDX-License-Identifier: GPL-2.0-only
#include "watch/not_attempted.h"

#include "base/text.h"
#include "bpf/wire.h"
#include "procfs/modules.h"
#include "watch/kmod_command.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::watch {
namespace {

/// What fits into a record, cut between words.
std::string cut(std::string text)
{
    constexpr std::string_view dots = " …";
    constexpr std::size_t room = LR_TEXT - 1;
    if (text.size() > room) {
        const auto space = text.rfind(' ', room - dots.size());
        text.resize(space == std::string::npos ? room - dots.size() : space);
        text += dots;
    }
    return text;
}

std::string reason_of(const procfs::SysfsModule &module, bool all_is_watched,
                      const HoldersInWords &holders_of)
{
    if (module.state == "going") {
        return "it is being unloaded already";
    }
    if (module.state == "coming") {
        return "its init routine has not ended yet";
    }
    if (!module.refs) {
        return "its reference count cannot be read";
    }
    const auto holders = static_cast<std::int64_t>(module.holders.size());
    if (*module.refs == 0) {
        return all_is_watched
                   ? "the command ended without asking the kernel; nothing holds the module now"
                   : "no request was seen, but not all is watched here; nothing holds the module "
                     "now";
    }
    auto reason = fmt::format("in use: {}", plural(*module.refs, "hard reference"));
    if (const auto who = holders_of(module); !who.empty()) {
        return cut(fmt::format("{}; {}", reason, who));
    }
    if (holders > 0) {
        reason +=
            fmt::format(", {} from {} ({})", holders,
                        holders == 1 ? "a module that depends on it" : "modules that depend on it",
                        fmt::join(module.holders, ", "));
    }
    return reason;
}

} // namespace

std::vector<NotAttemptedUnload> not_attempted(const std::vector<std::string> &command,
                                              const ReportDoc &seen,
                                              const HoldersInWords &holders_of)
{
    std::vector<NotAttemptedUnload> out;
    const auto comm = std::filesystem::path(command.front()).filename().string();
    for (const auto &name : modules_to_unload(command)) {
        const bool attempted =
            std::any_of(seen.unloads.begin(), seen.unloads.end(), [&](const UnloadRecord &unload) {
                return unload.counts && procfs::module_name(unload.module) == name;
            });
        if (attempted) {
            continue;
        }
        NotAttemptedUnload entry{.module = name, .instance_id = 0, .comm = comm, .reason = ""};
        if (const auto module = procfs::sysfs_module(name)) {
            entry.instance_id = module->instance_id;
            entry.reason = reason_of(*module, seen.info.not_watched.empty(), holders_of);
        } else if (procfs::module_presence(name) == procfs::ModulePresence::BuiltIn) {
            entry.reason = "it is built into the kernel";
        } else {
            entry.reason = "no such module is loaded";
        }
        out.push_back(std::move(entry));
    }
    return out;
}

} // namespace lastref::watch
