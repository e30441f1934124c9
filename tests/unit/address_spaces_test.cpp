// SPDX-License-Identifier: GPL-2.0-only
#include "census/address_spaces.h"
#include "toy_kernel.h"

#include <gtest/gtest.h>

namespace lastref::census {
namespace {

/// A process of two threads, which is in the list of all.
class Threads : public testing::Test {
protected:
    Threads()
    {
        fake_.structure("list_head", "list_head* next; list_head* prev");
        fake_.structure("signal_struct", "list_head thread_head");
        fake_.structure("task_struct",
                        "list_head tasks; signal_struct* signal; list_head thread_node");
        const auto init = fake_.make("task_struct");
        process_ = fake_.make("task_struct");
        thread_ = fake_.make("task_struct");
        const auto signal = fake_.make("signal_struct");
        fake_.set(process_, "task_struct", "signal", signal);
        chain({signal, node(process_, "thread_node"), node(thread_, "thread_node")});
        chain({init, process_});
    }

    Address node(Address task, const std::string &list)
    {
        return fake_.at(task, "task_struct", list);
    }
    void chain(const std::vector<Address> &nodes)
    {
        for (std::size_t i = 0; i < nodes.size(); i++) {
            const auto next = nodes[(i + 1) % nodes.size()];
            fake_.set(nodes[i], "list_head", "next", next);
            fake_.set(next, "list_head", "prev", nodes[i]);
        }
    }
    std::size_t count(bool &torn)
    {
        Kernel kernel(fake_);
        Search search(kernel, 0);
        const auto threads = threads_of(search, kernel.at(process_, "task_struct"));
        torn = kernel.problems().torn;
        return threads.size();
    }

    ToyKernel fake_;
    Address process_ = 0, thread_ = 0;
};

TEST_F(Threads, AreThoseOfTheProcess)
{
    bool torn = false;
    EXPECT_EQ(count(torn), 2U);
    EXPECT_FALSE(torn);
}

TEST_F(Threads, ThatChangeAllTheTimeAreToldOf)
{
    fake_.set(node(thread_, "thread_node"), "list_head", "prev", thread_);
    bool torn = false;
    count(torn);
    EXPECT_TRUE(torn);
}

TEST_F(Threads, OfAProcessThatHasEndedAreNone)
{
    constexpr Address poison = 0x122; // LIST_POISON2: it is in no list any more
    fake_.set(node(thread_, "thread_node"), "list_head", "prev", poison);
    fake_.set(process_, "list_head", "prev", poison);
    bool torn = false;
    EXPECT_EQ(count(torn), 0U);
    EXPECT_FALSE(torn);
}

} // namespace
} // namespace lastref::census
