// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/process.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lastref::procfs {

/// To whom the processes of a cgroup belong, as far as its path proves it.
struct Unit {
    std::string name;                  ///< of systemd's unit, or else the path; empty: none
    std::optional<std::uint32_t> user; ///< whose service manager has the unit; empty: the system's
    std::string container;             ///< "docker container 0123456789ab"; empty: in none
    Stop stop;                         ///< what ends all of it
};

/// The unit of a path such as "/system.slice/foo.service": the outermost, since those further in
/// are of other service managers, which give their units any name. It is stopped as a whole only if
/// the cgroup is its own and has no others in it (`has_children`). Pure: whoever may make a cgroup
/// may call it anything.
Unit unit_of_cgroup(std::string_view path, bool has_children = false);

} // namespace lastref::procfs
