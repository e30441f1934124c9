// SPDX-License-Identifier: GPL-2.0-only
#include "census/passed_files.h"

#include "census/search.h"
#include "census/sockets.h"

#include <algorithm>

namespace lastref::census {

FileHold hold_of_passed_file(Search &search, const Object &file)
{
    auto out = hold_of_file(search, file);
    out.refs += refs_of_socket_file(search, file) + refs_of_device_socket(search, file);
    return out;
}

void describe_passed_file(Finding &found, const Object &file, const FileHold &hold)
{
    const auto name = file["f_path"]["dentry"]["d_name"]["name"].text();
    found.path = name.empty() ? "a socket" : name;
    found.count_in(hold.counted_in);
}

bool is_open_by(Search &search, const Object &task, Address file)
{
    const auto process = task["tgid"].number();
    const auto &all = search.open_files();
    return std::any_of(all.begin(), all.end(), [&](const OpenFile &open) {
        return open.file == file &&
               search.tasks_with_files()[open.owner]["tgid"].number() == process;
    });
}

} // namespace lastref::census
