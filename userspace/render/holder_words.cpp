// SPDX-License-Identifier: GPL-2.0-only
#include "render/holder_words.h"

#include "render/fill_in.h"
#include "render/mount_words.h"

#include <fmt/format.h>

namespace lastref {
namespace {

std::string where_in(const NetNamespace &net)
{
    if (net.is_own) {
        return "";
    }
    if (!net.name.empty()) {
        return fmt::format(" in net namespace {}", net.name);
    }
    return net.pid != 0 ? fmt::format(" in net namespace {} (that of pid {})", net.inode, net.pid)
                        : fmt::format(" in net namespace {}", net.inode);
}

std::string filled_in(std::string_view text, const Sighting &seen)
{
    return fill_in(text, [&seen](std::string_view name) -> std::string {
        if (name == "who") {
            return seen.process ? who(*seen.process) : "";
        }
        if (name == "process") {
            return seen.process ? short_name(*seen.process) : "";
        }
        if (name == "where") {
            return seen.net ? where_in(*seen.net) : "";
        }
        return value_of(seen, name);
    });
}

constexpr Words nothing{};

const Words &words_of(const Sighting &seen)
{
    return seen.words != nullptr ? *seen.words : nothing;
}

} // namespace

std::string place_of(const Process &process)
{
    if (!process.container.empty()) {
        return process.container;
    }
    return process.unit_of_user ? fmt::format("{} of user {}", process.unit, *process.unit_of_user)
                                : process.unit;
}

std::string short_name(const Process &process)
{
    return fmt::format("{}[{}]", process.comm, process.pid);
}

std::string who(const Process &process)
{
    const auto place = place_of(process);
    return place.empty() ? short_name(process) : fmt::format("{} ({})", short_name(process), place);
}

std::string detail_of(const Sighting &seen)
{
    return seen.file_system ? detail_of_mount(seen) : filled_in(words_of(seen).detail, seen);
}

std::string detail_after_fd(const Sighting &seen)
{
    constexpr std::string_view begin = "fd {fd} ";
    auto detail = words_of(seen).detail;
    if (!seen.fd || !detail.starts_with(begin)) {
        return "";
    }
    detail.remove_prefix(begin.size());
    return filled_in(detail, seen);
}

std::string clause_of(const Sighting &seen)
{
    return seen.file_system ? clause_of_mount(seen) : filled_in(words_of(seen).clause, seen);
}

std::string clause_beside_mount(const Sighting &seen)
{
    const auto &words = words_of(seen);
    return words.there.empty() ? clause_of(seen) : filled_in(words.there, seen);
}

std::string caution_of(const Sighting &seen)
{
    return seen.file_system ? caution_of_mount(seen) : filled_in(words_of(seen).caution, seen);
}

} // namespace lastref
