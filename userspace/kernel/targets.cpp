// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/targets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::kernel {
namespace {

Target unusable(TargetState state, std::string_view name, std::string why)
{
    return {.state = state, .symbol = std::string(name), .why = std::move(why)};
}

Target at(const Environment &env, const std::string &symbol)
{
    return {.symbol = symbol, .address = env.symbols.address(symbol).value_or(0)};
}

/// Where there is none of exactly that name.
Target find_variant(const Environment &env, std::string_view name, Access access)
{
    const auto variants = env.symbols.variants(name);
    if (const auto only = env.symbols.or_variant(name);
        only && variants.size() == 1 && access == Access::Return) {
        return at(env, *only);
    }
    if (!variants.empty()) {
        return unusable(TargetState::Split, name,
                        fmt::format("the compiler has left only {} of it, which may have other "
                                    "arguments, and not all calls",
                                    fmt::join(variants, ", ")));
    }
    return unusable(TargetState::Missing, name,
                    env.btf_functions.count(name) != 0
                        ? "the kernel's types have this function, but /proc/kallsyms does not"
                        : "this kernel has no function of that name: it may have another, or the "
                          "compiler has put it into its callers");
}

/// By its name alone.
Target find_whole(const Environment &env, std::string_view name, Access access, Callers callers)
{
    const auto count = env.symbols.count(name);
    if (count == 0) {
        return find_variant(env, name, access);
    }
    if (count > 1) {
        return unusable(TargetState::Ambiguous, name,
                        fmt::format("{} functions of this kernel have that name", count));
    }
    if (const auto variants = env.symbols.variants(name);
        !variants.empty() && callers == Callers::Anywhere) {
        return unusable(TargetState::Split, name,
                        fmt::format("the compiler has split it, and calls of {} go past it",
                                    fmt::join(variants, ", ")));
    }
    return at(env, std::string(name));
}

} // namespace

std::string_view to_string(TargetState state)
{
    switch (state) {
    case TargetState::Present:
        return "present";
    case TargetState::Missing:
        return "missing";
    case TargetState::Split:
        return "split";
    case TargetState::Ambiguous:
        return "ambiguous";
    case TargetState::Untyped:
        return "untyped";
    case TargetState::Blacklisted:
        return "blacklisted";
    case TargetState::Untraceable:
        return "untraceable";
    }
    return "";
}

Target find_function(const Environment &env, std::string_view name, Access access, Callers callers)
{
    auto target = find_whole(env, name, access, callers);
    if (target.state != TargetState::Present) {
        return target;
    }
    if (access == Access::Trampoline && env.btf_functions.count(name) == 0) {
        return unusable(TargetState::Untyped, name, "the kernel's types (BTF) lack this function");
    }
    if (access != Access::Trampoline && env.blacklist.count(target.symbol) != 0) {
        return unusable(TargetState::Blacklisted, target.symbol,
                        "the kernel's kprobe blacklist has this function");
    }
    if (env.traceable && env.traceable->count(target.symbol) == 0) {
        return unusable(TargetState::Untraceable, target.symbol,
                        "ftrace does not know this function: the kernel lets nobody probe it");
    }
    return target;
}

Target find_tracepoint(const Environment &env, std::string_view name)
{
    if (env.btf_tracepoints.count(name) == 0) {
        return unusable(TargetState::Missing, name, "this kernel has no such tracepoint");
    }
    return {.symbol = std::string(name)};
}

Target find_variable(const Environment &env, std::string_view name)
{
    if (env.symbols.count(name) > 1) {
        return unusable(TargetState::Ambiguous, name, "several of this kernel have that name");
    }
    auto target = at(env, std::string(name));
    if (target.address == 0) {
        return unusable(TargetState::Missing, name, "/proc/kallsyms does not tell where it is");
    }
    return target;
}

} // namespace lastref::kernel
