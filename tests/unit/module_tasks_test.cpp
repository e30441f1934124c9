// SPDX-License-Identifier: GPL-2.0-only
// Which kernel threads are a module's.
#include "census/module_tasks.h"
#include "toy_kernel.h"

#include <gtest/gtest.h>
#include <map>
#include <vector>

namespace lastref::census {
namespace {

constexpr Address text = 0xffffffffc0201000, elsewhere = 0xffffffff81000000;
constexpr Address soft_threadfn = elsewhere + 0x100;
constexpr std::uint64_t kernel_thread = 0x00200000; // PF_KTHREAD

/// It notes the tasks that it is asked for, and has nothing to say of them.
class ThreadsUnwinder final : public Unwinder {
public:
    Stacks stacks(const Target & /*target*/, std::span<const Address> wanted) override
    {
        asked_for.assign(wanted.begin(), wanted.end());
        return {.stacks = {}, .all = true};
    }
    std::vector<std::string> functions(std::span<const Address> /*addresses*/) override
    {
        return {};
    }
    std::vector<Address> asked_for;
};

/// A kernel of three threads: one runs the module's function, one runs it by
/// module_kthread_run_soft(), one has nothing to do with it.
class ModuleThreads : public testing::Test {
protected:
    ModuleThreads()
    {
        fake_.structure("list_head", "list_head* next; list_head* prev");
        fake_.structure("kthread", "void* threadfn; void* data");
        fake_.structure("soft_thread", "void* mod; void* threadfn");
        fake_.structure("task_struct", "list_head tasks; u64 flags; u32 tgid; u32 pid; "
                                       "kthread* worker_private");
        init_ = last_ = fake_.make("task_struct");
        fake_.symbols["init_task"] = init_;
        link(init_, init_);
        own_ = thread(text + 0x10);
        soft_ = thread(soft_threadfn);
        const auto given = fake_.make("soft_thread");
        fake_.set(given, "soft_thread", "threadfn", text + 0x20);
        fake_.set(kthreads_[soft_], "kthread", "data", given);
        thread(elsewhere);
    }

    void link(Address task, Address next)
    {
        fake_.set(task, "list_head", "next", next);
        fake_.set(next, "list_head", "prev", task);
    }
    Address thread(Address function)
    {
        const auto task = fake_.make("task_struct");
        const auto kthread = fake_.make("kthread");
        fake_.set(kthread, "kthread", "threadfn", function);
        fake_.set(task, "task_struct", "flags", kernel_thread);
        fake_.set(task, "task_struct", "worker_private", kthread);
        link(last_, task);
        link(task, init_);
        last_ = task;
        kthreads_[task] = kthread;
        return task;
    }
    std::vector<Address> found(std::optional<std::int64_t> soft)
    {
        Kernel kernel(fake_);
        Search search(kernel, 0);
        ThreadsUnwinder unwinder;
        std::vector<NotExamined> not_examined;
        const Target target{.soft = soft, .text = {text, 0x1000}};
        look_at_tasks(search, unwinder, target, "foo", 1, not_examined);
        EXPECT_TRUE(not_examined.empty());
        return unwinder.asked_for;
    }

    ToyKernel fake_;
    std::map<Address, Address> kthreads_;
    Address init_ = 0, last_ = 0, own_ = 0, soft_ = 0;
};

TEST_F(ModuleThreads, AreThoseThatRunItsFunctions)
{
    EXPECT_EQ(found(std::nullopt), std::vector{own_});
}

TEST_F(ModuleThreads, AreAlsoThoseThatHoldASoftReferenceMeanwhile)
{
    fake_.symbols["soft_threadfn"] = soft_threadfn;
    EXPECT_EQ(found(0), (std::vector{own_, soft_}));
}

TEST_F(ModuleThreads, OfAKernelWithoutSuchThreadsAreTheOthers)
{
    EXPECT_EQ(found(0), std::vector{own_});
}

} // namespace
} // namespace lastref::census
