// SPDX-License-Identifier: GPL-2.0-only
#include "base/directory.h"
#include "base/text.h"
#include "holders/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace lastref::holders {
namespace {

/// Devices that are built on a disk, by sysfs.
std::vector<std::string> holders_of(const std::string &disk)
{
    std::vector<std::string> names;
    const auto directory = open_directory(fmt::format("/sys/block/{}/holders", disk));
    while (const auto *entry = directory ? ::readdir(directory.get()) : nullptr) {
        if (entry->d_name[0] != '.') {
            names.emplace_back(entry->d_name);
        }
    }
    return names;
}

/// What is left of a disk's opens when those that were found have been taken away.
Sighting describe_disk(const lr_finding &finding, std::int64_t refs)
{
    Sighting out{.kind = HolderKind::BlockDevice, .object = finding.object, .refs = refs};
    const auto name = text_of(finding.name);
    const auto holders = holders_of(name);
    out.path = "/dev/" + name;
    out.detail = holders.empty()
                     ? "opened by the kernel, or by whom lastref does not find"
                     : fmt::format("opened by the kernel, for {}", fmt::join(holders, ", "));
    out.clause = holders.empty() ? fmt::format("somebody has {} open", out.path)
                                 : fmt::format("{} {} built on {}", fmt::join(holders, ", "),
                                               holders.size() == 1 ? "is" : "are", out.path);
    return out;
}

Sighting describe_loop(const lr_finding &finding, const std::string &path)
{
    Sighting out{.kind = HolderKind::Loop};
    if (finding.refs == 0) {
        out.counter = HolderCounter::None;
        out.pins = Pins::No;
    }
    const auto name = text_of(finding.name);
    out.path = "/dev/" + name;
    out.detail = fmt::format("loop device {}, backed by {}", name, path);
    out.clause = fmt::format("loop device {} is backed by {}", name, path);
    out.remedy = fmt::format("losetup -d {}", shell_word(out.path));
    return out;
}

Sighting describe_swap(const std::string &path)
{
    Sighting out{.kind = HolderKind::Swap};
    out.path = path;
    out.detail = "swap is on it";
    out.clause = fmt::format("swap is on {}", path);
    out.remedy = fmt::format("swapoff {}", shell_word(path));
    return out;
}

Sighting describe_device_mapper(const lr_finding &finding)
{
    Sighting out{.kind = HolderKind::DeviceMapper};
    const auto name = text_of(finding.name);
    out.path = name.empty() ? "" : "/dev/mapper/" + name;
    const auto device = fmt::format("device mapper's {}", name.empty() ? "nameless device" : name);
    switch (finding.kind) {
    case LR_FOUND_DM_TARGET:
        out.detail = "device mapper: a target of its table";
        out.clause = fmt::format("{} has a target of it", device);
        break;
    case LR_FOUND_DM_BELOW:
        out.detail = "device mapper: is built on its disk";
        out.clause = fmt::format("{} is built on its disk", device);
        break;
    default:
        out.detail = "device mapper: a device";
        out.clause = fmt::format("{} exists", device);
    }
    if (!name.empty()) {
        out.remedy = fmt::format("dmsetup remove {}", shell_word(name));
    }
    return out;
}

} // namespace

void describe_block(const Found &found, std::vector<Sighting> &out)
{
    std::map<std::uint64_t, std::size_t> disks; // by what counts their opens
    for (const auto &finding : found.findings) {
        switch (finding.kind) {
        case LR_FOUND_DISK: {
            const auto [known, is_new] = disks.try_emplace(finding.object, out.size());
            if (is_new) {
                out.push_back(describe_disk(finding, finding.refs));
            } else {
                out[known->second].refs += finding.refs;
            }
            continue;
        }
        case LR_FOUND_LOOP:
            out.push_back(describe_loop(finding, found.path(finding)));
            break;
        case LR_FOUND_SWAP:
            out.push_back(describe_swap(found.path(finding)));
            break;
        case LR_FOUND_DM_DEVICE:
        case LR_FOUND_DM_TARGET:
        case LR_FOUND_DM_BELOW:
            out.push_back(describe_device_mapper(finding));
            break;
        default:
            continue;
        }
        count(out.back(), finding);
    }
}

} // namespace lastref::holders
