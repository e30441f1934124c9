// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words terminal{
    .detail = "fd {fd} on terminal {name}",
    .clause = "{who} has terminal {name} open",
    .remedy = end_process,
};
constexpr Words discipline{
    .detail = "fd {fd} on line discipline of terminal {name}",
    .clause = terminal.clause,
    .remedy = end_process,
};
constexpr Words both{
    .detail = "fd {fd} on terminal and line discipline of {name}",
    .clause = terminal.clause,
    .remedy = end_process,
};

/// However many have it open, a terminal holds its driver once (tty_init_dev()), and its line
/// discipline once (tty_ldisc_get()); each open file, beside that, the owner of the character
/// device.
void look_at(Search &search, const Object &tty, const OpenFile &file)
{
    const bool is_driver = search.is_target(tty["driver"]["owner"]);
    const bool is_discipline = search.is_target(tty["ldisc"]["ops"]["owner"]);
    if ((!is_driver && !is_discipline) || !search.is_still_open(file)) {
        return;
    }
    auto &found = search.found("tty",
                               !is_discipline ? terminal
                               : !is_driver   ? discipline
                                              : both,
                               tty, (is_driver ? 1 : 0) + (is_discipline ? 1 : 0));
    const auto name = tty["name"].text();
    found.task = search.owner_of(file);
    found.fd = file.fd;
    found.path = "/dev/" + name;
    found.with("name", name);
}

void look(Search &search)
{
    for (const char *operations : {"tty_fops", "console_fops", "ptmx_fops"}) {
        for (const auto &file : search.open_files_with(operations)) {
            const auto data = search.kernel().at(file.file, "file")["private_data"];
            const auto tty = data.as("tty_file_private")["tty"].target();
            look_at(search, tty, file);
            look_at(search, tty["link"].target(), file); // the other side of a pseudoterminal
        }
    }
}

constexpr Symbol symbols[] = {
    {"tty_fops", "terminals", "tty_struct"},
    {"console_fops", "terminals", "tty_struct"},
    {"ptmx_fops", "pseudoterminals", "pts_fs_info"},
};

constexpr Reference references[] = {
    {"`tty`", "1 for the driver, however many have it open", "`tty_init_dev()`",
     "the files of all processes"},
    {"`tty`", "1 for its line discipline", "`tty_ldisc_get()`: `get_ldops()`", "`tty->ldisc`"},
};
constexpr Doc doc{"A process has a terminal open whose driver or line discipline is the module's",
                  references, "The process closes it, or ends"};

} // namespace

extern const Kind terminals{"terminals", doc, symbols, look};

} // namespace lastref::census
