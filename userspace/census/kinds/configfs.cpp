// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

#include <algorithm>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "a directory made in configfs",
    .clause = "{path} exists",
};

// fs/configfs/configfs_internal.h
constexpr std::int64_t root_directory = 0x0001, directory = 0x0002, item_link = 0x0020,
                       default_directory = 0x0080;

std::int64_t type_of(const Object &dirent)
{
    return dirent["s_type"].number().value_or(0);
}

struct Item {
    Object dirent;
    std::int64_t refs;
    std::string path;
};

/// Directories that were made in configfs. configfs_mkdir() takes a reference on the owner of the
/// subsystem that each is in, and one on the owner of its own type. Those that a driver made for
/// itself, subsystems and default groups, hold nothing.
class Tree {
public:
    explicit Tree(Search &search) : search_(search) {}

    void go_over(const Object &above, const std::string &path, int depth)
    {
        constexpr int deepest = 64;
        if (depth == deepest) {
            search_.kernel().problems().cut.insert("a path in configfs");
            return;
        }
        const auto visit = [&](const Object &one) {
            const auto type = type_of(one);
            if ((type & (directory | item_link)) == 0) {
                return;
            }
            const auto its_path = path + "/" + one["s_dentry"]["d_name"]["name"].text();
            if (const auto refs = refs_of(one, above); refs > 0) {
                items_.push_back({one, refs, its_path});
            } else if ((type & item_link) != 0 && keeps_something(one, above)) {
                links_.push_back(its_path);
            }
            if ((type & directory) != 0) {
                go_over(one, its_path, depth + 1);
            }
        };
        each_in_list(above["s_children"], "configfs_dirent", "s_sibling", visit, "configfs");
    }

    /// One directory may have to wait for those in it, or for a link to it: so the command removes
    /// all of them, what is in a directory first, unless it would be too long a line.
    void report()
    {
        constexpr std::size_t most = 16;
        const bool together = items_.size() + links_.size() <= most;
        std::reverse(items_.begin(), items_.end());
        ShellCommand remove_links{.arguments = {"rm"}};
        ShellCommand remove_all{.arguments = {"rmdir"}};
        for (const auto &link : links_) {
            remove_links.arguments.push_back(link);
        }
        for (const auto &item : items_) {
            remove_all.arguments.push_back(item.path);
        }
        for (const auto &item : items_) {
            auto &found = search_.found("configfs", words, item.dirent, item.refs);
            found.path = item.path;
            if (together && !links_.empty()) {
                found.commands.push_back(remove_links);
            }
            found.commands.push_back(together ? remove_all
                                              : ShellCommand{.arguments = {"rmdir", item.path}});
        }
    }

private:
    [[nodiscard]] std::int64_t refs_of(const Object &dirent, const Object &above) const
    {
        const auto type = type_of(dirent);
        if ((type & directory) == 0 || (type & default_directory) != 0 ||
            (type_of(above) & root_directory) != 0) {
            return 0;
        }
        const auto item = dirent["s_element"].as("config_item");
        const auto subsystem = above["s_element"].as("config_group")["cg_subsys"];
        return std::int64_t{search_.is_target(item["ci_type"]["ct_owner"])} +
               std::int64_t{
                   search_.is_target(subsystem["su_group"]["cg_item"]["ci_type"]["ct_owner"])};
    }

    /// A link has no reference itself, but keeps its target, and the directory that it is in.
    [[nodiscard]] bool keeps_something(const Object &link, const Object &in) const
    {
        const auto above = [](const Object &dirent) {
            return dirent["s_dentry"]["d_parent"]["d_fsdata"].as("configfs_dirent", "configfs");
        };
        const auto to = link["s_element"].as("configfs_dirent");
        return refs_of(to, above(to)) > 0 || refs_of(in, above(in)) > 0;
    }

    Search &search_;
    std::vector<Item> items_;        ///< a directory comes before what is in it
    std::vector<std::string> links_; ///< to and in them
};

void look(Search &search)
{
    constexpr auto mount_point = "/sys/kernel/config"; // where everybody mounts it
    Tree tree(search);
    tree.go_over(search.kernel().at_symbol("configfs:configfs_root", "configfs_dirent", "configfs"),
                 mount_point, 0);
    tree.report();
}

constexpr Symbol symbols[] = {{"configfs:configfs_root", {}, "configfs_dirent"}};

constexpr Reference references[] = {
    {"`configfs`", "1 of the subsystem's module for each directory made in it",
     "`configfs_mkdir()`", "the children of configfs' root"},
    {"`configfs`", "1 of the module of the directory's type", "`configfs_mkdir()`", "the same"},
};
constexpr Doc doc{"Somebody has made a directory in the module's part of configfs", references,
                  "`rm` of the links, `rmdir` of the directories"};

} // namespace

extern const Kind configfs{"directories in configfs", doc, symbols, look};

} // namespace lastref::census
