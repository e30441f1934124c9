// SPDX-License-Identifier: GPL-2.0-only
#include "bpf/wire.h"
#include "decode/decode.h"
#include "decode/recording.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace lastref {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Recording : public testing::Test {
protected:
    Recording()
    {
        std::string pattern = (fs::temp_directory_path() / "lastref-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("no temporary directory");
        }
        dir_ = pattern;
        info_.attach = "tracepoint";
        info_.host = "a host\nwith a strange name";
        info_.boot_id = "3ce7d25c-9d5e-4d5f-8f5c-6e5f1c1d2b3a";
        info_.kernel_release = "6.12.57";
        info_.command = "lastref record";
        info_.start_ns = 123;
        info_.clock_offset_ns = -456;
        info_.not_watched = {{"frees", "kretprobe free_module: split"}, {"requests", ""}};
    }
    ~Recording() override { fs::remove_all(dir_); }

    [[nodiscard]] std::string path(const char *name) const { return (dir_ / name).string(); }

    /// `count` FREED records whose instance ids count up from 0.
    void record(const std::string &file, unsigned count) const
    {
        auto writer = RecordingWriter::create(file, info_);
        ASSERT_TRUE(writer) << writer.error().text();
        for (unsigned i = 0; i < count; ++i) {
            lr_header wire{};
            wire.type = LR_FREED;
            wire.size = sizeof(wire);
            wire.instance_id = i;
            ASSERT_TRUE(writer->write(std::as_bytes(std::span(&wire, 1))));
        }
        ASSERT_TRUE(writer->flush());
        EXPECT_EQ(writer->size(), fs::file_size(file));
    }

    static rlimit size_limit()
    {
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        return limit;
    }
    /// Writes beyond that fail with EFBIG.
    static void limit_size(rlim_t size, rlimit limit)
    {
        ::signal(SIGXFSZ, SIG_IGN);
        limit.rlim_cur = size;
        ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    }

    static std::vector<char> contents(const std::string &file)
    {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void store(const std::string &file, const std::vector<char> &bytes)
    {
        std::ofstream(file, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

    /// The number of records before the end or the damage; all of them must be right.
    static unsigned read_all(RecordingReader &reader)
    {
        unsigned count = 0;
        while (const auto bytes = reader.next()) {
            const auto event = decode_record(*bytes);
            EXPECT_TRUE(event);
            EXPECT_EQ(header(*event).instance_id, count);
            ++count;
        }
        return count;
    }

    fs::path dir_;
    SessionInfo info_;
};

TEST_F(Recording, ReadsBackWhatWasWritten)
{
    record(path("r"), 5000); // more than one buffer
    auto reader = RecordingReader::open(path("r"));
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(reader->info().attach, info_.attach);
    EXPECT_EQ(reader->info().host, info_.host);
    EXPECT_EQ(reader->info().boot_id, info_.boot_id);
    EXPECT_EQ(reader->info().kernel_release, info_.kernel_release);
    EXPECT_EQ(reader->info().command, info_.command);
    EXPECT_EQ(reader->info().start_ns, info_.start_ns);
    EXPECT_EQ(reader->info().clock_offset_ns, info_.clock_offset_ns);
    EXPECT_EQ(reader->info().not_watched, info_.not_watched);
    EXPECT_EQ(read_all(*reader), 5000U);
    EXPECT_FALSE(reader->damage());
}

TEST_F(Recording, IsForItsOwnerOnly)
{
    const mode_t before = ::umask(0);
    record(path("r"), 1);
    ::umask(before);
    struct stat info {};
    ASSERT_EQ(::stat(path("r").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(Recording, OverwritesNothing)
{
    store(path("r"), {'x'});
    const auto writer = RecordingWriter::create(path("r"), info_);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().errnum, EEXIST);
    EXPECT_THAT(writer.error().text(), HasSubstr(path("r")));
    EXPECT_THAT(writer.error().hint, HasSubstr("nothing that is there is overwritten"));
    EXPECT_EQ(contents(path("r")), std::vector<char>{'x'});
}

TEST_F(Recording, FollowsNoSymbolicLink)
{
    fs::create_symlink(path("target"), path("link"));
    EXPECT_FALSE(RecordingWriter::create(path("link"), info_));
    EXPECT_FALSE(fs::exists(path("target")));
}

TEST_F(Recording, SaysThatTheDiskIsFull)
{
    Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full.valid());
    const auto writer = RecordingWriter::to_fd(std::move(full), "/dev/full", info_);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().errnum, ENOSPC);
    EXPECT_THAT(writer.error().text(), HasSubstr("/dev/full"));
}

/// A limit of the size of files stands for a disk that is full.
TEST_F(Recording, EndsWithAWholeRecordWhereTheDiskEnds)
{
    const rlimit before = size_limit();
    auto writer = RecordingWriter::create(path("r"), info_);
    ASSERT_TRUE(writer);
    const auto start = writer->size();
    constexpr std::size_t frame = sizeof(lr_header) + 8;
    limit_size(start + 10 * frame + 50, before);
    Result<void> written;
    for (unsigned i = 0; i < 20 && written; ++i) {
        lr_header wire{};
        wire.type = LR_FREED;
        wire.size = sizeof(wire);
        wire.instance_id = i;
        written = writer->write(std::as_bytes(std::span(&wire, 1)));
        written = written ? writer->flush() : written;
    }
    const auto again = writer->flush();
    limit_size(before.rlim_cur, before);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().errnum, EFBIG);
    EXPECT_THAT(written.error().hint, HasSubstr(fmt::format("up to byte {}", start + 10 * frame)));
    EXPECT_FALSE(again) << "a broken recording goes on";
    EXPECT_EQ(fs::file_size(path("r")), start + 10 * frame);
    auto reader = RecordingReader::open(path("r"));
    ASSERT_TRUE(reader);
    EXPECT_EQ(read_all(*reader), 10U);
    EXPECT_FALSE(reader->damage());
}

TEST_F(Recording, IsNotThereWhenItCannotBegin)
{
    const rlimit before = size_limit();
    limit_size(20, before);
    const auto writer = RecordingWriter::create(path("r"), info_);
    limit_size(before.rlim_cur, before);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().errnum, EFBIG);
    EXPECT_FALSE(fs::exists(path("r"))) << "it would be in the way of the next";
}

TEST_F(Recording, NamesInMessagesDoNotDriveATerminal)
{
    const auto name = path("a\x1b[2J\n");
    EXPECT_THAT(RecordingReader::open(name).error().what, HasSubstr("a\\x1b[2J\\x0a"));
    store(name, {'x'});
    EXPECT_THAT(RecordingReader::open(name).error().what, HasSubstr("a\\x1b[2J\\x0a"));
    EXPECT_THAT(RecordingWriter::create(name, info_).error().what, HasSubstr("a\\x1b[2J\\x0a"));
}

TEST_F(Recording, RefusesAHeaderWithTimesThatNoClockHas)
{
    for (const std::int64_t offset : {INT64_MIN, INT64_MAX}) {
        info_.clock_offset_ns = offset;
        record(path("r"), 1);
        EXPECT_FALSE(RecordingReader::open(path("r")));
        fs::remove(path("r"));
    }
    info_.clock_offset_ns = 0;
    info_.start_ns = UINT64_MAX;
    record(path("r"), 1);
    EXPECT_FALSE(RecordingReader::open(path("r")));
}

TEST_F(Recording, RefusesWhatIsNone)
{
    EXPECT_FALSE(RecordingReader::open(path("missing")));
    EXPECT_FALSE(RecordingReader::open(dir_.string()));
    store(path("empty"), {});
    EXPECT_FALSE(RecordingReader::open(path("empty")));
    store(path("other"), std::vector<char>(1000, 'x'));
    const auto other = RecordingReader::open(path("other"));
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().what, HasSubstr("not a lastref recording"));
}

TEST_F(Recording, NamesAnotherVersion)
{
    record(path("r"), 1);
    std::vector<char> bytes = contents(path("r"));
    bytes[8] = 2;
    store(path("r"), bytes);
    const auto reader = RecordingReader::open(path("r"));
    ASSERT_FALSE(reader);
    EXPECT_THAT(reader.error().what, HasSubstr("version 0x2"));
}

TEST_F(Recording, DoesNotTakeZeroesForFrames)
{
    record(path("r"), 2);
    std::vector<char> bytes = contents(path("r"));
    bytes.resize(bytes.size() + 4096);
    store(path("r"), bytes);
    auto reader = RecordingReader::open(path("r"));
    ASSERT_TRUE(reader);
    EXPECT_EQ(read_all(*reader), 2U);
    ASSERT_TRUE(reader->damage());
    EXPECT_EQ(reader->damage()->offset, bytes.size() - 4096);
}

TEST_F(Recording, RefusesARecordThatIsTooLarge)
{
    auto writer = RecordingWriter::create(path("r"), info_);
    ASSERT_TRUE(writer);
    EXPECT_FALSE(writer->write(std::vector<std::byte>(1U << 20)));
    EXPECT_FALSE(writer->write({}));
}

/// Nobody writes to the pipe: to open it would be to wait for ever.
TEST_F(Recording, OnlyARegularFileIsRead)
{
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    fs::create_symlink("pipe", path("link"));
    for (const auto &[file, kind] : {std::pair(path("pipe"), "a pipe"),
                                     {path("link"), "a pipe"},
                                     {dir_.string(), "a directory"},
                                     {"/dev/null", "a device"}}) {
        const auto reader = RecordingReader::open(file);
        ASSERT_FALSE(reader) << file;
        EXPECT_EQ(reader.error().what, fmt::format("{} is {}, not a file", file, kind));
        EXPECT_NE(reader.error().hint, "");
    }
    record(path("file"), 1);
    fs::create_symlink("file", path("to-file"));
    EXPECT_TRUE(RecordingReader::open(path("to-file")));
}

TEST_F(Recording, NothingThatIsThereIsWrittenTo)
{
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    for (const auto &file : {path("pipe"), dir_.string(), std::string("/dev/null")}) {
        const auto writer = RecordingWriter::create(file, info_);
        ASSERT_FALSE(writer) << file;
        EXPECT_EQ(writer.error().errnum, EEXIST);
        EXPECT_THAT(writer.error().hint, testing::Not(HasSubstr("remove")));
    }
}

} // namespace
} // namespace lastref
