// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/file_operations.h"
#include "census/finding.h"
#include "census/kernel.h"
#include "census/kind.h"
#include "census/walks.h"
#include "core/census.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

namespace lastref::census {

/// A file descriptor: who has it, and the struct file.
struct OpenFile {
    std::size_t owner = 0; ///< in Search::tasks_with_files()
    int fd = -1;
    Address file = 0;
    Address slot = 0; ///< where in the table it was
};

/// A search for those who hold one module.
class Search {
public:
    /// `module` is the address of its struct module; 0: of none, to see what cannot be looked for.
    Search(Kernel &kernel, Address module) : kernel_(kernel), module_(module) {}

    /// Looks for one kind. What it cannot examine is added to `not_examined`.
    void look_for(const Kind &kind, std::vector<NotExamined> &not_examined);
    /// What was found so far.
    [[nodiscard]] std::span<const Finding> findings() const { return findings_; }
    /// Modules that the one in question uses: it keeps them from going.
    [[nodiscard]] const std::vector<std::string> &uses() const { return uses_; }

    // What follows is for kinds.

    [[nodiscard]] Kernel &kernel() { return kernel_; }
    /// The struct module in question.
    [[nodiscard]] Object target() { return kernel_.at(module_, "module"); }
    /// Whether that pointer to a struct module leads to the module in question.
    [[nodiscard]] bool is_target(const Object &module) const
    {
        return module_ != 0 && module.pointer() == module_;
    }
    /// Notes a holder: what it is, what is said of it, and how many references it takes.
    Finding &found(HolderKind kind, const Words &words, const Object &object, std::int64_t refs);
    /// Disks, and super blocks, that something ends that was found so far.
    [[nodiscard]] std::set<Address> ended_devices() const;
    /// Notes a module that the one in question uses.
    void uses(std::string module) { uses_.push_back(std::move(module)); }
    /// What has not been looked at, and why; `if_unexplained`: of interest only then.
    void not_examined(std::string what, std::string why, bool if_unexplained = false);

    /// Whether that module is loaded.
    bool has_module(std::string_view name);

    /// A struct task_struct in values.
    Task task_of(const Object &task);

    /// The struct net of all network namespaces.
    const std::vector<Object> &net_namespaces();
    /// Its inode number, as in /proc/PID/ns/net.
    static std::optional<std::uint32_t> number_of(const Object &net);

    /// A task of each file table (struct files_struct): processes, and threads that have unshared
    /// theirs.
    const std::vector<Object> &tasks_with_files();
    /// All that they have open; what kinds look at first is read together.
    const std::vector<OpenFile> &open_files();
    /// What is open is read anew when it is asked for next.
    void forget_files();
    /// Those of them whose file->f_op is at that symbol, which is one of the kind's.
    std::vector<OpenFile> open_files_with(std::string_view operations);
    /// Who has it.
    Task owner_of(const OpenFile &file) { return task_of(tasks_with_files()[file.owner]); }
    /// What the operations of a struct file tell of it.
    const FileOperations &operations_of(const Object &file);
    /// Whether the descriptor still means that file: else its memory may be another's by now.
    bool is_still_open(const OpenFile &file);
    /// All processes, each a struct task_struct of its main thread.
    const std::vector<Object> &processes();
    /// The threads of a process, the main one too.
    template <typename Visit>
    static void each_thread(const Object &process, Visit visit)
    {
        each_in_list(process["signal"]["thread_head"], "task_struct", "thread_node", visit);
    }

private:
    /// Goes over what changes all the time until nothing has changed meanwhile, or gives up.
    template <typename Collect>
    void steadily(Collect collect);
    void collect_again();
    void collect_files(std::size_t owner);
    bool has_such(const Symbol &symbol);
    bool has_symbols(const Kind &kind, std::vector<NotExamined> &not_examined);
    void note_problems(const Kind &kind, std::vector<NotExamined> &not_examined);

    Kernel &kernel_;
    Address module_;
    std::vector<Finding> findings_;
    std::vector<std::string> uses_;
    std::vector<NotExamined> not_examined_;
    std::optional<std::vector<Object>> namespaces_, processes_, tasks_with_files_;
    std::optional<std::set<std::string>> modules_;
    bool is_incomplete_ = false; ///< one of these changed all the time
    std::optional<std::vector<OpenFile>> files_;
    std::unordered_map<Address, std::vector<std::size_t>> files_by_operations_;
    std::unordered_map<Address, FileOperations> operations_; // few, of many files
};

} // namespace lastref::census
