// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/process.h"
#include "core/remedy.h"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

/// What `lastref why` says about what to do, in values.
namespace lastref {

/// A step that can be pasted: what ends a holder.
struct Do {
    Remedy remedy;
    bool operator==(const Do &) const = default;
};
/// More processes than a command should name.
struct AndMore {
    std::size_t processes = 0;
    bool operator==(const AndMore &) const = default;
};
/// Modules that depend on it, in this order. Unlike modprobe -r, rmmod takes no others along that
/// are unused then.
struct Unload {
    std::vector<std::string> modules;
    bool operator==(const Unload &) const = default;
};
/// Who holds that module is the next question.
struct AskAbout {
    std::string module;
    bool operator==(const AskAbout &) const = default;
};
/// Only watching shows who takes hard references of that module, or who puts soft ones.
struct Watch {
    std::string module;
    bool hard = false;
    bool operator==(const Watch &) const = default;
};
struct DidYouMean {
    std::vector<std::string> names;
    bool operator==(const DidYouMean &) const = default;
};
/// How to get what lastref lacks to look at all.
struct LookBetter {
    std::string how;
    bool operator==(const LookBetter &) const = default;
};
/// That process has the mutex that is waited for.
struct SeeOwner {
    Process process;
    bool operator==(const SeeOwner &) const = default;
};
/// What needs no value.
enum class Plain { SeeStack, Wait, Reboot };

using Advice =
    std::variant<Do, AndMore, Unload, AskAbout, Watch, DidYouMean, LookBetter, SeeOwner, Plain>;

/// What that holder's kind has to say about ending it.
struct AboutHolder {
    std::size_t holder = 0; ///< which, in WhyDoc::holders
    bool operator==(const AboutHolder &) const = default;
};
/// A process that is to end, in a container.
struct AboutContainer {
    Process process;
    bool operator==(const AboutContainer &) const = default;
};
/// What goes with a module that is to be unloaded.
struct AboutDevices {
    std::string module;
    std::vector<std::string> devices;
    bool operator==(const AboutDevices &) const = default;
};
/// ForeignPids: numbers of processes mean nothing where lastref runs. NetDevice: it waits until
/// nobody refers to a network device. MayLoop: it runs, but it may do so for ever.
enum class Known { ForeignPids, NetDevice, MayLoop };

using Caution = std::variant<AboutHolder, AboutContainer, AboutDevices, Known>;

} // namespace lastref
