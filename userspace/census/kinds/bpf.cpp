// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>

namespace lastref::census {
namespace {

constexpr Words is_open{
    .detail = "fd {fd}: {program}[, link {link}]: {why}",
    .clause = "{who} has {program} open, {why}",
    .remedy = end_process,
};
constexpr Words is_not_open{
    .detail =
        "{program}[, link {link}]: {why}; no process has it open: it may be pinned in a bpffs",
    .clause = "{program} is {why}",
    .remedy = "bpftool link detach id {link}",
};

using Reasons = std::vector<std::string_view>; // one reference each

/// A program or link, and the file that it was found by.
struct Place {
    const OpenFile *file = nullptr;
    std::string link{}; ///< the number of the link
};

/// Whether one of so many elements at `first` has the module as its `module`.
bool has_target(Search &search, const Object &first, const Object &count)
{
    constexpr std::int64_t most = 1 << 16;
    const auto elements = count.number().value_or(0);
    if (elements > most) {
        search.kernel().problems().cut.insert("a list of what a BPF program uses");
    }
    for (std::int64_t i = 0; i < std::min(elements, most); i++) {
        if (search.is_target(first[static_cast<std::size_t>(i)]["module"])) {
            return true;
        }
    }
    return false;
}

/// What is taken while a program is loaded, and given back when it is freed.
Reasons reasons_of_program(Search &search, const Object &aux)
{
    Reasons out;
    // From commit 31bf1dbccfb0 (in v6.3) on; before, a trampoline held the module.
    if (aux.has("mod") && search.is_target(aux["mod"])) {
        out.emplace_back("loaded for one of its functions");
    }
    if (has_target(search, aux["used_btfs"], aux["used_btf_cnt"])) {
        out.emplace_back("uses its variables");
    }
    const auto functions = aux["kfunc_btf_tab"];
    if (functions && has_target(search, functions["descs"], functions["nr_descs"])) {
        out.emplace_back("calls its functions");
    }
    return out;
}

/// bpf_get_raw_tracepoint() takes a reference on the module that the tracepoint is in.
bool is_own_tracepoint(Search &search, const Object &event)
{
    const auto module = search.target();
    const auto first = module["bpf_raw_events"].pointer();
    const auto count = module["num_bpf_raw_events"].number().value_or(0);
    return first != 0 && event.pointer() >= first &&
           event.pointer() - first < static_cast<std::uint64_t>(count) *
                                         search.kernel().at(first, "bpf_raw_event_map").size();
}

bool has_probed_target(Search &search, const Object &link)
{
    if (!link.has("mods")) { // before commit e22061b2d309 (in v6.3) modules are not held
        return false;
    }
    constexpr std::int64_t most = 1 << 16;
    const auto count = link["mods_cnt"].number().value_or(0);
    for (std::int64_t i = 0; i < std::min(count, most); i++) {
        if (search.is_target(link["mods"][static_cast<std::size_t>(i)])) {
            return true;
        }
    }
    return false;
}

void report(Search &search, const HolderKind &kind, const Object &object, const Object &program,
            const Reasons &reasons, const Place &place)
{
    if (reasons.empty() || (place.file != nullptr && !search.is_still_open(*place.file))) {
        return;
    }
    const auto aux = program["aux"];
    const auto name = aux["name"].text();
    const auto number = aux["id"].number().value_or(0);
    const auto called = name.empty() ? fmt::format("BPF program {}", number)
                                     : fmt::format("BPF program {} ({})", number, name);
    auto &found = search.found(kind, place.file != nullptr ? is_open : is_not_open, object,
                               static_cast<std::int64_t>(reasons.size()));
    if (place.file != nullptr) {
        found.task = search.owner_of(*place.file);
        found.fd = place.file->fd;
    } else {
        found.path = called;
    }
    found.with("program", called)
        .with("link", place.link)
        .with("why", fmt::format("{}", fmt::join(reasons, ", ")));
}

void look_at_program(Search &search, const Object &program, const Place &place)
{
    report(search, "bpf_prog", program, program, reasons_of_program(search, program["aux"]), place);
}

/// What a link takes when it is attached, and its program with it.
void look_at_link(Search &search, const Object &link, Place place)
{
    place.link = std::to_string(link["id"].number().value_or(0));
    Reasons reasons;
    auto object = link;
    const auto type = link["type"].number().value_or(BPF_LINK_TYPE_UNSPEC);
    if (type == BPF_LINK_TYPE_TRACING) {
        const auto trampoline = link.as("bpf_tracing_link")["trampoline"];
        if (trampoline.has("mod") && search.is_target(trampoline["mod"])) {
            reasons.emplace_back("attached to one of its functions");
            object = trampoline; // all links of a trampoline share its reference
        }
    } else if (type == BPF_LINK_TYPE_RAW_TRACEPOINT) {
        if (is_own_tracepoint(search, link.as("bpf_raw_tp_link")["btp"])) {
            reasons.emplace_back("attached to one of its tracepoints");
        }
    } else if (type == BPF_LINK_TYPE_KPROBE_MULTI) {
        if (has_probed_target(search, link.as("bpf_kprobe_multi_link"))) {
            reasons.emplace_back("attached to its functions by kprobe.multi");
        }
    }
    report(search, "bpf_link", object, link["prog"], reasons, place);
    if (link["prog"]) {
        look_at_program(search, link["prog"].target(), place);
    }
}

/// First those that processes have open, then all that there are: the same ones are told once.
void look(Search &search)
{
    auto &kernel = search.kernel();
    for (const auto &file : search.open_files_with("bpf_prog_fops")) {
        const auto data = kernel.at(file.file, "file")["private_data"];
        look_at_program(search, data.as("bpf_prog"), {&file});
    }
    for (const char *operations : {"bpf_link_fops", "bpf_link_fops_poll"}) {
        for (const auto &file : search.open_files_with(operations)) {
            const auto data = kernel.at(file.file, "file")["private_data"];
            look_at_link(search, data.as("bpf_link"), {&file});
        }
    }
    each_in_idr(kernel.at(kernel.symbol_if_any("prog_idr"), "idr"),
                [&](std::uint64_t, Address program) {
                    look_at_program(search, kernel.at(program, "bpf_prog"), {});
                });
    each_in_idr(kernel.at(kernel.symbol_if_any("link_idr"), "idr"),
                [&](std::uint64_t, Address link) {
                    look_at_link(search, kernel.at(link, "bpf_link"), {});
                });
}

constexpr Symbol symbols[] = {
    {"bpf_prog_fops", "who has BPF programs", "bpf_prog"},
    {"bpf_link_fops", "who has BPF links", "bpf_link"},
    {"prog_idr", "BPF programs that no process has open", "bpf_prog"},
    {"link_idr", "BPF links that no process has open", "bpf_link"},
};

constexpr Reference references[] = {
    {"`bpf_prog`", "1 if it was loaded for a function of the module (6.12)",
     "`bpf_check_attach_target()`; put by `__bpf_prog_put_noref()`", "`prog->aux->mod`"},
    {"`bpf_prog`", "1 for using its variables", "`check_pseudo_btf_id()`",
     "`prog->aux->used_btfs[]`"},
    {"`bpf_prog`", "1 for calling its functions", "`__find_kfunc_desc_btf()`",
     "`prog->aux->kfunc_btf_tab`"},
    {"`bpf_link`", "1 a function of the module to which programs are attached (6.1)",
     "`bpf_trampoline_module_get()`", "`trampoline->mod` of tracing links"},
    {"`bpf_link`", "1 for a raw tracepoint of the module", "`bpf_get_raw_tracepoint_module()`",
     "`link->btp`"},
    {"`bpf_link`", "1 for kprobe.multi on functions of the module (6.12)",
     "`get_modules_for_addrs()`", "`link->mods[]`"},
};
constexpr Doc doc{"A BPF program or link is attached to, or uses, something of the module's",
                  references, "Who has it open ends, or `bpftool link detach`"};

} // namespace

extern const Kind bpf{"BPF programs and links", doc, symbols, look};

} // namespace lastref::census
