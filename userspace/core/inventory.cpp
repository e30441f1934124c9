// SPDX-License-Identifier: GPL-2.0-only
#include "core/inventory.h"

#include <fmt/format.h>

namespace lastref {
namespace {

/// A system service whose name needs no quotes in a shell. Whoever may make a cgroup may call it
/// anything, and people copy what they are told.
bool is_service(const Process &process)
{
    constexpr std::string_view suffix = ".service";
    constexpr auto safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@-";
    const std::string_view unit = process.unit;
    return !process.user_unit && unit.size() > suffix.size() && unit.front() != '-' &&
           unit.substr(unit.size() - suffix.size()) == suffix &&
           unit.find_first_not_of(safe) == std::string_view::npos;
}

} // namespace

std::string how_to_end(const Process &process)
{
    if (process.pid == 1) {
        return "";
    }
    return is_service(process) ? fmt::format("systemctl stop {}", process.unit)
                               : fmt::format("kill {}", process.pid);
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
