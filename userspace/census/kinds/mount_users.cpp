// SPDX-License-Identifier: GPL-2.0-only
#include "census/address_spaces.h"
#include "census/file_systems.h"
#include "census/paths.h"
#include "census/search.h"

#include <set>
#include <unordered_set>

/// Who uses a file system that holds the module: they hold its mounts, not the module, but no mount
/// can go before them. One use is enough to name a process.
namespace lastref::census {
namespace {

// {there} is "there", unless there is a path to it.
constexpr Words works_in{
    .detail = "works in {path}[ {there}]: keeps the file system, not the module",
    .clause = "{who} works in {path}[ {there}]",
    .remedy = end_process,
};
constexpr Words has_as_root{
    .detail = "has {path}[ {there}] as its root: keeps the file system, not the module",
    .clause = "{who} has {path}[ {there}] as its root",
    .remedy = end_process,
};
constexpr Words runs{
    .detail = "runs {path}[ {there}]: keeps the file system, not the module",
    .clause = "{who} runs {path}[ {there}]",
    .remedy = end_process,
};
constexpr Words has_open{
    .detail = "has {path}[ {there}] open: keeps the file system, not the module",
    .clause = "{who} has {path}[ {there}] open",
    .remedy = end_process,
};
constexpr Words has_mapped{
    .detail = "has {path}[ {there}] in its memory map: keeps the file system, not the module",
    .clause = "{who} has {path}[ {there}] in its memory map",
    .remedy = end_process,
};
constexpr Words overlay_above{
    .detail = "an overlay has a layer there: keeps the file system, not the module",
    .clause = "an overlay on {path} has a layer there",
    .remedy = "umount {path}",
};
constexpr Words overlay_elsewhere{
    .detail = "an overlay has a layer there: keeps the file system, not the module",
    .clause = "an overlay has a layer there",
};

/// A task, and a structure of its own that leads to what it uses.
struct User {
    Object task;
    Object by;          ///< struct fs_struct, files_struct, mm_struct
    const char *member; ///< of struct task_struct, that points to it
};

class Users {
public:
    explicit Users(Search &search) : search_(search)
    {
        for (const auto &finding : search.findings()) {
            if (finding.kind == HolderKind::Mount && finding.object == finding.within) {
                super_blocks_.insert(finding.object);
            }
        }
    }
    [[nodiscard]] bool are_none() const { return super_blocks_.empty(); }
    [[nodiscard]] bool has(Address super_block) const
    {
        return super_blocks_.contains(super_block);
    }

    /// Notes that it uses a struct path, if that is there.
    void note(const User &user, const Object &path, const Words &words,
              std::optional<int> fd = std::nullopt)
    {
        const auto mount = path["mnt"].target();
        const auto super_block = mount["mnt_sb"].pointer();
        if (!has(super_block) || !leads_still_to(user.by, user.task[user.member]) ||
            !named_.insert({process_of(user.task), super_block}).second) {
            return;
        }
        auto &found = search_.found(HolderKind::OpenFile, words, Object(), 0);
        found.task = search_.task_of(user.task);
        found.fd = fd;
        found.path = path_of(search_, path);
        found.within = super_block;
        const bool is_detached = mount.in("mount", "mnt")["mnt_ns"].pointer() == 0;
        found.with("there", is_detached ? "there" : "");
    }

private:
    static Address process_of(const Object &task) { return task["group_leader"].pointer(); }

    Search &search_;
    std::unordered_set<Address> super_blocks_;
    std::set<std::pair<Address, Address>> named_; ///< process, super block
};

/// What a map keeps. One of an overlay's files has in its place the file of the layer that has the
/// data, since v6.5: backing_file_mmap() in fs/backing-file.c.
void note_mapped(const User &user, const Object &file, Users &users)
{
    constexpr std::int64_t may_be_backing = 3 << 24; // FMODE_BACKING is one or the other of them
    users.note(user, file["f_path"], has_mapped);
    if ((file["f_mode"].number().value_or(0) & may_be_backing) != 0 &&
        file.kernel()->has_type("backing_file")) {
        const auto path = file.as("backing_file")["user_path"];
        if (path["mnt"]["mnt_sb"].pointer() == path["dentry"]["d_sb"].pointer()) {
            users.note(user, path, has_mapped);
        }
    }
}

/// Threads may have directories of their own.
void look_at_places(Search &search, Users &users)
{
    for (const auto &process : search.processes()) {
        if (is_of_kernel(process)) {
            continue; // they have what init had when they began, and nobody can end them
        }
        std::set<Address> known;
        for (const auto &task : threads_of(search, process)) {
            const auto places = task["fs"].target();
            if (places && known.insert(places.address()).second) {
                users.note({task, places, "fs"}, places["pwd"], works_in);
                users.note({task, places, "fs"}, places["root"], has_as_root);
            }
        }
    }
}

void look_at_files(Search &search, Users &users)
{
    const auto &tasks = search.tasks_with_files();
    for (const auto &open : search.open_files()) {
        const auto file = search.kernel().at(open.file, "file");
        if (users.has(file["f_path"]["mnt"]["mnt_sb"].pointer()) && search.is_still_open(open)) {
            const auto &task = tasks[open.owner];
            users.note({task, task["files"].target(), "files"}, file["f_path"], has_open, open.fd);
        }
    }
}

/// Of the mounts that are layers of an overlay: ovl_get_layers() in fs/overlayfs/super.c.
void look_at_overlay(Search &search, const Users &users, const Object &overlay)
{
    const auto layers = overlay["s_fs_info"].as("ovl_fs", "overlay");
    const auto count = static_cast<std::size_t>(layers["numlayer"].number().value_or(0));
    const auto home = search.kernel().at_symbol("init_task", "task_struct")["nsproxy"]["mnt_ns"];
    std::set<Address> below;
    for (std::size_t i = 0; i < std::min<std::size_t>(count, most_elements); i++) {
        below.insert(layers["layers"][i]["mnt"]["mnt_sb"].pointer());
    }
    for (const auto super_block : below) {
        if (!users.has(super_block)) {
            continue;
        }
        bool is_named = false;
        each_mount(overlay, [&](const Object &mount) {
            if (!is_named && mount["mnt_ns"].pointer() == home.pointer()) {
                auto &found = search.found(HolderKind::Mount, overlay_above, Object(), 0);
                found.path = mount_point_of(search, mount);
                found.within = super_block;
                found.device = overlay.address();
                found.sits_on.assign(below.begin(), below.end());
                is_named = true;
            }
        });
        if (!is_named) {
            search.found(HolderKind::Mount, overlay_elsewhere, Object(), 0).within = super_block;
        }
    }
}

void look(Search &search)
{
    Users users(search);
    if (users.are_none()) {
        return;
    }
    look_at_places(search, users);
    const auto spaces = address_spaces(search);
    for (const auto &space : spaces) {
        users.note({space.task, space.mm, "mm"}, space.mm["exe_file"]["f_path"], runs);
    }
    look_at_files(search, users);
    for (const auto &space : spaces) {
        for (const auto &file : mapped_files(search, space).value_or(std::vector<Object>())) {
            note_mapped({space.task, space.mm, "mm"}, file, users);
        }
    }
    each_in_list(search.kernel().at_symbol("super_blocks", "list_head"), "super_block", "s_list",
                 [&](const Object &super_block) {
                     if (super_block["s_type"]["name"].text() == "overlay") {
                         look_at_overlay(search, users, super_block);
                     }
                 });
}

constexpr Symbol symbols[] = {{"init_task"}, {"super_blocks", {}, "super_block"}};

constexpr Reference references[] = {
    {"`mount`", "none: a process that keeps it from being unmounted", "–",
     "files, memory maps and programs of all processes, working directories and roots of all "
     "threads"},
    {"`mount`", "none: an overlay that has a layer in it", "`ovl_get_layers()`",
     "`ovl_fs->layers`"},
};
constexpr Doc doc{
    "A process, or an overlay, keeps a file system from being unmounted that holds the module",
    references, "The process ends; the overlay is unmounted"};

} // namespace

extern const Kind mount_users{"processes that use its file systems", doc, symbols, look};

} // namespace lastref::census
