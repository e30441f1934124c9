// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/modules.h"

#include "procfs/files.h"
#include "procfs/host.h"
#include "procfs/parse.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace lastref::procfs {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(std::string_view name)
{
    return fs::path("/sys/module") / name;
}

std::vector<std::string> names_in(const fs::path &folder)
{
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        names.push_back(entry->path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// A name that is one component of a path. Others cannot be modules.
bool is_component(std::string_view name)
{
    return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

/// Whether /lib/modules/RELEASE/modules.builtin lists "path/NAME.ko".
bool listed_as_builtin(std::string_view name)
{
    return lists_module(contents("/lib/modules/" + this_host().release + "/modules.builtin"), name);
}

} // namespace

std::string module_name(std::string_view given)
{
    if (const auto slash = given.rfind('/'); slash != given.npos) {
        given.remove_prefix(slash + 1);
    }
    if (const auto suffix = given.find(".ko"); suffix != given.npos) {
        const auto after = given.substr(suffix + 3);
        if (after.empty() || after.front() == '.') {
            given = given.substr(0, suffix);
        }
    }
    std::string name(given);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

ModulePresence module_presence(std::string_view name)
{
    std::error_code error;
    if (!is_component(name)) {
        return ModulePresence::NotLoaded;
    }
    if (fs::exists(folder_of(name) / "initstate", error)) {
        return ModulePresence::Loaded;
    }
    if (listed_as_builtin(name)) {
        return ModulePresence::BuiltIn;
    }
    // A built-in module that is not listed has a folder, if it has parameters or a version. That of
    // another one comes before the file, and goes after it; /proc/modules has it all that time. It
    // takes a lock that an unload may hold, so it is read last.
    if (!fs::exists(folder_of(name), error)) {
        return ModulePresence::NotLoaded;
    }
    if (lists_loaded_module(contents("/proc/modules"), name)) {
        return ModulePresence::Loaded;
    }
    if (fs::exists(folder_of(name), error)) {
        return ModulePresence::BuiltIn;
    }
    return ModulePresence::NotLoaded;
}

std::optional<SysfsModule> sysfs_module(std::string_view name)
{
    if (!is_component(name)) {
        return std::nullopt;
    }
    const auto folder = folder_of(name);
    struct stat status = {};
    SysfsModule module;
    module.name = name;
    module.state = first_line(folder / "initstate");
    if (module.state.empty() || ::stat(folder.c_str(), &status) != 0) {
        return std::nullopt;
    }
    module.instance_id = status.st_ino;
    module.refs = number_in(folder / "refcnt");
    module.soft_refs = number_in(folder / "soft_refcnt");
    module.holders = names_in(folder / "holders");
    return module;
}

std::vector<std::string> loaded_modules()
{
    auto names = names_in("/sys/module");
    const auto not_loaded = [](const std::string &name) {
        std::error_code error;
        return !fs::exists(folder_of(name) / "initstate", error);
    };
    names.erase(std::remove_if(names.begin(), names.end(), not_loaded), names.end());
    return names;
}

} // namespace lastref::procfs
