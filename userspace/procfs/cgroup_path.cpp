// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/cgroup_path.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

namespace lastref::procfs {
namespace {

using Parts = std::vector<std::string_view>;

constexpr std::string_view digits_and_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

Parts parts_of(std::string_view path)
{
    Parts parts;
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        if (end != 0) {
            parts.push_back(path.substr(0, end));
        }
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
}

/// What a text says between `before` and `after`; empty if it is another one.
std::string_view between(std::string_view text, std::string_view before, std::string_view after)
{
    const bool fits = text.size() > before.size() + after.size() && text.starts_with(before) &&
                      text.ends_with(after);
    return fits ? text.substr(before.size(), text.size() - before.size() - after.size())
                : std::string_view{};
}

bool consists_of(std::string_view text, std::string_view characters)
{
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_plain(std::string_view text, std::string_view more)
{
    return consists_of(text, std::string(digits_and_letters) + std::string(more)) &&
           text.front() != '-';
}

/// A name of a unit as systemd has it: cgroups whose names could be files of the kernel's get a "_"
/// before (cg_escape()).
std::string_view unescaped(std::string_view part)
{
    return part.starts_with('_') ? part.substr(1) : part;
}

bool is_unit(std::string_view part)
{
    const auto name = unescaped(part);
    return !between(name, "", ".service").empty() || !between(name, "", ".scope").empty();
}

/// "web-1" of "web\x2d1", as systemd escapes what is part of a unit's name.
std::string plain_name(std::string_view escaped)
{
    std::string out;
    while (!escaped.empty()) {
        unsigned value = 0;
        const auto hex = escaped.substr(0, 4);
        if (hex.size() == 4 && hex.starts_with("\\x") &&
            std::from_chars(hex.data() + 2, hex.data() + 4, value, 16).ptr == hex.data() + 4) {
            out += static_cast<char>(value);
            escaped.remove_prefix(4);
        } else {
            out += escaped.front();
            escaped.remove_prefix(1);
        }
    }
    return out;
}

/// The id of a container as runtimes show it, if a name ends with a whole one ("crio-ID.scope",
/// "POD.slice:cri-containerd:ID").
std::string id_in(std::string_view part)
{
    constexpr std::size_t whole = 64, shown = 12;
    if (const auto scope = between(part, "", ".scope"); !scope.empty()) {
        part = scope;
    }
    const auto id = part.substr(part.find_last_of("-:") + 1); // npos + 1 is 0
    return id.size() == whole && consists_of(id, "0123456789abcdef")
               ? std::string(id.substr(0, shown))
               : "";
}

struct Container {
    std::string words;
    Stop stop{};
};

/// A machine of systemd-machined's: a virtual machine of libvirt's, or a container.
Container machine(const std::string &name, const Parts &parts, std::size_t at)
{
    // libvirt: "qemu-ID-NAME", where virsh takes the id, and the name may have been cut.
    const auto domain = std::string_view(between(name, "qemu-", ""));
    const auto dash = domain.find('-');
    if (dash != std::string_view::npos && consists_of(domain.substr(0, dash), "0123456789")) {
        return {fmt::format("virtual machine {}", domain.substr(dash + 1)),
                {{"virsh", "shutdown"}, std::string(domain.substr(0, dash))}};
    }
    // systemd-nspawn puts what is inside in "payload"; a systemd there has cgroups of its own.
    const bool boots = at + 2 < parts.size() && parts[at + 1] == "payload" &&
                       (parts[at + 2] == "init.scope" || parts[at + 2].ends_with(".slice"));
    return {fmt::format("machine {}", name),
            boots && is_plain(name, "._-") ? Stop{{"machinectl", "poweroff"}, name} : Stop{}};
}

/// Whether a part of the path is Kubernetes', or one before it.
bool in_pod(const Parts &parts, std::size_t at)
{
    return std::any_of(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                       [](std::string_view part) { return part.starts_with("kubepods"); });
}

/// The container that begins at a part of the path.
std::optional<Container> container_at(const Parts &parts, std::size_t at)
{
    const auto part = parts[at];
    const auto before = at == 0 ? std::string_view{} : parts[at - 1];
    const auto id = id_in(part);
    if (!id.empty() && in_pod(parts, at)) { // whose kubelet starts what others stop
        return Container{fmt::format("Kubernetes container {}", id)};
    }
    if (!id.empty() && (part.starts_with("docker-") || before == "docker")) {
        return Container{fmt::format("docker container {}", id), {{"docker", "stop"}, id}};
    }
    if (part.starts_with("libpod-conmon-")) { // podman's own, outside
        return std::nullopt;
    }
    if (!id.empty() && part.starts_with("libpod-")) {
        return Container{fmt::format("podman container {}", id), {{"podman", "stop"}, id}};
    }
    auto name = between(part, "lxc.payload.", "");
    if (before == "lxc" || before == "lxc.payload") {
        name = part;
    }
    if (!name.empty()) {
        return Container{fmt::format("LXC container {}", name)};
    }
    name = between(part, "machine-", ".scope");
    if (name.empty() && at + 1 < parts.size() && parts[at + 1] == "payload") {
        name = between(part, "systemd-nspawn@", ".service");
    }
    if (!name.empty()) {
        return machine(plain_name(name), parts, at);
    }
    return id.empty() ? std::nullopt : std::optional(Container{fmt::format("container {}", id)});
}

/// The user whose service manager is below that part.
std::optional<std::uint32_t> user_of(std::string_view part)
{
    const auto digits = between(part, "user@", ".service");
    std::uint32_t uid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uid);
    return !digits.empty() && error == std::errc{} && end == digits.data() + digits.size()
               ? std::optional(uid)
               : std::nullopt;
}

/// Whether a slice is one of the service manager's in which `outer` is; that one may be empty. One
/// of another manager's has a name that does not go on from the slice around it.
bool is_slice_in(std::string_view outer, std::string_view part)
{
    const auto name = between(part, "", ".slice");
    const auto prefix =
        outer.empty() ? std::string() : std::string(outer.substr(0, outer.rfind('.'))) + '-';
    return !name.empty() && name.starts_with(prefix);
}

/// A service of which it is known that its service manager stops this and nothing else.
Stop stop_service(const Unit &unit)
{
    if (between(unit.name, "", ".service").empty() || !is_plain(unit.name, ":_.@-\\")) {
        return {};
    }
    if (unit.user) {
        return {{"systemctl", "--user", "-M", fmt::format("{}@", *unit.user), "stop"}, unit.name};
    }
    return {{"systemctl", "stop"}, unit.name, true};
}

} // namespace

Unit unit_of_cgroup(std::string_view path, bool has_children)
{
    const auto parts = parts_of(path);
    Unit out;
    bool may_be_unit = true; // until something else begins
    std::string_view slice;
    for (std::size_t i = 0; i < parts.size() && out.container.empty(); i++) {
        const bool is_last = i + 1 == parts.size();
        if (auto container = container_at(parts, i)) {
            // A user's containers are known to programs of that user alone.
            out.stop = out.user ? Stop{} : std::move(container->stop);
            out.container = std::move(container->words);
        }
        if (!may_be_unit) {
            continue;
        }
        if (is_slice_in(slice, parts[i])) {
            slice = parts[i];
            continue;
        }
        const auto user = out.user ? std::nullopt : user_of(parts[i]);
        if (user && !is_last && parts[i + 1] != "init.scope") {
            out.user = user; // what is below is the user's
            slice = {};
            continue;
        }
        may_be_unit = false;
        if (is_unit(parts[i])) {
            out.name = unescaped(parts[i]);
            if (out.container.empty() && is_last && !has_children) {
                out.stop = stop_service(out);
            }
        }
    }
    if (out.container.empty() && !parts.empty() && in_pod(parts, parts.size() - 1)) {
        out.container = "a Kubernetes pod";
        out.stop = {};
    }
    if (out.name.empty()) {
        out.name = path == "/" ? "" : std::string(path);
    }
    return out;
}

} // namespace lastref::procfs
