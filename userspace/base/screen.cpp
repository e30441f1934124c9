// SPDX-License-Identifier: GPL-2.0-only
#include "base/screen.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace lastref {

namespace {

constexpr unsigned fewest_columns = 80;
constexpr unsigned most_columns = 1000; // what is wider is a mistake, and would be slow to print

} // namespace

bool locale_has_utf8(std::string_view lc_all, std::string_view lc_ctype, std::string_view lang)
{
    const std::string_view locale = !lc_all.empty() ? lc_all : !lc_ctype.empty() ? lc_ctype : lang;
    std::string codeset(locale.substr(std::min(locale.find('.'), locale.size())));
    codeset.resize(std::min(codeset.find('@'), codeset.size()));
    codeset.erase(std::remove(codeset.begin(), codeset.end(), '-'), codeset.end());
    std::transform(codeset.begin(), codeset.end(), codeset.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return codeset == ".utf8";
}

unsigned columns_to_fill(std::string_view columns_variable, unsigned terminal)
{
    unsigned wanted = 0;
    const char *const end = columns_variable.data() + columns_variable.size();
    const auto [stop, error] = std::from_chars(columns_variable.data(), end, wanted);
    if (error != std::errc() || stop != end || wanted == 0) {
        wanted = terminal;
    }
    return std::clamp(wanted, fewest_columns, most_columns);
}

std::string clip_rows(std::string_view text, unsigned rows)
{
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines <= rows || rows == 0) {
        return std::string(text);
    }
    std::size_t bytes = 0;
    for (unsigned i = 1; i < rows; ++i) {
        bytes = text.find('\n', bytes) + 1;
    }
    return fmt::format("{}  and {}\n", text.substr(0, bytes),
                       plural(static_cast<std::int64_t>(lines - rows + 1), "more line"));
}

} // namespace lastref
