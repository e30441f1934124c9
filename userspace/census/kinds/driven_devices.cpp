// SPDX-License-Identifier: GPL-2.0-only
#include "census/devices.h"
#include "census/paths.h"
#include "census/search.h"

#include <sys/stat.h>
#include <unordered_map>
#include <utility>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "fd {fd}: it, or what it sits on, is a device of the driver {driver}",
    .clause = "{who}, which has {path} open",
};

/// Of a device file: its number, and whether it is a block device's.
using Number = std::pair<std::int64_t, bool>;

struct HashOfNumber {
    std::size_t operator()(const Number &number) const
    {
        return static_cast<std::size_t>(number.first) * 2 + (number.second ? 1 : 0);
    }
};
using OpenDevices = std::unordered_map<Number, std::vector<OpenFile>, HashOfNumber>;

OpenDevices open_devices(Search &search)
{
    OpenDevices out;
    for (const auto &open : search.open_files()) {
        const auto inode = search.kernel().at(open.file, "file")["f_inode"];
        const auto mode = static_cast<mode_t>(inode["i_mode"].number().value_or(0));
        if (S_ISCHR(mode) || S_ISBLK(mode)) {
            out[Number(inode["i_rdev"].number().value_or(0), S_ISBLK(mode))].push_back(open);
        }
    }
    return out;
}

/// The name of a driver of the module's that a device is bound to, or one that it sits on.
std::string driver_of(Search &search, Object device)
{
    constexpr unsigned deepest = 64;
    for (unsigned i = 0; device && i < deepest; i++) {
        const auto driver = device["driver"];
        if (search.is_target(driver["owner"])) {
            return driver["name"].text();
        }
        device = device["parent"].target();
    }
    return "";
}

/// A driver may take references that no kind knows of for a device that is open. They are not
/// counted; core/why.cpp leaves out who has them where all references are explained.
void look(Search &search)
{
    auto &kernel = search.kernel();
    if (!search.target()["mkobj"]["drivers_dir"]) {
        return; // it has no driver: module_add_driver()
    }
    const auto open = open_devices(search);
    const auto block_class = kernel.symbol("block_class");
    each_device(kernel, [&](const Object &device) {
        const bool is_block = device["class"].pointer() == block_class;
        const auto number = device["devt"].number().value_or(0);
        const auto of_it = number == 0 ? open.end() : open.find({number, is_block});
        if (of_it == open.end()) {
            return;
        }
        const auto driver = driver_of(search, device);
        for (const auto &one : of_it->second) {
            if (driver.empty() || !search.is_still_open(one)) {
                continue;
            }
            const auto file = kernel.at(one.file, "file");
            auto &found = search.found("driven_device", words, file, 0);
            found.may_hold = true;
            found.task = search.owner_of(one);
            found.fd = one.fd;
            found.path = path_of(search, file["f_path"]);
            found.with("driver", driver);
        }
    });
}

constexpr Symbol symbols[] = {{"devices_kset"}, {"block_class"}, {"init_task"}};

constexpr Reference references[] = {
    {"`driven_device`", "perhaps: shown where references are unexplained, and never counted", "–",
     "the files of all processes, and the drivers that their devices sit on: `devices_kset`"},
};
constexpr Doc doc{"A process has a device open that sits on one of the module's drivers",
                  references, "The process closes it, or ends"};

} // namespace

extern const Kind driven_devices{"devices of its drivers", doc, symbols, look};

} // namespace lastref::census
