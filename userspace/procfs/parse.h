// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// What files and links below /proc and /sys mean. Pure: whoever reads them hands over the bytes,
/// which may be anything: other users choose names, and a file may be cut.
namespace lastref::procfs {

/// A number and nothing else, as files of sysfs hold one.
std::optional<std::int64_t> whole_number(std::string_view text);

/// The process that a directory of /proc is of; empty for the others.
std::optional<std::uint32_t> pid_of(std::string_view directory);

/// The inode number in a link such as "mnt:[4026531840]"; 0 where there is none.
std::uint32_t inode_in_link(std::string_view link);

/// The symbols of debugfs' kprobes/blacklist: "0xstart-0xend<TAB>symbol" a line.
std::set<std::string, std::less<>> blacklisted_symbols(std::string_view blacklist);

/// The kernel's own of tracefs' available_filter_functions: "symbol" or "symbol [module]" a line.
std::set<std::string, std::less<>> traceable_symbols(std::string_view functions);

/// Whether modules.builtin, "kernel/path/NAME.ko" a line, has the module of that name.
bool lists_module(std::string_view modules_builtin, std::string_view name);

/// Whether /proc/modules, "NAME SIZE …" a line, has it.
bool lists_loaded_module(std::string_view proc_modules, std::string_view name);

/// What is mounted, by /proc/self/mountinfo, as the mount of that id: "tmpfs", "ext4 on /dev/sdb1";
/// empty where it lists none.
std::string mount_in(std::string_view mountinfo, std::uint64_t id);

/// Whether `path` can be the path of a file of which the last part is `name`, which was cut if it
/// has `cut_at` bytes or more. What is no file of a file system has a path of another kind.
bool can_be_path_of(std::string_view path, std::string_view name, std::size_t cut_at);

} // namespace lastref::procfs
