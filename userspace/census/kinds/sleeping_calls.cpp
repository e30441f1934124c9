// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "census/address_spaces.h"
#include "census/passed_files.h"
#include "census/paths.h"
#include "census/search.h"
#include "census/sleeping_call.h"
#include "census/watchdogs.h"

#include <fmt/format.h>

namespace lastref::census {
namespace {

constexpr FileWords words{{
    .detail = "{call} has not returned, and no descriptor leads to {path}",
    .clause = "{who} is in {call} on {path}, to which no descriptor leads",
    .remedy = end_process,
}};
constexpr auto what = "calls on files that were closed meanwhile";

std::string name_of(const SleepingCall &call)
{
    const auto *of_files = call.of_files();
    return of_files == nullptr ? "poll" : std::string(of_files->name);
}

void report(Search &search, const SleepingCall &call, const Object &file, const FileHold &hold)
{
    auto &found = search.found(HolderKind::OpenFile, words.usual, file, hold.refs);
    found.task = search.task_of(call.task);
    found.path = path_of(search, file["f_path"]);
    found.count_in(hold.counted_in);
    found.with("call", name_of(call) + "(2)");
    choose_words(found, words, is_watchdog(search, file));
}

/// False where its call cannot be told.
bool look_at_task(Search &search, const Object &task)
{
    const auto call = sleeping_call_of(search, task);
    if (!call || call->is_compat) {
        return !call;
    }
    const auto [files, sure] = files_without_descriptor(search, *call);
    for (const auto &file : files) {
        const auto hold = hold_of_passed_file(search, file);
        if (!hold || is_open_by(search, task, file.address()) || !call->still_sleeps()) {
            continue;
        }
        if (sure) {
            report(search, *call, file, hold);
            continue;
        }
        const auto owner = search.task_of(task);
        search.not_examined(
            fmt::format("what {}[{}] holds", owner.comm, owner.pid),
            fmt::format("it is in {}(2) on a file to which no descriptor leads, and "
                        "which one of several that is does not show",
                        name_of(*call)),
            true);
    }
    return true;
}

/// A call keeps its file until it returns, though the descriptor be closed meanwhile: a read() that
/// waits in one thread, and the close() of another.
void look(Search &search)
{
    std::int64_t others = 0;
    for (const auto &process : search.processes()) {
        if (!is_of_kernel(process)) {
            for (const auto &task : threads_of(search, process)) {
                others += look_at_task(search, task) ? 0 : 1;
            }
        }
    }
    if (others > 0) {
        search.not_examined(what, fmt::format("{} of 32-bit programs", plural(others, "call")),
                            true);
    }
}

constexpr Symbol symbols[] = {{"init_task"}};

constexpr Reference references[] = {
    {"`open_file`, in a call", "the same, until the call returns", "the same",
     "the stacks of all threads that sleep in a call on a descriptor that leads elsewhere now, or "
     "in accept(2), which has the file of the next connection already"},
};
constexpr Doc doc{"A call on a file of the module's sleeps, and its descriptor was closed "
                  "meanwhile, or is yet to be made",
                  references, "The call returns, or its process ends"};

} // namespace

extern const Kind sleeping_calls{what, doc, symbols, look, true};

} // namespace lastref::census
