// SPDX-License-Identifier: GPL-2.0-only
// What a kernel does not let lastref look for is told, whichever kind it is.

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

} // namespace
} // namespace lastref::census
