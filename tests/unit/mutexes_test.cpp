// SPDX-License-Identifier: GPL-2.0-only
// Whose mutex a task waits for: told by the task itself, or by what is on its stack.

#include "fake_kernel.h"

#include "census/kernel.h"
#include "census/mutexes.h"

#include <gtest/gtest.h>
#include <vector>

namespace lastref::census {
namespace {

constexpr Address here = 0xffff888000000000;
constexpr Address waiting = here + 0x1000, owning = here + 0x2000; // tasks
constexpr Address pid = here + 0x3000, mutex = here + 0x4000, stack = here + 0x5000;
constexpr std::uint32_t links_offset = 16, tasks_offset = 0, list_offset = 24;

/// It says of a few addresses in which function they lie.
class FakeUnwinder final : public Unwinder {
public:
    Stacks stacks(const Target & /*target*/, std::span<const Address> /*wanted*/) override
    {
        return {};
    }
    std::vector<std::string> functions(std::span<const Address> addresses) override
    {
        std::vector<std::string> out;
        for (const auto address : addresses) {
            out.emplace_back(address == in_lock ? "__mutex_lock.constprop.0" : "schedule");
        }
        return out;
    }
    static constexpr Address in_lock = 0xffffffff81000100;
};

class Mutexes : public testing::Test {
protected:
    /// A kernel in which `owning` has the mutex.
    explicit Mutexes(bool says_so = false)
    {
        const auto large = types.integer("long int", 8, true);
        const auto list = types.next() + 1;
        types.pointer(list);
        types.structure("list_head", 16, {{"next", list - 1, 0}, {"prev", list - 1, 64}});
        const auto node = types.next() + 1;
        types.pointer(node);
        types.structure("hlist_node", 16, {{"next", node - 1, 0}, {"pprev", node - 1, 64}});
        const auto head = types.structure("hlist_head", 8, {{"first", node - 1, 0}});
        const auto its_pid = types.pointer(
            types.structure("pid", 64, {{"tasks", types.array(head, 4), 8 * tasks_offset}}));
        const auto counter = types.structure("atomic_long", 8, {{"counter", large, 0}});
        const auto lock = types.pointer(types.structure(
            "mutex", 40, {{"owner", counter, 0}, {"wait_list", list, 8 * list_offset}}));
        types.structure("mutex_waiter", 32, {{"list", list, 0}, {"task", its_pid, 128}});
        std::vector<test::BtfWriter::Member> members{
            {"thread_pid", its_pid, 0}, {"pid_links", types.array(node, 4), 8 * links_offset}};
        if (says_so) {
            members.push_back({"blocked_on", lock, 1024});
        }
        types.structure("task_struct", 256, members);
        source.btf_of["vmlinux"] = types.bytes();
        source.put(owning, pid);
        source.put(pid + tasks_offset, owning + links_offset);
        source.put(mutex, owning | 1); // somebody waits
    }

    test::BtfWriter types;
    test::FakeKernel source;
    FakeUnwinder unwinder;
};

class MutexesThatTasksTell : public Mutexes {
protected:
    MutexesThatTasksTell() : Mutexes(true) {}
};

TEST_F(MutexesThatTasksTell, TheOwnerIsThatOfTheMutexThatBlocksIt)
{
    source.put(waiting + 128, mutex);
    Kernel kernel(source);
    const auto task = kernel.at(waiting, "task_struct");
    EXPECT_EQ(owner_of_awaited_mutex(task, unwinder, stack, {}).address(), owning);
    source.put(waiting + 128, 0);
    kernel.memory().forget();
    EXPECT_FALSE(owner_of_awaited_mutex(task, unwinder, stack, {}));
}

TEST_F(Mutexes, TheOwnerIsFoundByTheWaiterOnTheStack)
{
    // The waiter is in the list of the mutex, and above the call from __mutex_lock().
    constexpr Address waiter = stack + 16, list = mutex + list_offset;
    source.put(waiter, list);
    source.put(waiter + 8, list);
    source.put(list, waiter);
    source.put(list + 8, waiter);
    const std::vector<std::uint64_t> words{0, FakeUnwinder::in_lock, list, list, waiting, 0};
    Kernel kernel(source);
    const auto task = kernel.at(waiting, "task_struct");
    EXPECT_EQ(owner_of_awaited_mutex(task, unwinder, stack, words).address(), owning);
    const std::vector<std::uint64_t> elsewhere{0, 0xffffffff81000200, list, list, waiting, 0};
    EXPECT_FALSE(owner_of_awaited_mutex(task, unwinder, stack, elsewhere))
        << "it is not in __mutex_lock()";
}

TEST_F(Mutexes, WhatIsNoTaskOwnsNothing)
{
    constexpr Address waiter = stack + 16, list = mutex + list_offset;
    source.put(waiter, list);
    source.put(waiter + 8, list);
    source.put(list, waiter);
    source.put(list + 8, waiter);
    source.put(pid + tasks_offset, 0); // its pid knows nothing of it
    const std::vector<std::uint64_t> words{0, FakeUnwinder::in_lock, list, list, waiting, 0};
    Kernel kernel(source);
    EXPECT_FALSE(owner_of_awaited_mutex(kernel.at(waiting, "task_struct"), unwinder, stack, words));
}

} // namespace
} // namespace lastref::census
