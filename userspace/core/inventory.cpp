// SPDX-License-Identifier: GPL-2.0-only
#include "core/inventory.h"

#include <algorithm>

namespace lastref {

std::string value_of(const Sighting &seen, std::string_view name)
{
    if (name == "path") {
        return seen.path;
    }
    if (name == "fd") {
        return seen.fd ? std::to_string(*seen.fd) : "";
    }
    const auto found = std::find_if(seen.values.begin(), seen.values.end(),
                                    [name](const auto &value) { return value.first == name; });
    return found == seen.values.end() ? "" : found->second;
}

std::string_view name_of(HolderKind kind)
{
    switch (kind) {
    case HolderKind::OpenFile:
        return "open_file";
    case HolderKind::MappedFile:
        return "mapped_file";
    case HolderKind::FileInFlight:
        return "file_in_flight";
    case HolderKind::IoUringFile:
        return "io_uring_file";
    case HolderKind::Mount:
        return "mount";
    case HolderKind::BlockDevice:
        return "block_device";
    case HolderKind::Loop:
        return "loop";
    case HolderKind::DeviceMapper:
        return "device_mapper";
    case HolderKind::Swap:
        return "swap";
    case HolderKind::Tty:
        return "tty";
    case HolderKind::BinaryFormat:
        return "binary_format";
    case HolderKind::Dependent:
        return "dependent";
    case HolderKind::Livepatch:
        return "livepatch";
    case HolderKind::KernelThread:
        return "kthread";
    case HolderKind::TaskStack:
        return "task_stack";
    case HolderKind::Init:
        return "init";
    case HolderKind::BpfProg:
        return "bpf_prog";
    case HolderKind::BpfLink:
        return "bpf_link";
    case HolderKind::Socket:
        return "socket";
    case HolderKind::CongestionControl:
        return "congestion_control";
    case HolderKind::Qdisc:
        return "qdisc";
    case HolderKind::Filter:
        return "filter";
    case HolderKind::Crypto:
        return "crypto";
    case HolderKind::SysctlDefault:
        return "sysctl_default";
    case HolderKind::Configfs:
        return "configfs";
    case HolderKind::DmaBuf:
        return "dma_buf";
    case HolderKind::Netfilter:
        return "netfilter";
    case HolderKind::TcAction:
        return "tc_action";
    case HolderKind::PersistentDevice:
        return "persistent_device";
    }
    return "";
}

std::string_view name_of(Pins pins)
{
    switch (pins) {
    case Pins::Yes:
        return "yes";
    case Pins::No:
        return "no";
    case Pins::Unknown:
        break;
    }
    return "unknown";
}

std::string_view name_of(Evidence evidence)
{
    return evidence == Evidence::Proven ? "proven" : "sampled";
}

std::string_view name_of(HolderCounter counter)
{
    switch (counter) {
    case HolderCounter::Hard:
        return "hard";
    case HolderCounter::Soft:
        return "soft";
    case HolderCounter::None:
        break;
    }
    return "none";
}

std::string_view name_of(RoutineStatus status)
{
    switch (status) {
    case RoutineStatus::Working:
        return "working";
    case RoutineStatus::Stuck:
        return "stuck";
    case RoutineStatus::Crashed:
        return "crashed";
    case RoutineStatus::Waiting:
        return "waiting";
    case RoutineStatus::Freeing:
        return "freeing";
    case RoutineStatus::Queued:
        return "queued";
    case RoutineStatus::Unknown:
        break;
    }
    return "unknown";
}

} // namespace lastref
