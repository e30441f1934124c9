// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace lastref {

namespace {

/// One step through UTF-8: how many bytes, and which code point; length 0 means an invalid byte.
struct Decoded {
    std::size_t length = 0;
    char32_t point = 0;
};

Decoded decode_utf8(std::string_view bytes)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {1, first};
    }
    // Length, the bits of the first byte, and the smallest code point that needs this length.
    std::size_t length = 0;
    char32_t point = 0;
    char32_t least = 0;
    if ((first & 0xe0) == 0xc0) {
        length = 2, point = first & 0x1f, least = 0x80;
    } else if ((first & 0xf0) == 0xe0) {
        length = 3, point = first & 0x0f, least = 0x800;
    } else if ((first & 0xf8) == 0xf0) {
        length = 4, point = first & 0x07, least = 0x10000;
    } else {
        return {};
    }
    if (bytes.size() < length) {
        return {};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return {};
        }
        point = (point << 6) | (byte(i) & 0x3fU);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < least || point > 0x10ffff || surrogate) {
        return {};
    }
    return {length, point};
}

/// C1 controls, and what changes the direction or the lines of the text around it or has no width.
bool drives_terminal(char32_t point)
{
    return (point >= 0x80 && point <= 0x9f) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f);
}

/// The number of bytes of the first `width` code points.
std::size_t prefix_bytes(std::string_view utf8, std::size_t width)
{
    std::size_t i = 0;
    for (; i < utf8.size(); ++i) {
        if ((static_cast<unsigned char>(utf8[i]) & 0xc0) != 0x80 && width-- == 0) {
            break;
        }
    }
    return i;
}

/// A shell's $'…', in which any byte can be written with letters.
std::string dollar_quoted(std::string_view bytes)
{
    std::string out = "$'";
    for (const char c : bytes) {
        if (c < ' ' || c > '~') {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            out += c == '\'' || c == '\\' ? "\\" : "";
            out += c;
        }
    }
    return out + "'";
}

} // namespace

std::string printable(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const Decoded next = decode_utf8(text);
        const bool control = next.point < 0x20 && next.point != '\n';
        if (next.length == 0 || control || next.point == 0x7f) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        if (drives_terminal(next.point)) {
            out += fmt::format("\\u{{{:04x}}}", static_cast<std::uint32_t>(next.point));
        } else {
            out += text.substr(0, next.length);
        }
        text.remove_prefix(next.length);
    }
    return out;
}

std::string printable_line(std::string_view text)
{
    std::string out;
    for (const char c : printable(text)) {
        out += c == '\n' ? "\\x0a" : std::string(1, c);
    }
    return out;
}

std::string escape_text(std::string_view bytes)
{
    std::string out;
    while (!bytes.empty()) {
        const auto special = std::min(bytes.find_first_of("\\\n"), bytes.size());
        out += printable(bytes.substr(0, special));
        if (special == bytes.size()) {
            break;
        }
        out += bytes[special] == '\n' ? "\\x0a" : "\\\\";
        bytes.remove_prefix(special + 1);
    }
    return out;
}

std::string to_utf8(std::string_view bytes)
{
    std::string out;
    while (!bytes.empty()) {
        const Decoded next = decode_utf8(bytes);
        if (next.length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
            bytes.remove_prefix(1);
            continue;
        }
        out += bytes.substr(0, next.length);
        bytes.remove_prefix(next.length);
    }
    return out;
}

std::size_t columns(std::string_view utf8)
{
    std::size_t count = 0;
    for (const char byte : utf8) {
        count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

std::string ellipsize(std::string_view utf8, std::size_t width)
{
    if (columns(utf8) <= width) {
        return std::string(utf8);
    }
    if (width == 0) {
        return "";
    }
    return std::string(utf8.substr(0, prefix_bytes(utf8, width - 1))) + "…";
}

std::string shown(std::string_view given)
{
    constexpr std::size_t longest = 60;
    return ellipsize(escape_text(given), longest);
}

std::string pad_right(std::string_view utf8, std::size_t width)
{
    std::string out = ellipsize(utf8, width);
    out.append(width - columns(out), ' ');
    return out;
}

std::string pad_left(std::string_view utf8, std::size_t width)
{
    const auto used = columns(utf8);
    return std::string(width > used ? width - used : 0, ' ') + std::string(utf8);
}

std::string to_ascii(std::string_view utf8)
{
    struct Like {
        std::string_view utf8, ascii;
    };
    // "At most" must not become "less than", and always stands before a space.
    static constexpr std::array<Like, 12> likes{{{"≤ ", "<="},
                                                 {"≥ ", ">="},
                                                 {"→", ">"},
                                                 {"←", "<"},
                                                 {"·", "|"},
                                                 {"–", "-"},
                                                 {"…", "~"},
                                                 {"µ", "u"},
                                                 {"│", "|"},
                                                 {"×", "x"},
                                                 {"“", "\""},
                                                 {"”", "\""}}};
    std::string out;
    while (!utf8.empty()) {
        if (static_cast<unsigned char>(utf8[0]) < 0x80) {
            out += utf8[0];
            utf8.remove_prefix(1);
            continue;
        }
        const auto *like = std::find_if(likes.begin(), likes.end(), [utf8](const Like &one) {
            return utf8.substr(0, one.utf8.size()) == one.utf8;
        });
        out += like != likes.end() ? like->ascii : "?";
        utf8.remove_prefix(like != likes.end() ? like->utf8.size() : prefix_bytes(utf8, 1));
    }
    return out;
}

std::string plural(std::int64_t count, std::string_view singular)
{
    return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

std::string errno_name(int errnum)
{
    const char *name = ::strerrorname_np(errnum);
    return name != nullptr ? name : fmt::format("errno {}", errnum);
}

std::string shell_word(std::string_view bytes)
{
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,=%";
    if (!bytes.empty() && bytes.find_first_not_of(harmless) == std::string_view::npos) {
        return std::string(bytes);
    }
    if (printable_line(bytes) != bytes) {
        return dollar_quoted(bytes);
    }
    std::string out = "'";
    for (const char c : bytes) {
        out += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return out + "'";
}

} // namespace lastref
