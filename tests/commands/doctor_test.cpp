// SPDX-License-Identifier: GPL-2.0-only
// lastref doctor: of a kernel that has nothing, and of one that has what it needs to search.

#include "made_up.h"

#include "kernel/bpf_needs.h"
#include "render/render.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json command(const json &doc, const std::string &name)
{
    for (const auto &one : doc["commands"]) {
        if (one["command"] == name) {
            return one;
        }
    }
    return {};
}

/// All that `why` needs.
kernel::Environment searchable()
{
    kernel::Environment env;
    env.release = "6.12.1";
    env.privileges.capabilities = ~0ULL;
    env.privileges.root = true;
    env.btf = env.modules = env.kprobes = true;
    for (const auto &need : kernel::bpf_needs()) {
        env.bpf.emplace(need.enumerator);
    }
    const std::vector<std::string_view> wanted{"modules"};
    std::string_view text = "ffffffff82a0e3c0 D modules\n";
    env.symbols = procfs::Symbols::parse(wanted, [&text](std::span<char> into) {
        const auto size = text.copy(into.data(), into.size());
        text.remove_prefix(size);
        return size;
    });
    return env;
}

TEST_F(Commands, DoctorOfAKernelThatHasNothing)
{
    made_up().environment.release = "6.12.1";
    const auto said = lastref({"doctor"});
    EXPECT_EQ(said.status, unsupported);
    EXPECT_THAT(said.out, AllOf(HasSubstr("Linux 6.12.1\n"), HasSubstr("  absent "),
                                HasSubstr("          → "), HasSubstr("What works here"),
                                HasSubstr("  NO   trace")));
    const auto doc = json::parse(lastref({"doctor", "-j"}).out);
    EXPECT_EQ(doc["schema"], "lastref.doctor/1");
    EXPECT_TRUE(doc["probes"].empty()); // of which nothing is known
    EXPECT_FALSE(command(doc, "why")["works"]);
    EXPECT_TRUE(command(doc, "report FILE, --replay FILE")["works"]);
}

TEST_F(Commands, DoctorSaysWhatWhyCannotLookFor)
{
    made_up().environment = searchable();
    made_up().limits = {{.what = "swap files", .why = "no symbol swap_info"},
                        {.what = "terminals", .why = "no type tty_struct"}};
    const auto doc = json::parse(lastref({"doctor", "-j"}).out);
    const auto why = command(doc, "why");
    EXPECT_TRUE(why["works"]);
    EXPECT_THAT(why["limits"].get<std::string>(),
                HasSubstr("cannot look for swap files, terminals"));
    EXPECT_EQ(doc["findings"].back()["what"], "holders: terminals");
    EXPECT_EQ(doc["findings"].back()["level"], "limit");
    EXPECT_FALSE(doc["probes"].empty());
    EXPECT_EQ(doc["probes"][0]["state"].get<std::string>().empty(), false);
    const auto text = lastref({"doctor"}).out;
    EXPECT_THAT(text, AllOf(HasSubstr("  limit   holders: swap files: no symbol swap_info"),
                            HasSubstr("  good    kernel types")));
    if (!has_html()) {
        EXPECT_THAT(text, HasSubstr("not --format=html"));
    }
}

} // namespace
} // namespace lastref::test
