// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::procfs {

/// The name as the kernel spells it: of "path/foo-bar.ko.xz" it is "foo_bar".
std::string module_name(std::string_view given);

/// What /sys/module says of a module that is loaded.
struct SysfsModule {
    std::string name;
    std::uint64_t instance_id = 0;         ///< inode number of /sys/module/NAME
    std::string state;                     ///< "live", "coming" or "going"
    std::optional<std::int64_t> refs;      ///< hard references; empty: cannot be read
    std::optional<std::int64_t> soft_refs; ///< empty: this kernel has no soft references
    std::vector<std::string> holders;      ///< modules that depend on it, sorted
};

enum class ModulePresence { Loaded, BuiltIn, NotLoaded };

/// Whether a module of that name (as the kernel spells it) is loaded or part of the kernel.
/// A built-in module that neither has parameters nor is listed in modules.builtin is NotLoaded.
ModulePresence module_presence(std::string_view name);

/// Reads /sys/module/NAME without taking a lock that an unload holds; empty when not loaded.
std::optional<SysfsModule> sysfs_module(std::string_view name);

/// The names of the modules that are loaded, sorted.
std::vector<std::string> loaded_modules();

} // namespace lastref::procfs
