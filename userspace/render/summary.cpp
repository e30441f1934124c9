// SPDX-License-Identifier: GPL-2.0-only
#include "render/summary.h"

#include "base/text.h"
#include "base/time.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace lastref {

namespace {

/// "2 modules have 3 soft references outstanding."
std::string outstanding(std::int64_t modules, std::int64_t refs, std::string_view kind)
{
    if (refs == 0) {
        return fmt::format("No {} references are outstanding.", kind);
    }
    return fmt::format("{} {} {} outstanding.", plural(modules, "module"),
                       modules == 1 ? "has" : "have",
                       plural(refs, fmt::format("{} reference", kind)));
}

} // namespace

std::string report_summary(const ReportDoc &doc)
{
    if (doc.unloads.empty()) {
        // With a command, those that it gave up are among the unloads.
        return doc.command.empty()
                   ? "No unload was seen. One that rmmod or modprobe gives up by itself, as when "
                     "the "
                     "module is in use, asks nothing of the kernel and leaves nothing to record: "
                     "lastref run -- rmmod MODULE tells of it."
                   : "No unload was seen.";
    }
    std::string out = plural(static_cast<std::int64_t>(doc.unloads.size()), "unload") + ":";
    const char *separator = " ";
    for (const Outcome outcome : {Outcome::Freed, Outcome::Waiting, Outcome::ExitRunning,
                                  Outcome::Crashed, Outcome::Refused, Outcome::NotAttempted}) {
        const auto count = std::count_if(
            doc.unloads.begin(), doc.unloads.end(),
            [outcome](const UnloadRecord &unload) { return unload.outcome == outcome; });
        if (count != 0) {
            out += fmt::format("{}{} {}", separator, count, style::words(name_of(outcome)));
            separator = ", ";
        }
    }
    std::vector<const UnloadRecord *> delayed;
    for (const UnloadRecord &unload : doc.unloads) {
        if (unload.outcome == Outcome::Freed && unload.free_delay_ns) {
            delayed.push_back(&unload);
        }
    }
    std::stable_sort(delayed.begin(), delayed.end(),
                     [](const UnloadRecord *a, const UnloadRecord *b) {
                         return *a->free_delay_ns < *b->free_delay_ns;
                     });
    out += ".";
    if (!delayed.empty()) {
        const UnloadRecord &longest = *delayed.back();
        out += delayed.size() == 1
                   ? fmt::format(" Free delay: {} ({}).", format_duration(*longest.free_delay_ns),
                                 style::module(longest.module))
                   : fmt::format(" Free delay: median {}, longest {} ({}).",
                                 format_duration(*delayed[(delayed.size() - 1) / 2]->free_delay_ns),
                                 format_duration(*longest.free_delay_ns),
                                 style::module(longest.module));
    }
    return out;
}

std::string denied_words(const ReportDoc &doc)
{
    if (doc.denied_requests == 0) {
        return "";
    }
    return fmt::format("Not listed: {} to unload by tasks without CAP_SYS_MODULE, which the kernel "
                       "refused at once.",
                       plural(static_cast<std::int64_t>(doc.denied_requests), "request"));
}

std::string refs_summary(const RefsDoc &doc)
{
    if (!doc.snapshot) {
        return "No snapshot of the counters was taken.";
    }
    std::int64_t soft = 0;
    std::int64_t soft_modules = 0;
    std::int64_t hard = 0;
    std::int64_t hard_modules = 0;
    for (const RefsModule &module : doc.modules) {
        soft += module.soft.value_or(0);
        soft_modules += module.soft.value_or(0) > 0 ? 1 : 0;
        hard += std::max<std::int64_t>(module.hard, 0);
        hard_modules += module.hard > 0 ? 1 : 0;
    }
    std::string out;
    if (doc.soft) {
        out = doc.soft_supported ? outstanding(soft_modules, soft, "soft")
                                 : "This kernel has no soft references.";
    }
    if (doc.hard) {
        out += (out.empty() ? "" : "\n") + outstanding(hard_modules, hard, "hard");
    }
    return out;
}

} // namespace lastref
