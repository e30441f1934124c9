// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"
#include "census/sleeping_call.h"
#include "toy_kernel.h"

#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::census {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Address thread_size = 1 << 14;
constexpr Address read_call = 0, sendfile_call = 40, accept_call = 43, nanosleep_call = 35;

/// A task that sleeps in read(3), while its descriptors 3 and 4 lead to nothing.
class SleepingCalls : public testing::Test {
protected:
    SleepingCalls()
    {
        fake_.structure("word", "u64 value");
        fake_.structure("slots", "u64 a; u64 b; u64 c; u64 d; u64 e");
        fake_.structure("list_head", "list_head* next; list_head* prev");
        fake_.structure("counter", "u64 counter");
        fake_.structure("inode", "u64 i_ino");
        fake_.structure("dentry", "inode* d_inode");
        fake_.structure("path", "void* mnt; dentry* dentry");
        fake_.structure("file", "counter f_count; void* f_op; inode* f_inode; path f_path; "
                                "void* private_data");
        fake_.structure("socket", "file* file");
        fake_.structure("fdtable", "u64 max_fds; file** fd");
        fake_.structure("files_struct", "fdtable* fdt");
        fake_.structure("pt_regs", "u64 dx; u64 si; u64 di; u64 ax; u64 orig_ax; u64 cs; u64 ss");
        fake_.structure("thread_struct", "u64 sp");
        fake_.structure("signal_struct", "list_head thread_head");
        fake_.structure("task_struct",
                        "list_head tasks; list_head thread_node; signal_struct* signal; "
                        "u64 flags; u64 __state; u64 on_cpu; u64 nvcsw; u64 nivcsw; void* stack; "
                        "thread_struct thread; files_struct* files");
        make_task();
        in_call(read_call, 3);
    }

    void make_task()
    {
        task_ = fake_.make("task_struct");
        const auto signal = fake_.make("signal_struct");
        set("signal", signal);
        link(signal, fake_.at(task_, "task_struct", "thread_node"));
        const auto init = fake_.make("task_struct");
        link(init, task_);
        fake_.symbols["init_task"] = init;
        std::string words = "u64 w0";
        for (std::size_t i = 1; i < thread_size / sizeof(Address); i++) {
            words += "; u64 w" + std::to_string(i);
        }
        fake_.structure("stack", words);
        stack_ = fake_.make("stack");
        set("stack", stack_);
        set("thread.sp", stack_ + thread_size - 0x800);
        slots_ = fake_.make("slots");
        const auto table = fake_.make("fdtable"), files = fake_.make("files_struct");
        fake_.set(table, "fdtable", "max_fds", 5);
        fake_.set(table, "fdtable", "fd", slots_);
        fake_.set(files, "files_struct", "fdt", table);
        set("files", files);
    }
    void set(const std::string &member, Address value)
    {
        fake_.set(task_, "task_struct", member, value);
    }
    void link(Address a, Address b)
    {
        for (const auto &[from, to] : {std::pair(a, b), std::pair(b, a)}) {
            fake_.set(from, "list_head", "next", to);
            fake_.set(from, "list_head", "prev", to);
        }
    }
    void in_call(Address number, Address first, Address second = 0)
    {
        constexpr Address user_code = 0x33, user_data = 0x2b, size = 7 * sizeof(Address);
        const auto registers = stack_ + thread_size - size;
        const auto put = [&](const char *name, Address value) {
            fake_.set(registers, "pt_regs", name, value);
        };
        put("di", first);
        put("si", second);
        put("ax", static_cast<Address>(-ENOSYS));
        put("orig_ax", number);
        put("cs", user_code);
        put("ss", user_data);
    }
    Address file(Address count = 1)
    {
        const auto out = fake_.make("file");
        const auto inode = fake_.make("inode"), dentry = fake_.make("dentry");
        fake_.set(dentry, "dentry", "d_inode", inode);
        fake_.set(out, "file", "f_count", count);
        fake_.set(out, "file", "f_op", inode);
        fake_.set(out, "file", "f_inode", inode);
        fake_.set(out, "file", "f_path.dentry", dentry);
        return out;
    }
    /// A word of the stack; 0 is the innermost.
    void on_stack(Address index, Address value)
    {
        fake_.set(stack_ + thread_size - 0x800 + index * sizeof(Address), "word", "value", value);
    }
    void descriptor(Address number, Address file)
    {
        fake_.set(slots_ + number * sizeof(Address), "word", "value", file);
    }
    std::vector<Address> files(bool sure = true)
    {
        Kernel kernel(fake_);
        Search search(kernel, 0);
        const auto call = sleeping_call_of(search, kernel.at(task_, "task_struct"));
        std::vector<Address> out;
        if (!call) {
            return {1};
        }
        const auto found = files_without_descriptor(search, *call);
        for (const auto &one : found.files) {
            out.push_back(one.address());
        }
        EXPECT_EQ(found.sure, sure);
        EXPECT_TRUE(call->still_sleeps());
        EXPECT_TRUE(kernel.problems().none());
        return out;
    }
    bool sleeps()
    {
        Kernel kernel(fake_);
        Search search(kernel, 0);
        return sleeping_call_of(search, kernel.at(task_, "task_struct")).has_value();
    }

    ToyKernel fake_;
    Address task_ = 0, stack_ = 0, slots_ = 0;
};

TEST_F(SleepingCalls, HaveTheFileOfADescriptorThatIsClosed)
{
    const auto held = file();
    on_stack(3, 0xffff888000000000 + 0x123); // no structure is there
    on_stack(4, 0xffff990000000000);         // nothing is
    on_stack(5, held);
    on_stack(9, held | 1); // a struct fd of 6.12
    EXPECT_THAT(files(), ElementsAre(held));
    descriptor(3, file()); // of the next open()
    EXPECT_THAT(files(), ElementsAre(held));
}

TEST_F(SleepingCalls, HaveTheFileOfASocket)
{
    const auto held = file(), socket = fake_.make("socket");
    fake_.set(socket, "socket", "file", held);
    fake_.set(held, "file", "private_data", socket);
    on_stack(5, socket);
    EXPECT_THAT(files(), ElementsAre(held));
}

TEST_F(SleepingCalls, OnWhatTheirDescriptorLeadsToAreToldOfByThat)
{
    const auto open = file(), other = file();
    descriptor(3, open);
    on_stack(5, open);
    on_stack(6, other); // what an earlier call has left
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SleepingCalls, HaveNoFileThatIsFree)
{
    on_stack(5, file(0));
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SleepingCalls, AreNotSureWhereThereAreSeveralFiles)
{
    const auto one = file(), other = file();
    on_stack(5, one);
    on_stack(6, other);
    EXPECT_THAT(files(false), ElementsAre(one, other));
    descriptor(4, one); // which has the only reference to it
    EXPECT_THAT(files(), ElementsAre(other));
}

TEST_F(SleepingCalls, MayHaveTwoFiles)
{
    const auto from = file(), to = file();
    in_call(sendfile_call, 3, 4);
    on_stack(5, from);
    on_stack(6, to);
    EXPECT_THAT(files(), ElementsAre(from, to));
    descriptor(4, to);
    EXPECT_THAT(files(), ElementsAre(from));
}

TEST_F(SleepingCalls, OfAcceptHaveTheFileOfTheNextConnection)
{
    const auto open = file(), made = file();
    in_call(accept_call, 3);
    descriptor(3, open);
    on_stack(5, open);
    on_stack(6, made);
    EXPECT_THAT(files(), ElementsAre(made));
    descriptor(3, 0);
    EXPECT_THAT(files(), ElementsAre(open, made));
}

TEST_F(SleepingCalls, OfOtherKindsHaveNone)
{
    on_stack(5, file());
    in_call(nanosleep_call, 3);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SleepingCalls, AreOnlyThoseOfTasksThatSleepInOne)
{
    EXPECT_TRUE(sleeps());
    set("on_cpu", 1);
    EXPECT_FALSE(sleeps());
    set("on_cpu", 0);
    set("__state", 8); // traced: maybe before its call
    EXPECT_FALSE(sleeps());
    set("__state", 1);
    EXPECT_TRUE(sleeps());
    fake_.set(stack_ + thread_size - 7 * sizeof(Address), "pt_regs", "ax", 0); // it has returned
    EXPECT_FALSE(sleeps());
}

TEST_F(SleepingCalls, AreOverOnceTheTaskHasRun)
{
    Kernel kernel(fake_);
    Search search(kernel, 0);
    const auto call = sleeping_call_of(search, kernel.at(task_, "task_struct"));
    ASSERT_TRUE(call);
    set("nvcsw", 1);
    EXPECT_FALSE(call->still_sleeps());
}

} // namespace
} // namespace lastref::census
