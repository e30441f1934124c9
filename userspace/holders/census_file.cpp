// SPDX-License-Identifier: GPL-2.0-only
#include "holders/census_file.h"

#include "base/files.h"
#include "base/text.h"
#include "holders/census_coding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace lastref::holders {
namespace {

struct Head {
    std::array<char, 8> magic{'L', 'R', 'C', 'E', 'N', 'S', 'U', 'S'};
    std::uint32_t version = census_version;
    std::uint32_t size = 0; ///< of what is packed
};
static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t most_bytes = 256 << 20; ///< unpacked
constexpr std::size_t most_packed = 1032;       ///< zlib makes one byte of no more than so many

Error damaged(const std::string &name, std::string_view how)
{
    return {fmt::format("{} is damaged: {}", escape_text(name), how), 0,
            "nothing of it can be trusted: save it again"};
}

std::vector<std::byte> contents(const Fd &file, std::size_t most)
{
    std::vector<std::byte> out;
    constexpr std::size_t piece = 1 << 20;
    while (out.size() <= most) {
        const auto done = out.size();
        out.resize(done + piece);
        const auto got = ::read(file.get(), out.data() + done, piece);
        out.resize(done + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
    }
    return out;
}

Result<std::vector<std::byte>> unpack(std::span<const std::byte> packed, std::uint32_t size,
                                      const std::string &name)
{
    if (size > most_bytes || size / most_packed > packed.size()) {
        return fail(damaged(name, fmt::format("it claims {} bytes", size)));
    }
    std::vector<std::byte> out(size);
    auto out_size = static_cast<uLongf>(size);
    auto in_size = static_cast<uLong>(packed.size());
    const int error = ::uncompress2(reinterpret_cast<Bytef *>(out.data()), &out_size,
                                    reinterpret_cast<const Bytef *>(packed.data()), &in_size);
    if (error != Z_OK || out_size != size || in_size != packed.size()) {
        return fail(damaged(name, error == Z_BUF_ERROR ? "it has not all of its bytes"
                                                       : "its checksum does not match"));
    }
    return out;
}

} // namespace

Result<void> write_census(const Fd &file, const std::string &name, const SavedCensus &census)
{
    const auto bytes = encode_census(census);
    if (bytes.size() > most_bytes ||
        census.memory.lines().size() > census::SavedMemory::most_lines) {
        return fail(
            {fmt::format("{} was not saved: too much was read for one file", escape_text(name)), 0,
             "the answer is not less true for it"});
    }
    const Head head{.size = static_cast<std::uint32_t>(bytes.size())};
    auto size = ::compressBound(bytes.size());
    std::vector<std::byte> packed(sizeof(head) + size);
    std::memcpy(packed.data(), &head, sizeof(head));
    if (::compress2(reinterpret_cast<Bytef *>(packed.data() + sizeof(head)), &size,
                    reinterpret_cast<const Bytef *>(bytes.data()), bytes.size(),
                    Z_BEST_COMPRESSION) != Z_OK) {
        return fail({fmt::format("{} was not saved: it cannot be packed", escape_text(name)),
                     ENOMEM, "the answer is not less true for it"});
    }
    packed.resize(sizeof(head) + size);
    if (const auto written = write_all(file, packed); written.error != 0) {
        return fail({fmt::format("cannot write the census {}", escape_text(name)), written.error,
                     "make room, or save it elsewhere"});
    }
    if (::fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS) {
        return fail({fmt::format("cannot write the census {}", escape_text(name)), errno,
                     "make room, or save it elsewhere"});
    }
    return {};
}

Result<SavedCensus> read_census(const Fd &file, const std::string &name)
{
    const Head known;
    const auto all = contents(file, most_bytes);
    Head head{};
    if (all.size() >= sizeof(head)) {
        std::memcpy(&head, all.data(), sizeof(head));
    }
    if (all.size() < sizeof(head) || head.magic != known.magic) {
        return fail({fmt::format("{} is not a census of lastref", escape_text(name)), 0,
                     "name a file that `lastref why MODULE --save FILE` has made"});
    }
    if (head.version < 1 || head.version > known.version) {
        return fail(
            {fmt::format("{} is a census of version {}; this lastref reads up to version {}",
                         escape_text(name), head.version, known.version),
             0, "replay it with the lastref that made it"});
    }
    const auto bytes = unpack(std::span(all).subspan(sizeof(head)), head.size, name);
    if (!bytes) {
        return fail(bytes.error());
    }
    auto census = decode_census(*bytes, head.version);
    if (!census) {
        return fail(damaged(name, "its values are none that lastref saves"));
    }
    return std::move(*census);
}

} // namespace lastref::holders
