// SPDX-License-Identifier: GPL-2.0-only
#include "core/watchdogs.h"

#include <fmt/format.h>

namespace lastref {

bool is_watchdog(std::uint32_t major, std::uint32_t minor, std::string_view subsystem,
                 std::string_view name)
{
    constexpr std::uint32_t misc_major = 10, watchdog_minor = 130; // include/linux/miscdevice.h
    constexpr std::string_view node = "watchdog";
    name = name.substr(name.rfind('/') + 1); // npos + 1 is 0
    const bool named =
        name.starts_with(node) &&
        name.substr(node.size()).find_first_not_of("0123456789") == std::string_view::npos;
    return (major == misc_major && minor == watchdog_minor) || subsystem == node || named;
}

/// watchdog_release(), in drivers/watchdog/watchdog_dev.c: a close stops the timer if "V" was
/// written before, or if the driver knows no "V" (no WDIOF_MAGICCLOSE), and with nowayout never.
/// Else it runs on, and keeps the module.
void spare_watchdog(Sighting &sighting)
{
    sighting.remedy.clear();
    if (!sighting.process) {
        return;
    }
    const auto &process = *sighting.process;
    const auto of_init = process.pid == 1
                             ? " (systemd's is set by RuntimeWatchdogSec=, systemd-system.conf(5))"
                             : "";
    sighting.caution = fmt::format(
        "Do not kill {}[{}]: it feeds a watchdog, which resets the machine when nobody does. "
        "Nothing but that program can let go of it: it must stop the timer{}, most often by "
        "writing V before it closes. With nowayout (in /sys/class/watchdog) nothing stops it.",
        process.comm, process.pid, of_init);
}

} // namespace lastref
