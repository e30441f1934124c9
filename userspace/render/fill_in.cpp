// SPDX-License-Identifier: GPL-2.0-only
#include "render/fill_in.h"

#include "base/text.h"

#include <charconv>

namespace lastref {
namespace {

class Filling {
public:
    Filling(std::string_view text, const ValueOf &value_of) : text_(text), value_of_(value_of) {}

    /// Up to the end of the text or, in brackets, to theirs. `whole` becomes false when a value is
    /// missing.
    std::string part(bool &whole, bool in_brackets)
    {
        std::string out;
        while (at_ < text_.size() && !(in_brackets && text_[at_] == ']')) {
            const char c = text_[at_++];
            if (c == '{') {
                const auto end = text_.find('}', at_);
                const auto value = this->value(text_.substr(at_, end - at_));
                at_ = end == std::string_view::npos ? text_.size() : end + 1;
                whole = whole && !value.empty();
                out += value;
            } else if (c == '[' && text_.substr(at_, 1) != "[") {
                bool has_all = true;
                const auto inner = part(has_all, true);
                out += has_all ? inner : "";
                at_ += at_ < text_.size() ? 1 : 0; // the bracket
            } else {
                const bool is_double = c == '[' || (c == ']' && text_.substr(at_, 1) == "]");
                at_ += is_double ? 1 : 0;
                out.push_back(c);
            }
        }
        return out;
    }

private:
    [[nodiscard]] std::string value(std::string_view field) const
    {
        const auto bar = field.find('|');
        if (bar == std::string_view::npos) {
            return value_of_(field);
        }
        const auto text = value_of_(field.substr(0, bar));
        std::int64_t number = 0;
        const auto end = text.data() + text.size();
        return std::from_chars(text.data(), end, number).ec == std::errc()
                   ? plural(number, field.substr(bar + 1))
                   : "";
    }

    std::string_view text_;
    const ValueOf &value_of_;
    std::size_t at_ = 0;
};

} // namespace

std::string fill_in(std::string_view text, const ValueOf &value_of)
{
    bool whole = true;
    return Filling(text, value_of).part(whole, false);
}

} // namespace lastref
