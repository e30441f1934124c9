// SPDX-License-Identifier: GPL-2.0-only
#include "harmless.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace lastref::test {

namespace {

using nlohmann::json;

/// The library refuses to print what is no UTF-8.
bool is_utf8(std::string_view bytes)
{
    try {
        (void)json(bytes).dump();
        return true;
    } catch (const json::exception &) {
        return false;
    }
}

/// One sequence of two or three bytes: those that begin so and end within these bounds.
struct Sequence {
    std::string_view begin;
    unsigned char from, to;
};

/// C1 controls, soft hyphen, Arabic letter mark, zero widths and marks, separators and embeddings,
/// isolates and invisible operators, byte order mark, annotations.
constexpr std::array<Sequence, 9> unseen{{{"\xc2", 0x80, 0x9f},
                                          {"\xc2", 0xad, 0xad},
                                          {"\xd8", 0x9c, 0x9c},
                                          {"\xe2\x80", 0x8b, 0x8f},
                                          {"\xe2\x80", 0xa8, 0xae},
                                          {"\xe2\x81", 0xa0, 0xaf},
                                          {"\xef\xbb", 0xbf, 0xbf},
                                          {"\xef\xbf", 0xb9, 0xbb},
                                          {"\xf3\xa0", 0x80, 0x81}}};

bool holds(std::string_view text, const Sequence &one)
{
    for (auto at = text.find(one.begin); at != text.npos; at = text.find(one.begin, at + 1)) {
        const auto last = at + one.begin.size();
        const auto byte = last < text.size() ? static_cast<unsigned char>(text[last]) : 0;
        if (byte >= one.from && byte <= one.to) {
            return true;
        }
    }
    return false;
}

/// The next line, which is taken off `text`; what has no end of line is one too.
std::string_view take_line(std::string_view &text)
{
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

/// NAME{label="…",…} VALUE: where the label set ends; npos if it does not.
std::size_t end_of_labels(std::string_view line, std::size_t at)
{
    bool quoted = false;
    for (; at < line.size(); ++at) {
        if (quoted && line[at] == '\\') {
            ++at;
        } else if (line[at] == '"') {
            quoted = !quoted;
        } else if (!quoted && line[at] == '}') {
            return at;
        }
    }
    return line.npos;
}

bool is_sample(std::string_view line)
{
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz_";
    auto at = line.find_first_not_of(letters);
    if (at == 0 || at == line.npos) {
        return false;
    }
    if (line[at] == '{') {
        at = end_of_labels(line, at);
        if (at == line.npos || ++at == line.size()) {
            return false;
        }
    }
    return line[at] == ' ' && line.find_first_not_of("0123456789.+-eInfNa", at + 1) == line.npos;
}

} // namespace

std::string wrong_with_text(std::string_view text)
{
    if (!is_utf8(text)) {
        return "it is no UTF-8";
    }
    for (const char byte : text) {
        if ((byte >= 0 && byte < ' ' && byte != '\n') || byte == '\x7f') {
            return fmt::format("it has the control character {:#04x}", byte);
        }
    }
    for (const Sequence &one : unseen) {
        if (holds(text, one)) {
            return fmt::format("it has an invisible or turning character, {:#04x} {:#04x} …",
                               static_cast<unsigned char>(one.begin[0]), one.from);
        }
    }
    return "";
}

std::string wrong_with_json(std::string_view text)
{
    // It may be looked at on a terminal, with cat or jq -R.
    const auto wrong = wrong_with_text(text);
    return !wrong.empty() || json::accept(text) ? wrong : "it is no JSON";
}

std::string wrong_with_json_lines(std::string_view text)
{
    if (text.empty() || text.back() != '\n') {
        return "it does not end with its line";
    }
    while (!text.empty()) {
        const auto line = take_line(text);
        if (const auto wrong = wrong_with_json(line); !wrong.empty()) {
            return fmt::format("{}: {}", wrong, line);
        }
    }
    return "";
}

std::string wrong_with_exposition(std::string_view text)
{
    if (!is_utf8(text)) {
        return "it is no UTF-8";
    }
    while (!text.empty()) {
        const auto line = take_line(text);
        const bool comment = line.substr(0, 7) == "# HELP " || line.substr(0, 7) == "# TYPE ";
        if (!comment && !is_sample(line)) {
            return fmt::format("this line is no sample: {}", line);
        }
    }
    return "";
}

std::string_view page_data(std::string_view page)
{
    constexpr std::string_view begin = R"(<script type="application/json" id="data">)";
    const auto from = page.find(begin);
    if (from == page.npos) {
        return {};
    }
    const auto behind = page.substr(from + begin.size());
    return behind.substr(0, std::min(behind.find("</script"), behind.size()));
}

std::string wrong_with_page(std::string_view page, std::string_view other)
{
    const auto data = page_data(page);
    const auto other_data = page_data(other);
    if (data.empty() || other_data.empty()) {
        return "it has no data";
    }
    for (const char byte : data) {
        if (byte < ' ' || byte > '~' || byte == '<') {
            return fmt::format("its data have the byte {:#04x}", static_cast<unsigned char>(byte));
        }
    }
    const auto before = static_cast<std::size_t>(data.data() - page.data());
    const auto other_before = static_cast<std::size_t>(other_data.data() - other.data());
    if (page.substr(0, before) != other.substr(0, other_before) ||
        page.substr(before + data.size()) != other.substr(other_before + other_data.size())) {
        return "it is another page, not only other data";
    }
    return wrong_with_json(data);
}

const std::vector<std::string> &hostile_names()
{
    static const std::vector<std::string> names{
        "\x1b[2J\x1b[31m",              // clears the screen
        "\x1b]0;title\a",               // names the window
        "\x1b]52;c;cm0gLXJmIC8=\x1b\\", // fills the clipboard
        "\x1bP$q\"p\x1b\\",             // makes the terminal answer
        "\xc2\x9b"
        "2J", // the same in one character of UTF-8
        "\x9b"
        "31m",                               // or in one byte
        "two\nlines\r\vover\b\bwritten\f\t", //
        "\xe2\x80\xae"
        "txet\xe2\x81\xa6", // backwards
        "a\xe2\x80\x8b\xef\xbb\xbf"
        "b",                                 // what is not seen
        "\xff\xfe\xc3(\xed\xa0\x80\xf4\x90", // no UTF-8
        "\"}],{\"a\":\"\\u0000\\",           // JSON
        "a\"} 1\nevil{x=\"\\",               // Prometheus
        "<script>alert(1)</script>&#27;",    // HTML
        "</SCRIPT <!--<script>-->]]>",       // the same, for those who look for one of them
        "\xe2\x80\xa8\xe2\x80\xa9",          // ends of line to JavaScript
        "$(reboot);`reboot`|'\"&&\\",        // a shell
        std::string(4096, 'x'),              //
        std::string(1365, '\x1b') + "\xf0\x9f\x98",
        "{} {:n} %s%n",
    };
    return names;
}

} // namespace lastref::test
