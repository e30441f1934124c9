// SPDX-License-Identifier: GPL-2.0-only
#include "core/watchdogs.h"
#include "holders/describe.h"
#include "kernel/proc_text.h"

#include <cstring>
#include <fmt/format.h>

namespace lastref::holders {
namespace {

/// The path as /proc has it, unless the descriptor means another file by now. A thread may have
/// files that its process has not, so the thread is asked for.
std::string path_of(const lr_finding &finding)
{
    const std::string name(finding.name, strnlen(finding.name, sizeof(finding.name)));
    auto path = path_of_fd(finding.task.tid, finding.fd);
    return path.empty() || !kernel::can_be_path_of(path, name, sizeof(finding.name) - 1) ? name
                                                                                         : path;
}

bool is_open_watchdog(const lr_finding &finding, const std::string &path)
{
    if ((finding.pins & LR_PIN_BLOCK_DEVICE) != 0) { // whose numbers are others
        return false;
    }
    const auto major = static_cast<std::uint32_t>(finding.number >> 20); // MAJOR(), MINOR()
    const auto minor = static_cast<std::uint32_t>(finding.number & 0xfffff);
    std::string subsystem;
    if (finding.number != 0) {
        subsystem = read_link(fmt::format("/sys/dev/char/{}:{}/subsystem", major, minor));
        subsystem.erase(0, subsystem.rfind('/') + 1); // npos + 1 is 0
    }
    return is_watchdog(major, minor, subsystem, path);
}

} // namespace

Sighting describe_file(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::OpenFile, .object = finding.object, .refs = finding.refs};
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = path_of(finding);
    out.detail = fmt::format("fd {} on {}", finding.fd, out.path);
    if ((finding.pins & LR_PIN_DEVICE_SOCKET) != 0) {
        out.detail += " (the file and its socket)";
    }
    out.clause = fmt::format("{} has {} open", who(*out.process), out.path);
    out.remedy = how_to_end(*out.process);
    if (is_open_watchdog(finding, out.path)) {
        spare_watchdog(out);
    }
    return out;
}

} // namespace lastref::holders
