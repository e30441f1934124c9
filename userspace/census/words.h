// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace lastref::census {

/// The value of a name in a text of Words; empty: there is none.
using ValueOf = std::function<std::string(std::string_view name)>;

/// Fills in such a text; see Words. What is missing outside of brackets leaves a gap.
std::string fill_in(std::string_view text, const ValueOf &value_of);

/// The same of a command: values become words of the shell's. Empty where a value is missing that
/// is not in brackets.
std::string fill_in_command(std::string_view text, const ValueOf &value_of);

/// The same of several ("A && B"), of which each becomes what `each` makes of it: a namespace is
/// entered by one command at a time. Empty where one of them is.
std::string fill_in_commands(std::string_view text, const ValueOf &value_of,
                             const std::function<std::string(const std::string &)> &each);

} // namespace lastref::census
