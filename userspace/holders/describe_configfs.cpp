// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "holders/describe.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::holders {
namespace {

constexpr std::string_view mount_point = "/sys/kernel/config"; // where everybody mounts it

struct Configfs {
    std::vector<Sighting> items;    ///< what is in a directory comes before it
    std::vector<std::string> links; ///< to and in them
};

/// What removes all of them: one alone may have to wait for those in it, or for a link to it. Empty
/// where that would be too long a line.
std::string remove_all(const Configfs &all)
{
    constexpr std::size_t most = 16;
    if (all.items.size() + all.links.size() > most) {
        return "";
    }
    std::vector<std::string> directories;
    for (const auto &item : all.items) {
        directories.push_back(shell_word(item.path));
    }
    const auto rmdir = fmt::format("rmdir {}", fmt::join(directories, " "));
    return all.links.empty() ? rmdir : fmt::format("rm {} && {}", fmt::join(all.links, " "), rmdir);
}

} // namespace

void describe_configfs(const Found &found, std::vector<Sighting> &out)
{
    Configfs all;
    for (const auto &finding : found.findings) {
        const auto path = std::string(mount_point) + found.path(finding);
        if (finding.kind == LR_FOUND_CONFIGFS_LINK) {
            all.links.push_back(shell_word(path));
        } else if (finding.kind == LR_FOUND_CONFIGFS_ITEM) {
            Sighting item{.kind = HolderKind::Configfs};
            item.path = path;
            item.detail = "a directory made in configfs";
            item.clause = fmt::format("{} exists", path);
            count(item, finding);
            all.items.push_back(std::move(item));
        }
    }
    std::reverse(all.items.begin(), all.items.end());
    const auto remedy = remove_all(all);
    for (auto &item : all.items) {
        item.remedy = remedy.empty() ? fmt::format("rmdir {}", shell_word(item.path)) : remedy;
        out.push_back(std::move(item));
    }
}

} // namespace lastref::holders
