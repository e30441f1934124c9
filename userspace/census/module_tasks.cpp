// SPDX-License-Identifier: GPL-2.0-only
#include "census/module_tasks.h"

#include "base/text.h"
#include "census/address_spaces.h"
#include "census/mutexes.h"
#include "census/walks.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace lastref::census {
namespace {

constexpr Reference task_references[] = {
    {"`init`", "1, until the init routine has returned",
     "`module_unload_init()`; put at the end of `do_init_module()`",
     "the stacks of those in `init_module(2)`"},
    {"`kthread`", "none by itself", "`kthread_create()` takes none",
     "`kthread.threadfn` of all kernel threads, or what `module_kthread_run_soft()` has them call"},
    {"`task_stack`", "none by itself", "–", "the stacks of all tasks that are not on a processor"},
};

constexpr auto tasks_in_it = "tasks that run in the module";
constexpr std::int64_t pf_exiting = 0x00000004; // include/linux/sched.h, where it is a macro

/// System calls, by their numbers for x86-64 and for i386.
bool is_delete_module(std::uint64_t nr)
{
    return nr == 176 || nr == 129;
}

bool is_init_module(std::uint64_t nr)
{
    return nr == 175 || nr == 313 || nr == 128 || nr == 350;
}

bool lies_in(const Range &range, Address address)
{
    return address - range.start < range.size;
}

std::uint64_t number(const Object &value)
{
    return static_cast<std::uint64_t>(value.number().value_or(0));
}

/// What a kernel thread was created for. module_kthread_run_soft() has it run a function of its
/// own, which holds a soft reference while it calls the module's.
Address function_of(Search &search, const Target &target, const Object &process)
{
    const auto thread = process["worker_private"].as("kthread");
    const auto function = thread["threadfn"].pointer();
    const bool is_helped = target.soft && search.kernel().leads_to(function, "soft_threadfn");
    return is_helped ? thread["data"].as("soft_thread")["threadfn"].pointer() : function;
}

/// Kernel threads whose function lies in the module. Their struct kthread is worker_private from
/// commit e32cf5dfbe22 (in v5.17) on.
std::vector<Address> threads_in(Search &search, const Target &target)
{
    std::vector<Address> out;
    for (const auto &process : search.processes()) {
        if (!is_of_kernel(process)) {
            continue;
        }
        const auto function = function_of(search, target, process);
        if (lies_in(target.text, function) || lies_in(target.init_text, function)) {
            out.push_back(process.address());
        }
    }
    return out;
}

/// When a task came onto a processor last, by the scheduler's clock; 0: this kernel does not keep
/// it (CONFIG_SCHED_INFO, without which the structure is empty).
std::uint64_t last_arrival(const Object &task)
{
    const auto info = task["sched_info"];
    return info.has("last_arrival") ? number(info["last_arrival"]) : 0;
}

/// From when a task came onto a processor last until lastref did; 0: not known.
std::uint64_t since_arrival(const Object &task, std::uint64_t own_arrival)
{
    if (own_arrival == 0) {
        return 0;
    }
    const auto then = last_arrival(task);
    return own_arrival > then ? own_arrival - then : 0;
}

std::uint64_t arrival_of(Search &search, std::uint32_t pid)
{
    const auto &all = search.processes();
    const auto found = std::find_if(all.begin(), all.end(), [pid](const Object &process) {
        return process["tgid"].number() == pid;
    });
    return found == all.end() ? 0 : last_arrival(*found);
}

/// What a task that is in a system call of modules has to do with this one.
void judge_call(ModuleTask &out, const std::vector<std::uint64_t> &words, const Stack &stack,
                const Target &target, std::string_view module)
{
    if (std::find(words.begin(), words.end(), target.module) != words.end()) {
        out.unloads = is_delete_module(stack.syscall);
        out.loads = is_init_module(stack.syscall);
        return;
    }
    // delete_module(2) copies the name to its stack.
    std::string name(module);
    name.push_back(0);
    const auto *bytes = reinterpret_cast<const char *>(words.data());
    const auto size = words.size() * sizeof(words[0]);
    for (std::size_t at = 0; at + name.size() <= size; at += sizeof(words[0])) {
        if (std::memcmp(bytes + at, name.data(), name.size()) == 0) {
            out.queued = is_delete_module(stack.syscall);
            return;
        }
    }
}

/// The words of a stack from its inner end on; of a task on a processor, all of it.
std::vector<std::uint64_t> words_of(Search &search, const Object &task, const Stack &stack,
                                    bool running, Address &begin)
{
    constexpr std::size_t most = 8192;
    begin = running ? task["stack"].pointer() : number(task["thread"]["sp"]);
    std::vector<std::uint64_t> words;
    for (auto at = begin; at < stack.end && words.size() < most; at += sizeof(words[0])) {
        const auto word = search.kernel().memory().read<std::uint64_t>(at);
        if (!word) {
            break;
        }
        words.push_back(*word);
    }
    return words;
}

ModuleTask module_task_of(Search &search, Unwinder &unwinder, const Stack &stack,
                          const Target &target, std::string_view module, bool is_thread)
{
    const auto task = search.kernel().at(stack.task, "task_struct");
    ModuleTask out{.is_thread = is_thread, .in_module = stack.in_module, .task = stack.task};
    const bool is_kernels = is_of_kernel(task);
    const bool is_exiting = (task["flags"].number().value_or(0) & pf_exiting) != 0;
    out.running = number(task["on_cpu"]) != 0;
    // A task that has crashed in a system call is exiting.
    const bool calls = is_delete_module(stack.syscall) || is_init_module(stack.syscall);
    if (calls && !is_exiting && !is_kernels) {
        Address begin = 0;
        const auto words = words_of(search, task, stack, out.running, begin);
        judge_call(out, words, stack, target, module);
        if (const auto owner = owner_of_awaited_mutex(task, unwinder, begin, words)) {
            out.lock_owner = search.task_of(owner);
        }
    }
    out.process = search.task_of(task);
    if (!is_kernels) {
        if (const auto parent = task["group_leader"]["real_parent"]) {
            out.parent = search.task_of(parent.target());
        }
    }
    out.start_ns = number(task["start_boottime"]);
    out.switches = number(task["nvcsw"]) + number(task["nivcsw"]);
    out.cpu_ns = number(task["se"]["sum_exec_runtime"]);
    out.stack = stack.frames;
    out.inside = stack.inside;
    return out;
}

ModuleTasks look_once(Search &search, Unwinder &unwinder, const Target &target,
                      std::string_view module, std::uint32_t self,
                      std::vector<NotExamined> &not_examined)
{
    search.kernel().memory().forget();
    search.kernel().begin();
    const auto threads = threads_in(search, target);
    const auto found = unwinder.stacks(target, threads);
    if (found.error != 0) {
        not_examined.push_back({tasks_in_it, in_words(found.error)});
        return {};
    }
    ModuleTasks out;
    search.kernel().memory().forget(); // stacks are newer than what was read before
    const auto own_arrival = arrival_of(search, self);
    for (const auto &stack : found.stacks) {
        const bool is_thread =
            std::find(threads.begin(), threads.end(), stack.task) != threads.end();
        auto task = module_task_of(search, unwinder, stack, target, module, is_thread);
        task.since_arrival_ns =
            since_arrival(search.kernel().at(stack.task, "task_struct"), own_arrival);
        if (task.is_thread || task.in_module || task.loads || task.unloads || task.queued) {
            out.tasks.push_back(std::move(task));
        }
    }
    for (const auto &missing : search.kernel().problems().missing) {
        not_examined.push_back({tasks_in_it, missing});
    }
    search.kernel().take_unknown(not_examined, tasks_in_it);
    if (found.left_out > 0) {
        not_examined.push_back({plural(static_cast<std::int64_t>(found.left_out), "more task"),
                                fmt::format("they run in the module, and lastref has room for {}",
                                            found.stacks.size())});
    }
    leave_one_loader(out.tasks);
    out.all = found.all && found.left_out == 0;
    return out;
}

} // namespace

bool runs_init(const ModuleTask &task)
{
    return std::any_of(task.stack.begin(), task.stack.end(),
                       [](const auto &frame) { return frame.starts_with("do_init_module+"); });
}

void leave_one_loader(std::vector<ModuleTask> &tasks)
{
    const auto loads = [](const ModuleTask &task) { return task.loads; };
    auto loader = std::find_if(tasks.begin(), tasks.end(), [&](const ModuleTask &task) {
        return loads(task) && runs_init(task);
    });
    if (loader == tasks.end()) {
        loader = std::find_if(tasks.begin(), tasks.end(), loads);
    }
    const auto one = loader == tasks.end() ? 0 : loader->task;
    std::erase_if(tasks, [&](const ModuleTask &task) { return loads(task) && task.task != one; });
}

extern const Doc doc_of_tasks{
    "A task runs in the module: it loads it, or it may be what a reference was taken for",
    task_references, "It returns from the module"};

ModuleTasks look_at_tasks(Search &search, Unwinder &unwinder, const Target &target,
                          std::string_view module, std::uint32_t self,
                          std::vector<NotExamined> &not_examined)
{
    try {
        return look_once(search, unwinder, target, module, self, not_examined);
    } catch (const TooMuchToRead &) {
        not_examined.push_back(
            {tasks_in_it, "what has to do with them is longer than lastref goes"});
        return {};
    }
}

} // namespace lastref::census
