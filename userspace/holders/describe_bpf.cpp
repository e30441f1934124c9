// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "holders/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::holders {
namespace {

std::string program(const lr_finding &finding)
{
    const auto name = text_of(finding.name);
    return name.empty() ? fmt::format("BPF program {}", finding.number)
                        : fmt::format("BPF program {} ({})", finding.number, name);
}

/// Why it holds, in the order of enum lr_pin.
std::string reasons(const lr_finding &finding)
{
    std::vector<std::string_view> out;
    const auto add = [&](unsigned pin, std::string_view reason) {
        if ((finding.pins & pin) != 0) {
            out.push_back(reason);
        }
    };
    add(LR_PIN_BPF_ATTACH, "loaded for one of its functions");
    add(LR_PIN_BPF_VARIABLES, "uses its variables");
    add(LR_PIN_BPF_FUNCTIONS, "calls its functions");
    add(LR_PIN_BPF_TRAMPOLINE, "attached to one of its functions");
    add(LR_PIN_BPF_TRACEPOINT, "attached to one of its tracepoints");
    add(LR_PIN_BPF_KPROBES, "attached to its functions by kprobe.multi");
    return fmt::format("{}", fmt::join(out, ", "));
}

} // namespace

Sighting describe_bpf(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind =
                     finding.kind == LR_FOUND_BPF_LINK ? HolderKind::BpfLink : HolderKind::BpfProg,
                 .object = finding.object,
                 .refs = finding.refs};
    const auto link = finding.within != 0 ? fmt::format(", link {}", finding.within) : "";
    out.detail = fmt::format("{}{}: {}", program(finding), link, reasons(finding));
    if (finding.task.tgid != 0) {
        out.process = processes.describe(finding.task);
        out.fd = finding.fd;
        out.detail = fmt::format("fd {}: {}", finding.fd, out.detail);
        out.clause = fmt::format("{} has {} open, {}", who(*out.process), program(finding),
                                 reasons(finding));
        out.remedy = how_to_end(*out.process);
        return out;
    }
    out.path = program(finding);
    out.detail += "; no process has it open: it may be pinned in a bpffs";
    out.clause = fmt::format("{} is {}", program(finding), reasons(finding));
    if (finding.within != 0) {
        out.remedy = fmt::format("bpftool link detach id {}", finding.within);
    }
    return out;
}

} // namespace lastref::holders
