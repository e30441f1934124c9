// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/net_devices.h"

#include "base/directory.h"
#include "procfs/links.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace lastref::procfs {
namespace {

/// The module without which a network device is gone; empty where sysfs does not tell.
std::string module_of(const std::string &device)
{
    for (const char *kind : {"bridge", "bonding"}) { // software: no driver is bound to them
        if (::access(fmt::format("{}/{}", device, kind).c_str(), F_OK) == 0) {
            return kind;
        }
    }
    const auto module = read_link(device + "/device/driver/module");
    return module.substr(module.rfind('/') + 1); // npos + 1 is 0
}

} // namespace

std::map<std::string, std::vector<std::string>> net_devices_by_module()
{
    constexpr auto devices = "/sys/class/net";
    std::map<std::string, std::vector<std::string>> out;
    const auto directory = open_directory(devices);
    while (const auto *entry = directory ? ::readdir(directory.get()) : nullptr) {
        if (entry->d_name[0] != '.') {
            out[module_of(fmt::format("{}/{}", devices, entry->d_name))].emplace_back(
                entry->d_name);
        }
    }
    for (auto &[module, names] : out) {
        std::sort(names.begin(), names.end());
    }
    return out;
}

} // namespace lastref::procfs
