// SPDX-License-Identifier: GPL-2.0-only
#include "cli/terminal.h"

#include "base/screen.h"
#include "cli/output.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/ostream.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lastref::cli {

std::string_view environment(const char *name)
{
    const char *const value = std::getenv(name);
    return value != nullptr ? value : "";
}

Window window_of(int fd)
{
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? Window{size.ws_col, size.ws_row} : Window{};
}

Charset charset()
{
    const bool utf8 =
        locale_has_utf8(environment("LC_ALL"), environment("LC_CTYPE"), environment("LANG"));
    const bool console = environment("TERM") == "linux" && ::isatty(STDOUT_FILENO) == 1;
    return utf8 && !console ? Charset::Unicode : Charset::Ascii;
}

LiveText::LiveText() : in_place_(::isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb") {}

void LiveText::show(const std::string &text, const RenderOptions &render)
{
    if (!in_place_) {
        print_text(text, render);
        return;
    }
    // The cursor can only go back to what has not yet scrolled away, and needs a line of its own.
    const unsigned rows = window_of(STDOUT_FILENO).rows;
    const std::string shown = rows > 1 ? clip_rows(text, rows - 1) : text;
    clear();
    print_text(shown, render);
    rows_ = static_cast<unsigned>(std::count(shown.begin(), shown.end(), '\n'));
}

void LiveText::clear()
{
    if (rows_ != 0) {
        fmt::print(std::cout, "\x1b[{}F\x1b[J", rows_);
        rows_ = 0;
    }
}

} // namespace lastref::cli
