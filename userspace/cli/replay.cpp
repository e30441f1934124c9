// SPDX-License-Identifier: GPL-2.0-only
#include "cli/replay.h"

#include "cli/progress.h"
#include "decode/decode.h"
#include "decode/recording.h"

#include <cstdio>
#include <fmt/format.h>

namespace lastref::cli {

Result<Replay> replay(const std::string &path, bool quiet,
                      const std::function<void(const Session &)> &on_event)
{
    auto reader = RecordingReader::open(path);
    if (!reader) {
        return fail(reader.error());
    }
    const Progress progress(fmt::format("reading {}", path), quiet);
    Replay out{.session = Session(reader->info())};
    while (const auto record = reader->next()) {
        const auto event = decode_record(*record);
        if (!event) {
            auto error = event.error();
            error.what = fmt::format("{}: {}", path, error.what);
            return fail(error);
        }
        out.session.feed(*event);
        if (on_event) {
            on_event(out.session);
        }
    }
    if (const auto &damage = reader->damage()) {
        out.damage =
            fmt::format("{} is damaged at byte {}: {}", path, damage->offset, damage->what);
        fmt::print(stderr, "lastref: {}\n  What follows is about the part before that.\n",
                   out.damage);
        out.exit_code = ExitCode::Failed;
    }
    return out;
}

} // namespace lastref::cli
