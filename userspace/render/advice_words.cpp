// SPDX-License-Identifier: GPL-2.0-only
// What to do, and what to know before.

#include "base/text.h"
#include "render/holder_words.h"
#include "render/why_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref {
namespace {

/// A line for each kind of advice.
class AdviceWords {
public:
    explicit AdviceWords(const WhyDoc &doc) : doc_(doc) {}

    std::string operator()(const Do &step) const { return in_words(step.remedy); }
    std::string operator()(const AndMore &more) const
    {
        return fmt::format("… and {}: lastref why -j {} lists them",
                           more.processes == 1 ? "1 more process"
                                               : fmt::format("{} more processes", more.processes),
                           shell_word(doc_.census.module));
    }
    std::string operator()(const Unload &unload) const
    {
        std::string out = "rmmod";
        for (const auto &name : unload.modules) {
            out += " " + shell_word(name);
        }
        return out;
    }
    std::string operator()(const AskAbout &ask) const
    {
        return fmt::format("lastref why {}", shell_word(ask.module));
    }
    std::string operator()(const Watch &watch) const
    {
        const auto name = shell_word(watch.module);
        if (!watch.hard) {
            return fmt::format("To see who puts them: lastref refs {}", name);
        }
        return watch.module == doc_.census.module
                   ? fmt::format("To catch who takes them: lastref refs --hard {}", name)
                   : fmt::format("To catch who holds {}: lastref refs --hard {}",
                                 escape_text(watch.module), name);
    }
    std::string operator()(const DidYouMean &meant) const
    {
        return fmt::format("Did you mean {}?", fmt::join(meant.names, ", "));
    }
    std::string operator()(const LookBetter &look) const { return look.how; }
    std::string operator()(const SeeOwner &see) const
    {
        return fmt::format("See what {} does: it has the mutex.", who(see.process));
    }
    std::string operator()(const Plain &plain) const
    {
        switch (plain) {
        case Plain::SeeStack:
            return "Nothing stops it from outside: see in the stack what it waits for.";
        case Plain::Wait:
            return "Wait, and ask again.";
        case Plain::Reboot:
            break;
        }
        return "Reboot. The kernel log has the crash.";
    }

private:
    const WhyDoc &doc_;
};

/// A sentence for each kind of caution.
class CautionWords {
public:
    explicit CautionWords(const WhyDoc &doc) : doc_(doc) {}

    std::string operator()(const AboutHolder &about) const
    {
        return caution_of(doc_.holders.at(about.holder).seen);
    }
    std::string operator()(const AboutContainer &about) const
    {
        const auto &process = about.process;
        return process.stop.is_known()
                   ? fmt::format("{} is in {}, of which all is stopped.", short_name(process),
                                 process.container)
                   : fmt::format("{} is in {}: whoever started it there may start it again.",
                                 short_name(process), process.container);
    }
    std::string operator()(const AboutDevices &about) const
    {
        const bool one = about.devices.size() == 1;
        return fmt::format("With {} {} its network {} {}.", about.module, one ? "goes" : "go",
                           one ? "device" : "devices", fmt::join(about.devices, ", "));
    }
    std::string operator()(const Known &known) const
    {
        switch (known) {
        case Known::ForeignPids:
            return "Processes have the host's numbers: end them on the host, outside of lastref's "
                   "pid namespace.";
        case Known::NetDevice:
            return "It waits until nobody refers to a network device. If the kernel log says again "
                   "and again \"unregister_netdevice: waiting for … to become free\", and its "
                   "usage "
                   "count does not fall, somebody keeps the device: it ends when they let go, and "
                   "never if the reference was lost.";
        case Known::MayLoop:
            break;
        }
        return "It ran while lastref looked. If its stack is still the same after a minute, it "
               "waits in a loop, and what it waits for may never come.";
    }

private:
    const WhyDoc &doc_;
};

} // namespace

std::vector<std::string> next_of(const WhyDoc &doc)
{
    std::vector<std::string> out;
    for (const auto &advice : doc.next) {
        out.push_back(std::visit(AdviceWords(doc), advice));
    }
    return out;
}

std::vector<std::string> cautions_of(const WhyDoc &doc)
{
    std::vector<std::string> out;
    for (const auto &caution : doc.cautions) {
        out.push_back(std::visit(CautionWords(doc), caution));
    }
    return out;
}

} // namespace lastref
