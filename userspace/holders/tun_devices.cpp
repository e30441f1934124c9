// SPDX-License-Identifier: GPL-2.0-only
#include "holders/tun_devices.h"

#include "base/text.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <linux/if_tun.h>

namespace lastref::holders {
namespace {

namespace fs = std::filesystem;

/// The file shows a variable, without a lock; 0 for a device of another kind.
unsigned flags_of(const fs::path &device)
{
    std::ifstream file(device / "tun_flags");
    unsigned flags = 0;
    return file >> std::hex >> flags ? flags : 0;
}

} // namespace

std::vector<Sighting> persistent_tun_devices()
{
    std::vector<Sighting> out;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator("/sys/class/net", error)) {
        const unsigned flags = flags_of(entry.path());
        if ((flags & IFF_PERSIST) == 0) {
            continue;
        }
        const auto name = entry.path().filename().string();
        const std::string_view kind = (flags & IFF_TAP) != 0 ? "tap" : "tun";
        Sighting device{.kind = HolderKind::PersistentDevice, .refs = 1, .path = name};
        device.detail = fmt::format("a {} device that persists", kind);
        device.clause = fmt::format("{} is a {} device that persists", name, kind);
        device.remedy = fmt::format("ip link del {}", shell_word(name));
        out.push_back(std::move(device));
    }
    return out;
}

} // namespace lastref::holders
