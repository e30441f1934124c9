// SPDX-License-Identifier: GPL-2.0-only
// Real recordings, frozen: what one version of lastref has recorded, every later one must replay to
// the same answers. tests/fixtures/README.md says where they are from.

#include "core/session.h"
#include "decode/decode.h"
#include "decode/recording.h"
#include "decode/recording_format.h"
#include "render/render.h"
#include "source_tree.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/mman.h>
#include <unistd.h>

namespace lastref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string contents(const fs::path &path)
{
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    return {std::istreambuf_iterator<char>(in), {}};
}

Result<RecordingReader> reader_of(std::string_view bytes)
{
    Fd file(::memfd_create("recording", MFD_CLOEXEC));
    if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        throw std::runtime_error("no memory for a file");
    }
    ::lseek(file.get(), 0, SEEK_SET);
    return RecordingReader::from_fd(std::move(file), "a recording");
}

/// What there is in `wanted` and not, or otherwise, in `there`: members may be added, nothing else.
std::string difference(const json &wanted, const json &there, const std::string &where = "")
{
    if (wanted.is_object() && there.is_object()) {
        for (const auto &[name, value] : wanted.items()) {
            if (!there.contains(name)) {
                return where + "/" + name + " is gone";
            }
            if (auto found = difference(value, there[name], where + "/" + name); !found.empty()) {
                return found;
            }
        }
        return "";
    }
    if (wanted.is_array() && there.is_array() && wanted.size() == there.size()) {
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const auto at = fmt::format("{}/{}", where, i);
            if (auto found = difference(wanted[i], there[i], at); !found.empty()) {
                return found;
            }
        }
        return "";
    }
    return wanted == there ? ""
                           : fmt::format("{} is {}, not {}", where, there.dump(), wanted.dump());
}

/// All that a recording tells.
json told_by(std::string_view recording)
{
    auto reader = reader_of(recording);
    EXPECT_TRUE(reader) << reader.error().text();
    Session session(reader->info());
    std::ostringstream lines;
    while (const auto record = reader->next()) {
        const auto event = decode_record(*record);
        EXPECT_TRUE(event) << event.error().text();
        session.feed(*event);
        for (const TraceEvent &line : session.trace()) {
            render_json(lines, line);
        }
    }
    EXPECT_FALSE(reader->damage());
    std::ostringstream report;
    std::ostringstream refs;
    render_json(report, session.report());
    render_json(refs, session.refs({.modules = {}, .soft = true, .hard = true}));
    json out{{"report", json::parse(report.str())},
             {"refs", json::parse(refs.str())},
             {"trace", json::array()}};
    std::istringstream in(lines.str());
    for (std::string line; std::getline(in, line);) {
        out["trace"].push_back(json::parse(line));
    }
    return out;
}

class Frozen : public testing::TestWithParam<const char *> {
protected:
    [[nodiscard]] static fs::path file(const char *suffix)
    {
        return test::source_tree() / "tests/fixtures" / (std::string(GetParam()) + suffix);
    }
};

TEST_P(Frozen, RecordingTellsWhatItToldWhenItWasMade)
{
    const json there = told_by(contents(file(".lastref")));
    if (::getenv("LASTREF_FREEZE") != nullptr && !fs::exists(file(".json"))) {
        std::ofstream(file(".json")) << there.dump(1) << '\n'; // of a new one, never of an old one
    }
    json wanted = json::parse(contents(file(".json")));
    EXPECT_EQ(difference(wanted, there), "");
    // The control: one number of the answer.
    wanted["report"]["unloads"][0]["requested_by"]["pid"] = 1;
    EXPECT_NE(difference(wanted, there), "");
}

/// Where the frames of a recording end, the header's first.
std::vector<std::size_t> ends_of_frames(std::string_view bytes)
{
    std::vector<std::size_t> ends;
    std::size_t at = recording_format::magic.size() + sizeof(recording_format::version);
    recording_format::FrameHead head{};
    while (at < bytes.size()) {
        std::memcpy(&head, bytes.data() + at, sizeof(head));
        at += sizeof(head) + head.size;
        ends.push_back(at);
    }
    return ends;
}

/// Reads a damaged copy of `whole`, of which the frames that end at or before `sound` are right,
/// and says what is wrong with what is read.
std::string wrong_with_reading(std::string_view whole, std::string_view copy, std::size_t sound,
                               const std::vector<std::size_t> &ends)
{
    auto reader = reader_of(copy);
    if (!reader) {
        return sound < ends.front() ? "" : "it is not read at all";
    }
    if (sound < ends.front()) {
        return "its header is believed";
    }
    std::size_t frame = 0;
    while (const auto record = reader->next()) {
        if (++frame >= ends.size() || ends[frame] > sound) {
            return "what is damaged is believed";
        }
        const auto *right = whole.data() + ends[frame] - record->size();
        if (std::memcmp(record->data(), right, record->size()) != 0 || !decode_record(*record)) {
            return "a record is not what was written";
        }
    }
    if (ends[frame] != *std::prev(std::upper_bound(ends.begin(), ends.end(), sound))) {
        return "not all that is sound is read";
    }
    if (ends[frame] == copy.size()) {
        return reader->damage() ? "damage is seen where there is none" : "";
    }
    return reader->damage() && reader->damage()->offset == ends[frame]
               ? ""
               : "it is not said where it ended";
}

TEST_P(Frozen, RecordingIsReadUpToEveryCut)
{
    const auto whole = contents(file(".lastref"));
    const auto ends = ends_of_frames(whole);
    ASSERT_GT(ends.size(), 10U);
    ASSERT_EQ(ends.back(), whole.size());
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto cut = std::string_view(whole).substr(0, size);
        ASSERT_EQ(wrong_with_reading(whole, cut, size, ends), "") << "cut at " << size;
    }
}

TEST_P(Frozen, RecordingIsReadUpToEveryWrongByte)
{
    const auto whole = contents(file(".lastref"));
    const auto ends = ends_of_frames(whole);
    auto copy = whole;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char flip : {'\x01', '\x80', '\xff'}) {
            copy[at] = static_cast<char>(whole[at] ^ flip);
            ASSERT_EQ(wrong_with_reading(whole, copy, at, ends), "") << "byte " << at;
        }
        copy[at] = whole[at];
    }
    // The control: a checksum that is made to fit lets a wrong byte through, and that is seen.
    copy[ends[0] + sizeof(recording_format::FrameHead) + 8] ^= 1;
    recording_format::FrameHead head{};
    std::memcpy(&head, copy.data() + ends[0], sizeof(head));
    head.crc = recording_format::checksum(
        head.size, reinterpret_cast<const std::byte *>(copy.data() + ends[0] + sizeof(head)));
    std::memcpy(copy.data() + ends[0], &head, sizeof(head));
    EXPECT_EQ(wrong_with_reading(whole, copy, ends[0], ends), "what is damaged is believed");
}

INSTANTIATE_TEST_SUITE_P(All, Frozen, testing::Values("deferred-1", "refused-1"));

} // namespace
} // namespace lastref
