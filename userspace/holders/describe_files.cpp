// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <cstring>
#include <fmt/format.h>
#include <string_view>

namespace lastref::holders {
namespace {

/// Whether `path` can be the path of a file of which the last part is `name`. Both may be cut
/// short, and what is no file of a file system has a name of another kind.
bool ends_in(std::string_view path, std::string_view name)
{
    constexpr std::string_view deleted = " (deleted)";
    if (path.size() > deleted.size() && path.substr(path.size() - deleted.size()) == deleted) {
        path.remove_suffix(deleted.size());
    }
    if (path.empty() || path.front() != '/' || name.empty() || name == "/") {
        return true;
    }
    const auto last = path.substr(path.rfind('/') + 1);
    return name.size() + 1 < LR_FINDING_NAME ? last == name : last.substr(0, name.size()) == name;
}

/// The path as /proc has it, unless the descriptor means another file by now. A thread may have
/// files that its process has not, so the thread is asked for.
std::string path_of(const lr_finding &finding)
{
    const std::string name(finding.name, strnlen(finding.name, sizeof(finding.name)));
    auto path = path_of_fd(finding.task.tid, finding.fd);
    return path.empty() || !ends_in(path, name) ? name : path;
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
    return out;
}

} // namespace lastref::holders
