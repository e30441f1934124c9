// SPDX-License-Identifier: GPL-2.0-only
#include "watch/replay.h"

#include "base/messages.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/time.h"
#include "decode/decode.h"
#include "decode/recording.h"

#include <algorithm>
#include <fmt/format.h>
#include <variant>

namespace lastref::watch {

namespace {

/// Feeds all that can be read to `session`. Says why that is not all; empty if it is.
std::string feed(RecordingReader &reader, Session &session,
                 const std::function<void(const Session &)> &on_event)
{
    bool ended = false;
    for (auto at = reader.offset(); const auto record = reader.next(); at = reader.offset()) {
        const auto event = decode_record(*record);
        if (!event) {
            return fmt::format("is damaged at byte {}: {} ({})", at, event.error().what,
                               event.error().hint);
        }
        session.feed(*event);
        ended = std::holds_alternative<End>(*event);
        if (on_event) {
            on_event(session);
        }
    }
    if (const auto &damage = reader.damage()) {
        return fmt::format("is damaged at byte {}: {}", damage->offset, damage->what);
    }
    return ended ? ""
                 : fmt::format("ends at byte {} without the end of its observation: it goes on "
                               "still, or was cut off",
                               reader.offset());
}

} // namespace

Result<Replay> replay(const std::string &path, bool quiet,
                      const std::function<void(const Session &)> &on_event)
{
    auto reader = RecordingReader::open(path);
    if (!reader) {
        return fail(reader.error());
    }
    Replay out{.session = Session(reader->info())};
    const auto missing = [&] {
        const Progress progress(fmt::format("reading {}", shown(path)), quiet);
        return feed(*reader, out.session, on_event);
    }();
    if (!missing.empty()) {
        const auto began = reader->info().start_ns;
        const auto known_to = std::max(out.session.now_ns(), began) - began;
        out.damage = fmt::format("{} {}", path, missing);
        say(fmt::format("{} {}\n  What is told is of the part before that, up to {} after its "
                        "beginning.",
                        escape_text(path), missing, format_duration(known_to)));
        out.exit_code = ExitCode::Failed;
    }
    return out;
}

} // namespace lastref::watch
