// SPDX-License-Identifier: GPL-2.0-only
#include "census/watchdogs.h"

#include "census/search.h"

#include <sys/stat.h>

namespace lastref::census {

bool is_name_of_watchdog(std::string_view name)
{
    constexpr std::string_view node = "watchdog";
    return name.starts_with(node) &&
           name.find_first_not_of("0123456789", node.size()) == std::string_view::npos;
}

bool is_watchdog(Search &search, const Object &file)
{
    constexpr std::int64_t device = 10 << 20 | 130; // MKDEV(MISC_MAJOR, WATCHDOG_MINOR)
    if (search.operations_of(file).type == FileType::Watchdog) {
        return true;
    }
    const auto inode = file["f_inode"];
    if (S_ISCHR(static_cast<mode_t>(inode["i_mode"].number().value_or(0))) &&
        inode["i_rdev"].number() == device) {
        return true;
    }
    return is_name_of_watchdog(file["f_path"]["dentry"]["d_name"]["name"].text());
}

void choose_words(Finding &found, const FileWords &words, bool is_watchdog)
{
    const auto &task = *found.task;
    found.words = !is_watchdog    ? &words.usual
                  : task.pid == 1 ? &words.watchdog_of_init
                                  : &words.watchdog;
}

} // namespace lastref::census
