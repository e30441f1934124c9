// SPDX-License-Identifier: GPL-2.0-only
#include "census/passed_files.h"

#include "census/search.h"
#include "census/sockets.h"

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

} // namespace lastref::census
