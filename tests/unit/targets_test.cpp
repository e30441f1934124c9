// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/probes.h"
#include "kernel/targets.h"
#include "procfs/parse.h"
#include "source_tree.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::kernel {
namespace {

using State = TargetState;

/// As Debian's 6.12 and 6.1, and a 6.12 built here, have them; but for the two of a module.
constexpr std::string_view kallsyms = "ffffffff81eac660 D modules\n"
                                      "ffffffff810dc5b0 T find_module_all\n"
                                      "ffffffff86bd61de t find_module_all.cold\n"
                                      "ffffffff810dc7e0 T find_module\n"
                                      "ffffffff810dca40 t free_module\n"
                                      "ffffffff8107d370 t lookup_or_create_module_kobject.part.0\n"
                                      "ffffffff8107de00 T lookup_or_create_module_kobject\n"
                                      "ffffffff810ab360 t __percpu_rwsem_trylock.part.0\n"
                                      "ffffffff810dc690 t module_patient_check_exists.constprop.0\n"
                                      "ffffffff867cf7c0 t __ddebug_add_module.constprop.0\n"
                                      "ffffffff86be916f t __ddebug_add_module.constprop.0.cold\n"
                                      "ffffffffb32ea1b0 t cr4_set_bits.constprop.0\n"
                                      "ffffffffb32ed0c0 t cr4_set_bits.constprop.0\n"
                                      "ffffffff81020a70 t type_show\n"
                                      "ffffffff81083db0 t type_show\n"
                                      "ffffffff81600870 T asm_exc_overflow\n"
                                      "ffffffff810df4f0 t __do_sys_delete_module\n"
                                      "ffffffffc0123000 t do_init_module\t[nf_tables]\n"
                                      "ffffffffc0123040 t free_module\t[nf_tables]\n";

constexpr std::string_view blacklist = "0xffffffffb3208940-0xffffffffb3208970\twarn_thunk_thunk\n"
                                       "0xffffffffb4001050-0xffffffffb4001070\tasm_exc_overflow\n";

constexpr std::string_view filter_functions = "find_module_all\n"
                                              "find_module\n"
                                              "free_module\n"
                                              "module_patient_check_exists.constprop.0\n"
                                              "__do_sys_delete_module [of_a_module]\n";

constexpr std::array<std::string_view, 14> names{"modules",
                                                 "find_module_all",
                                                 "find_module",
                                                 "free_module",
                                                 "__percpu_rwsem_trylock",
                                                 "lookup_or_create_module_kobject",
                                                 "cr4_set_bits",
                                                 "module_patient_check_exists",
                                                 "type_show",
                                                 "__ddebug_add_module",
                                                 "do_init_module",
                                                 "asm_exc_overflow",
                                                 "put_module",
                                                 "__do_sys_delete_module"};

Environment environment(std::string_view text = kallsyms)
{
    Environment env;
    env.symbols = procfs::Symbols::parse(names, [text](std::span<char> into) mutable {
        const auto size = text.copy(into.data(), into.size());
        text.remove_prefix(size);
        return size;
    });
    env.blacklist = procfs::blacklisted_symbols(blacklist);
    env.btf_functions = {"find_module", "free_module", "type_show", "asm_exc_overflow"};
    return env;
}

State state(const Environment &env, std::string_view name, Access access)
{
    const auto target = find_function(env, name, access);
    EXPECT_EQ(target.why.empty(), target.state == State::Present) << name;
    EXPECT_EQ(target.address != 0, target.state == State::Present) << name;
    return target.state;
}

TEST(Targets, WholeFunctionsArePresentHoweverTheyAreProbed)
{
    const auto env = environment();
    for (const auto access : {Access::Entry, Access::Return, Access::Trampoline}) {
        EXPECT_EQ(state(env, "find_module", access), State::Present);
        // A module's function of the same name is another one.
        EXPECT_EQ(find_function(env, "free_module", access).address, 0xffffffff810dca40);
    }
    // What was moved out of the way belongs to it still.
    EXPECT_EQ(state(env, "find_module_all", Access::Entry), State::Present);
}

TEST(Targets, MissingRenamedAndInlinedOnesAreMissing)
{
    auto env = environment();
    EXPECT_EQ(state(env, "put_module", Access::Entry), State::Missing);
    EXPECT_EQ(state(env, "put_module", Access::Trampoline), State::Missing);
    EXPECT_EQ(state(env, "do_init_module", Access::Entry), State::Missing); // a module's only
    const auto unknown = find_function(env, "put_module", Access::Entry).why;
    env.btf_functions.insert("put_module");
    EXPECT_NE(find_function(env, "put_module", Access::Entry).why, unknown);
    EXPECT_EQ(state(env, "put_module", Access::Trampoline), State::Missing);
}

TEST(Targets, SplitOnesAreNotTakenForWhole)
{
    const auto env = environment();
    for (const auto access : {Access::Entry, Access::Return, Access::Trampoline}) {
        EXPECT_EQ(state(env, "lookup_or_create_module_kobject", access), State::Split);
        EXPECT_EQ(state(env, "__percpu_rwsem_trylock", access), State::Split); // its part alone
        EXPECT_EQ(state(env, "cr4_set_bits", access), State::Split);           // two of them
    }
    EXPECT_THAT(find_function(env, "lookup_or_create_module_kobject", Access::Entry).why,
                testing::HasSubstr("lookup_or_create_module_kobject.part.0"));
}

TEST(Targets, CallersInOtherFilesEnterTheWhole)
{
    const auto env = environment();
    for (const auto access : {Access::Entry, Access::Return, Access::Trampoline}) {
        const auto whole =
            find_function(env, "lookup_or_create_module_kobject", access, Callers::OtherFiles);
        EXPECT_NE(whole.state, State::Split);
        const auto part = find_function(env, "__percpu_rwsem_trylock", access, Callers::OtherFiles);
        EXPECT_EQ(part.state, State::Split);
    }
}

TEST(Targets, TheOnlyVariantServesAtItsReturnAlone)
{
    const auto env = environment();
    for (const std::string name : {"module_patient_check_exists", "__ddebug_add_module"}) {
        EXPECT_EQ(state(env, name, Access::Entry), State::Split);
        EXPECT_EQ(state(env, name, Access::Trampoline), State::Split);
        EXPECT_EQ(state(env, name, Access::Return), State::Present);
        EXPECT_EQ(find_function(env, name, Access::Return).symbol, name + ".constprop.0");
    }
}

TEST(Targets, OneNameOfSeveralIsAmbiguous)
{
    const auto env = environment();
    for (const auto access : {Access::Entry, Access::Return, Access::Trampoline}) {
        EXPECT_EQ(state(env, "type_show", access), State::Ambiguous);
    }
}

TEST(Targets, TheBlacklistIsForKprobesAndTypesForTrampolines)
{
    const auto env = environment();
    EXPECT_EQ(state(env, "asm_exc_overflow", Access::Entry), State::Blacklisted);
    EXPECT_EQ(state(env, "asm_exc_overflow", Access::Return), State::Blacklisted);
    EXPECT_EQ(state(env, "asm_exc_overflow", Access::Trampoline), State::Present);
    EXPECT_EQ(state(env, "find_module_all", Access::Trampoline), State::Untyped);
}

TEST(Targets, WhatFtraceDoesNotKnowIsUntraceableWhereThatIsKnown)
{
    auto env = environment();
    EXPECT_EQ(state(env, "__do_sys_delete_module", Access::Entry), State::Present);
    env.traceable = procfs::traceable_symbols(filter_functions);
    EXPECT_EQ(state(env, "__do_sys_delete_module", Access::Entry), State::Untraceable);
    EXPECT_EQ(state(env, "find_module", Access::Entry), State::Present);
    EXPECT_EQ(state(env, "module_patient_check_exists", Access::Return), State::Present);
}

TEST(Targets, VariablesAndTracepoints)
{
    auto env = environment();
    EXPECT_EQ(find_variable(env, "modules").address, 0xffffffff81eac660);
    EXPECT_EQ(find_variable(env, "put_module").state, State::Missing);
    EXPECT_EQ(find_variable(env, "type_show").state, State::Ambiguous);
    EXPECT_EQ(find_tracepoint(env, "module_put").state, State::Missing);
    env.btf_tracepoints = {"module_put"};
    EXPECT_EQ(find_tracepoint(env, "module_put").state, State::Present);
}

const ProbeSpec &spec(ProbeKind kind, std::string_view target)
{
    const auto specs = probe_specs();
    return *std::find_if(specs.begin(), specs.end(), [&](const ProbeSpec &one) {
        return one.kind == kind && one.target == target;
    });
}

TEST(Probes, EveryOneSaysWhatIsLostWithoutIt)
{
    for (const auto &one : probe_specs()) {
        EXPECT_FALSE(loss_of(one, true).empty()) << one.target;
        EXPECT_GT(loss_of(one, false).size(), std::string_view("when ").size()) << one.target;
        EXPECT_TRUE(one.group.empty() || !one.lost.empty()) << one.target;
        EXPECT_TRUE(one.sign.empty() || !one.lost.empty()) << one.target;
    }
}

TEST(Probes, OfTwoThatTellTheSameOneIsEnough)
{
    const auto &fexit = spec(ProbeKind::Fexit, "free_module");
    const auto &kretprobe = spec(ProbeKind::Kretprobe, "free_module");
    EXPECT_FALSE(indispensable(fexit, {&kretprobe}));
    EXPECT_FALSE(indispensable(kretprobe, {&fexit}));
    EXPECT_TRUE(indispensable(fexit, {&spec(ProbeKind::Kretprobe, "find_module")}));
    EXPECT_NE(loss_of(fexit, false), loss_of(fexit, true));
    EXPECT_EQ(loss_of(fexit, true), loss_of(kretprobe, true));
}

TEST(Probes, MissedRunsCountUnlessAnotherOneSeesTheSame)
{
    const auto &fexit = spec(ProbeKind::Fexit, "free_module");
    const auto &kretprobe = spec(ProbeKind::Kretprobe, "free_module");
    EXPECT_TRUE(is_redundant(kretprobe, {&fexit, &kretprobe}));
    EXPECT_FALSE(is_redundant(fexit, {&fexit, &kretprobe}));
    // fexit could not be attached, or is another function's.
    EXPECT_FALSE(is_redundant(kretprobe, {&kretprobe}));
    const auto &other = spec(ProbeKind::Fexit, "__x64_sys_delete_module");
    EXPECT_FALSE(is_redundant(kretprobe, {&other, &kretprobe}));
}

TEST(Probes, SomeAreRequiredAndSomeAreNot)
{
    EXPECT_TRUE(indispensable(spec(ProbeKind::Kprobe, "blocking_notifier_call_chain"), {}));
    EXPECT_TRUE(indispensable(spec(ProbeKind::Tracepoint, "module_put"), {}));
    EXPECT_FALSE(indispensable(spec(ProbeKind::Tracepoint, "module_request"), {}));
}

std::string_view where(const ProbeSpec &spec)
{
    switch (spec.when) {
    case When::Always:
        return spec.sign.empty() ? "" : "kernels with 32-bit system calls";
    case When::WithSoft:
        return "kernels with soft references";
    case When::WithoutSoft:
        return "kernels without";
    case When::SoftByTracepoint:
        return "`--attach=tracepoint`";
    case When::SoftByFentry:
        return "`--attach=fentry`";
    case When::SoftByKprobe:
        return "`--attach=kprobe`";
    case When::Hard:
        return "`--hard`";
    }
    return "";
}

std::string then(const ProbeSpec &spec)
{
    if (spec.lost.empty()) {
        return "refuses";
    }
    return spec.group.empty() ? "goes on"
                              : fmt::format("goes on; refuses without both: {}", spec.group);
}

// docs/kernels.md has the table of probes; where this fails, it prints what the table has to be.
TEST(Probes, AreDocumented)
{
    std::string table;
    for (const auto &one : probe_specs()) {
        table += fmt::format("| {} `{}` | {} | {} | {} |\n", to_string(one.kind), one.target,
                             where(one), loss_of(one, false), then(one));
    }
    std::ostringstream text;
    text << std::ifstream(test::source_tree() / "docs/kernels.md").rdbuf();
    EXPECT_THAT(text.str(), testing::HasSubstr(table)) << table;
}

} // namespace
} // namespace lastref::kernel
