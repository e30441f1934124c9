// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/session.h"

#include <string>
#include <vector>

/// Event streams as readable text, one event a line: `SECONDS type key=value …`. Lines that begin
/// with '#' and empty lines are comments.
namespace lastref::test {

/// Throws std::runtime_error, naming the line, for anything it does not know.
std::vector<Event> parse_stream(const std::string &text);

/// The canonical text of one event, without the end of line.
std::string print_event(const Event &event);

/// `text` with every event replaced by its canonical form: equal to `text` for a good fixture.
std::string reprint_stream(const std::string &text);

/// The file tests/streams/NAME.
std::string read_stream_file(const std::string &name);

/// A session that was fed a stream.
Session play(const std::string &text, SessionInfo info = {});

} // namespace lastref::test
