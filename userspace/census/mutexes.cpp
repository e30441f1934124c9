// SPDX-License-Identifier: GPL-2.0-only
#include "census/mutexes.h"

#include "census/kernel.h"

#include <algorithm>

namespace lastref::census {
namespace {

/// The kernel proper is mapped at a fixed place on x86-64, modules follow.
bool is_kernel_text(std::uint64_t address)
{
    return address >= 0xffffffff80000000 && address < 0xffffffffc0000000;
}

/// Whether that is the address of a task: its pid says so too.
bool is_task(const Object &task)
{
    const auto first = task["thread_pid"]["tasks"][0]["first"].pointer();
    return first != 0 && first == task["pid_links"][0].address();
}

/// The task in the word that a mutex has of its owner, of which the lowest three bits are flags.
Object owner_in(const Object &mutex, bool must_have_waiters)
{
    const auto word = static_cast<std::uint64_t>(mutex["owner"]["counter"].number().value_or(0));
    if (word == 0 || (must_have_waiters && (word & 1) == 0)) {
        return {};
    }
    const auto task = mutex.kernel()->at(word & ~std::uint64_t{7}, "task_struct");
    return is_task(task) ? task : Object();
}

/// Whether that is a node of a list that both its neighbours agree on.
bool is_linked(const Object &links)
{
    return links["next"]["prev"].pointer() == links.address() &&
           links["prev"]["next"].pointer() == links.address();
}

/// Where the stack comes back into __mutex_lock(), by its index; else the end. The unwinder leaves
/// out the functions of the scheduler and of locks.
std::size_t in_mutex_lock(Unwinder &unwinder, const std::vector<std::uint64_t> &words)
{
    std::vector<Address> addresses;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < words.size(); i++) {
        if (is_kernel_text(words[i])) {
            addresses.push_back(words[i]);
            at.push_back(i);
        }
    }
    const auto names = unwinder.functions(addresses);
    for (std::size_t i = 0; i < names.size(); i++) {
        if (names[i].starts_with("__mutex_lock")) {
            return at[i];
        }
    }
    return words.size();
}

} // namespace

Object owner_of_awaited_mutex(const Object &task, Unwinder &unwinder, Address begin,
                              const std::vector<std::uint64_t> &words)
{
    if (task.has("blocked_on")) { // from v6.17 on it says so itself
        const auto mutex = task["blocked_on"];
        return mutex ? owner_in(mutex.target(), false) : Object();
    }
    auto &kernel = *task.kernel();
    const auto to_task = kernel.offset("mutex_waiter", "task");
    const auto to_list = kernel.offset("mutex_waiter", "list");
    if (!to_task || !to_list) {
        return {};
    }
    // The waiter is above the return address of __mutex_lock()'s call of schedule().
    for (auto i = in_mutex_lock(unwinder, words); i < words.size(); i++) {
        if (words[i] != task.address()) {
            continue;
        }
        const auto waiter = begin + i * sizeof(words[0]) - *to_task + *to_list;
        auto links = kernel.at(waiter, "list_head");
        if (!is_linked(links)) {
            continue;
        }
        // All nodes but one are waiters on stacks; that one is in the mutex, after its owner.
        constexpr int most_waiters = 256;
        for (int step = 0; step < most_waiters && links; step++) {
            if (const auto owner = owner_in(links.in("mutex", "wait_list"), true)) {
                return owner;
            }
            links = links["next"].target();
        }
        return {};
    }
    return {};
}

} // namespace lastref::census
