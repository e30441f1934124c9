// SPDX-License-Identifier: GPL-2.0-only
// What a kernel does not let lastref look for is told, whichever kind it is.

#include "census/module_tasks.h"
#include "census/registry.h"
#include "census/search.h"
#include "toy_kernel.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace lastref::census {
namespace {

/// What is said of a kind on a kernel that tells where its symbols are, and of its types none but
/// one that has nothing to do with anything.
std::vector<NotExamined> said_without_types(const Kind &kind)
{
    ToyKernel kernel;
    kernel.structure("unknown", "u64 to_lastref; u64 as_well");
    kernel.make("unknown"); // the next one's address is no 0, whichever part of it is read
    const auto somewhere = kernel.make("unknown");
    kernel.set(somewhere, "unknown", "to_lastref",
               somewhere); // where variables point to, if any do
    kernel.set(somewhere, "unknown", "as_well", somewhere);
    for (const auto &symbol : kind.symbols) {
        kernel.symbols[std::string(symbol.name)] = somewhere;
    }
    Kernel reading(kernel);
    Search search(reading, somewhere);
    std::vector<NotExamined> said;
    search.look_for(kind, said);
    EXPECT_TRUE(search.findings().empty()) << kind.what;
    return said;
}

TEST(Kinds, NameWhatCannotBeLookedFor)
{
    std::size_t looked = 0;
    for (const auto *kind : kinds()) {
        // Where the kernel has such things a type says (dma_bufs); or it is looked for only where
        // there are mounts, and then nothing is known of those.
        if (kind->symbols.empty() || kind->what == "processes that use its file systems") {
            continue;
        }
        looked++;
        EXPECT_FALSE(said_without_types(*kind).empty()) << kind->what;
    }
    EXPECT_GT(looked, 20U);
}

TEST(Kinds, NameTheSymbolsThatTheyLack)
{
    for (const auto *kind : kinds()) {
        const bool is_needed =
            std::any_of(kind->symbols.begin(), kind->symbols.end(), [](const Symbol &symbol) {
                return symbol.sign.empty() && symbol.name.find(':') == std::string_view::npos;
            });
        ToyKernel kernel;
        kernel.structure("unknown", "u64 to_lastref");
        Kernel reading(kernel);
        Search search(reading, kernel.make("unknown"));
        std::vector<NotExamined> said;
        search.look_for(*kind, said);
        EXPECT_EQ(said.empty() && is_needed, false) << kind->what;
    }
}

/// Only one task loads a module, and has its reference: the others wait for it.
TEST(ModuleTasks, OneOfSeveralLoadersIsTheOne)
{
    const auto loader = [](Address task, std::vector<std::string> stack) {
        return ModuleTask{.loads = true, .task = task, .stack = std::move(stack)};
    };
    std::vector<ModuleTask> tasks{
        loader(1, {"schedule+0x1", "load_module+0x1"}),
        loader(2, {"msleep+0x1", "foo_init+0x1 [foo]", "do_init_module+0x1"}),
        {.in_module = true, .task = 3},
        loader(4, {"schedule+0x1", "load_module+0x1"}),
    };
    const auto left = [&tasks] {
        leave_one_loader(tasks);
        std::vector<Address> out;
        for (const auto &task : tasks) {
            out.push_back(task.task);
        }
        return out;
    };
    EXPECT_EQ(left(), (std::vector<Address>{2, 3}));
    tasks = {{.in_module = true, .task = 3}, loader(5, {}), loader(6, {})};
    EXPECT_EQ(left(), (std::vector<Address>{3, 5})) << "before the init routine";
    tasks = {{.in_module = true, .task = 3}};
    EXPECT_EQ(left(), (std::vector<Address>{3}));
}

} // namespace
} // namespace lastref::census
