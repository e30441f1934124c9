// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace lastref::census {
namespace {

constexpr int attempts = 5; // at what changes while it is looked at

} // namespace

template <typename Collect>
void Search::steadily(Collect collect)
{
    auto &problems = kernel_.problems();
    const bool was_torn = problems.torn;
    for (int attempt = 0; attempt < attempts; attempt++) {
        problems.torn = false;
        collect();
        if (!problems.torn) {
            problems.torn = was_torn;
            return;
        }
        kernel_.memory().forget();
    }
    is_incomplete_ = true;
}

void Search::collect_again()
{
    namespaces_.reset();
    processes_.reset();
    tasks_with_files_.reset();
    modules_.reset();
    files_.reset();
    files_by_operations_.clear();
    operations_.clear();
    is_incomplete_ = false;
}

/// Whether this kernel has what the symbol leads to.
bool Search::has_such(const Symbol &symbol)
{
    if (const auto colon = symbol.name.find(':'); colon != std::string_view::npos) {
        return has_module(symbol.name.substr(0, colon)) ||
               (!symbol.sign.empty() && kernel_.has_type(symbol.sign));
    }
    return symbol.sign.empty() || kernel_.has_type(symbol.sign);
}

/// Names the symbols of a kind that this kernel does not tell. False when there is nothing to look
/// at without them.
bool Search::has_symbols(const Kind &kind, std::vector<NotExamined> &not_examined)
{
    bool can_look = true;
    for (const auto &symbol : kind.symbols) {
        if (kernel_.symbol_if_any(symbol.name) != 0) {
            continue;
        }
        can_look = can_look && !symbol.lost.empty();
        if (has_such(symbol) || !kernel_.knows_symbol(symbol.name)) {
            not_examined.push_back({std::string(symbol.lost.empty() ? kind.what : symbol.lost),
                                    kernel_.no_symbol(symbol.name)});
        }
    }
    return can_look;
}

bool Search::has_module(std::string_view name)
{
    if (!modules_) {
        steadily([&] {
            modules_.emplace();
            each_module(kernel_,
                        [&](const Object &module) { modules_->insert(module["name"].text()); });
        });
    }
    return modules_->contains(std::string(name));
}

void Search::look_for(const Kind &kind, std::vector<NotExamined> &not_examined)
{
    const auto findings = findings_.size();
    const auto uses = uses_.size();
    kernel_.begin();
    try {
        if (!has_symbols(kind, not_examined)) {
            return;
        }
        for (int attempt = 0; attempt < attempts; attempt++) {
            findings_.resize(findings);
            uses_.resize(uses);
            not_examined_.clear();
            kernel_.begin();
            kind.look(*this);
            if (!kernel_.problems().torn) {
                break;
            }
            kernel_.memory().forget();
            if (is_incomplete_) {
                collect_again();
            }
        }
    } catch (const TooMuchToRead &) {
        kernel_.problems().cut.insert("what has to do with them");
        collect_again();
    }
    note_problems(kind, not_examined);
}

void Search::note_problems(const Kind &kind, std::vector<NotExamined> &not_examined)
{
    const auto &problems = kernel_.problems();
    const std::string what(kind.what);
    for (const auto &missing : problems.missing) {
        not_examined.push_back({what, missing});
    }
    for (const auto &cut : problems.cut) {
        not_examined.push_back({what, fmt::format("{} is longer than lastref goes", cut)});
    }
    if (problems.torn) {
        not_examined.push_back({what, "they changed all the time while they were read"});
    }
    const auto unknown = kernel_.take_unknown(not_examined, what);
    if (problems.lost > unknown) {
        not_examined.push_back(
            {what,
             fmt::format("{} could not be read, such as of what was freed "
                         "meanwhile",
                         plural(static_cast<std::int64_t>(problems.lost - unknown), "value")),
             true});
    }
    not_examined.insert(not_examined.end(), not_examined_.begin(), not_examined_.end());
}

Finding &Search::found(HolderKind kind, const Words &words, const Object &object, std::int64_t refs)
{
    findings_.push_back(
        {.kind = kind, .words = &words, .object = object.target().address(), .refs = refs});
    return findings_.back();
}

std::set<Address> Search::ended_devices() const
{
    std::set<Address> out;
    for (const auto &one : findings_) {
        if (one.device != 0) {
            out.insert(one.device);
        }
    }
    return out;
}

void Search::not_examined(std::string what, std::string why, bool if_unexplained)
{
    not_examined_.push_back({std::move(what), std::move(why), if_unexplained});
}

Task Search::task_of(const Object &task)
{
    const auto number = [](const Object &value) {
        return static_cast<std::uint32_t>(value.number().value_or(0));
    };
    const auto leader = task["group_leader"];
    const auto pid = leader["thread_pid"];
    // Its number in each namespace, the innermost last.
    const auto level = static_cast<std::size_t>(pid["level"].number().value_or(0));
    return {.pid = number(task["tgid"]),
            .tid = number(task["pid"]),
            .ns_pid = number(pid["numbers"][level]["nr"]),
            .start_ns = static_cast<std::uint64_t>(leader["start_boottime"].number().value_or(0)),
            .cgroup = static_cast<std::uint64_t>(
                leader["cgroups"]["dfl_cgrp"]["kn"]["id"].number().value_or(0)),
            .comm = leader["comm"].text()};
}

const std::vector<Object> &Search::net_namespaces()
{
    if (!namespaces_) {
        steadily([&] {
            namespaces_.emplace();
            each_in_list(kernel_.at_symbol("net_namespace_list", "list_head"), "net", "list",
                         [&](const Object &net) { namespaces_->push_back(net); });
        });
    }
    return *namespaces_;
}

std::optional<std::uint32_t> Search::number_of(const Object &net)
{
    const auto number = net["ns"]["inum"].number();
    return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

const std::vector<Object> &Search::processes()
{
    if (!processes_) {
        steadily([&] {
            processes_.emplace();
            const auto first = kernel_.at_symbol("init_task", "task_struct");
            each_in_list(first["tasks"], "task_struct", "tasks",
                         [&](const Object &process) { processes_->push_back(process); });
        });
    }
    return *processes_;
}

const std::vector<Object> &Search::tasks_with_files()
{
    if (tasks_with_files_) {
        return *tasks_with_files_;
    }
    processes();
    steadily([&] {
        tasks_with_files_.emplace();
        for (const auto &process : *processes_) {
            std::set<Address> tables;
            each_thread(process, [&](const Object &thread) {
                const auto table = thread["files"].pointer();
                if (table != 0 && tables.insert(table).second) {
                    tasks_with_files_->push_back(thread);
                }
            });
        }
    });
    return *tasks_with_files_;
}

void Search::collect_files(std::size_t owner)
{
    const auto table = (*tasks_with_files_)[owner]["files"]["fdt"];
    const auto files = table["fd"].pointer();
    const auto count = table["max_fds"].number().value_or(0);
    constexpr std::int64_t most = 1 << 30; // sysctl_nr_open_max is less
    if (files == 0 || count <= 0) {
        return;
    }
    if (count > most) {
        kernel_.problems().cut.insert("a table of files");
        return;
    }
    constexpr std::size_t block = 1 << 16;
    std::vector<Address> slots;
    for (std::size_t first = 0; first < static_cast<std::size_t>(count); first += block) {
        slots.resize(std::min(block, static_cast<std::size_t>(count) - first));
        const auto at = files + first * sizeof(Address);
        const auto bytes = std::as_writable_bytes(std::span(slots));
        kernel_.memory().prefetch({&at, 1}, bytes.size());
        if (!kernel_.memory().read(at, bytes)) {
            kernel_.problems().lost++;
            return;
        }
        for (std::size_t i = 0; i < slots.size(); i++) {
            if (slots[i] != 0) {
                files_->push_back(
                    {owner, static_cast<int>(first + i), slots[i], at + i * sizeof(Address)});
            }
        }
    }
}

const std::vector<OpenFile> &Search::open_files()
{
    if (files_) {
        return *files_;
    }
    files_.emplace();
    tasks_with_files();
    for (std::size_t owner = 0; owner < tasks_with_files_->size(); owner++) {
        collect_files(owner);
    }
    std::vector<Address> addresses;
    addresses.reserve(files_->size());
    for (const auto &file : *files_) {
        addresses.push_back(file.file);
    }
    const auto file = kernel_.at(1, "file");
    kernel_.memory().prefetch(addresses, file.size());
    for (std::size_t i = 0; i < files_->size(); i++) {
        const auto operations = kernel_.at((*files_)[i].file, "file")["f_op"].pointer();
        files_by_operations_[operations].push_back(i);
    }
    return *files_;
}

void Search::forget_files()
{
    kernel_.memory().forget();
    processes_.reset();
    tasks_with_files_.reset();
    files_.reset();
    files_by_operations_.clear();
    operations_.clear();
}

std::vector<OpenFile> Search::open_files_with(std::string_view operations)
{
    std::vector<OpenFile> out;
    const auto symbol = kernel_.symbol_if_any(operations);
    open_files();
    if (const auto found = files_by_operations_.find(symbol);
        symbol != 0 && found != files_by_operations_.end()) {
        for (const auto i : found->second) {
            out.push_back((*files_)[i]);
        }
    }
    return out;
}

const FileOperations &Search::operations_of(const Object &file)
{
    const auto operations = file["f_op"];
    const auto [one, is_new] = operations_.try_emplace(operations.pointer());
    if (is_new) {
        one->second = look_at_operations(*this, operations);
    }
    return one->second;
}

bool Search::is_still_open(const OpenFile &file)
{
    return kernel_.memory().pointer_now(file.slot) == file.file;
}

} // namespace lastref::census
