// SPDX-License-Identifier: GPL-2.0-only
// What files of /proc and /sys hold: any bytes, in pieces of any size. The first byte chooses how
// large the pieces are, and, where a parser takes two texts, where the first of them ends.

#include "procfs/parse.h"

#include "base/screen.h"
#include "documents.h"
#include "procfs/cgroup_path.h"
#include "procfs/modules.h"
#include "procfs/symbols.h"

#include <array>

namespace {

using namespace lastref;

constexpr std::array<std::string_view, 4> wanted{"modules", "do_exit", "tun:tun_fops",
                                                 "nf_tables:nf_tables_net_id"};

procfs::Symbols symbols_in(std::string_view text, std::size_t piece)
{
    return procfs::Symbols::parse(wanted, [&text, piece](std::span<char> into) {
        const auto size = std::min({piece, into.size(), text.size()});
        text.copy(into.data(), size);
        text.remove_prefix(size);
        return size;
    });
}

/// However it comes, the same text says the same.
void check_symbols(std::string_view text, std::size_t piece)
{
    const auto at_once = symbols_in(text, text.size());
    const auto in_pieces = symbols_in(text, piece);
    for (const auto name : wanted) {
        if (at_once.has(name) != in_pieces.has(name) ||
            at_once.address(name) != in_pieces.address(name) ||
            at_once.or_variant(name) != in_pieces.or_variant(name)) {
            fuzz::expect_nothing("symbols depend on how they are read", "kallsyms");
        }
        const auto variant = at_once.or_variant(name);
        if (variant && variant->substr(0, name.size()) != name) {
            fuzz::expect_nothing("a symbol is no variant of its name", "kallsyms");
        }
    }
}

void check_names(std::string_view one, std::string_view other)
{
    // A path is that of its last part, whole or cut.
    const auto last = one.substr(one.rfind('/') + 1);
    if (!last.empty() && !one.ends_with(" (deleted)") &&
        !procfs::can_be_path_of(one, last, last.size() + 1)) {
        fuzz::expect_nothing("a path is not that of its own end", "paths");
    }
    (void)procfs::can_be_path_of(one, other, other.size());
    const auto unit = procfs::unit_of_cgroup(one);
    const auto stop = procfs::unit_of_cgroup(one, true).stop;
    if (stop.is_known() && stop.command.front() == "systemctl") {
        fuzz::expect_nothing("a unit with others in it is stopped", "cgroup");
    }
    if (unit.name.size() > one.size()) {
        fuzz::expect_nothing("a unit has more than its path", "cgroup");
    }
    const auto name = procfs::module_name(one);
    if (name.find_first_of("/-") != name.npos || procfs::module_name(name) != name) {
        fuzz::expect_nothing("a name is not as the kernel spells it", "modules");
    }
    (void)procfs::lists_module(one, other);
    (void)procfs::lists_loaded_module(one, other);
    if (procfs::mount_in(one, 36).size() > one.size() + 4) {
        fuzz::expect_nothing("a mount has more than its line", "mountinfo");
    }
}

void check_numbers(std::string_view text)
{
    const auto number = procfs::whole_number(text);
    if (number && std::to_string(*number) != text && text.find_first_not_of("-0123456789") == 0) {
        fuzz::expect_nothing("what is no number is one", "numbers");
    }
    const auto pid = procfs::pid_of(text);
    if (pid && text.find_first_not_of("0123456789") != text.npos) {
        fuzz::expect_nothing("what is no number is a process", "/proc");
    }
    (void)procfs::inode_in_link(text);
    for (const auto &symbol : procfs::blacklisted_symbols(text)) {
        if (symbol.find('\n') != symbol.npos) {
            fuzz::expect_nothing("a symbol goes over lines", "blacklist");
        }
    }
    const auto columns = columns_to_fill(text, 0);
    if (columns < 80 || columns > 1000) {
        fuzz::expect_nothing("no such width is allowed", "COLUMNS");
    }
    (void)locale_has_utf8(text, text, text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    const auto first = std::min<std::size_t>(data[0], text.size());
    check_symbols(text, std::size_t{data[0]} + 1);
    check_names(text.substr(0, first), text.substr(first));
    check_names(text, text.substr(first));
    check_numbers(text);
    return 0;
}
