// SPDX-License-Identifier: GPL-2.0-only
#include "holders/mount_points.h"

#include "base/fd.h"
#include "holders/worker.h"
#include "procfs/parse.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>
#include <numeric>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr std::size_t most = 256; ///< of places: more than that nobody unmounts one by one
constexpr unsigned may_hang = 2;  ///< after so many that hang no more are tried: each takes 3 s

struct Answer {
    AtPath::What what = AtPath::What::Unknown;
    std::array<char, 256> other{};
};

/// What the child leaves.
struct Answers {
    std::atomic<unsigned> begun = 0, ended = 0;
    std::array<Answer, most> at{};
};

std::string contents(int directory, const char *path)
{
    std::string text;
    std::array<char, 4096> buffer{};
    const Fd file(::openat(directory, path, O_RDONLY | O_CLOEXEC));
    for (ssize_t size = 0;
         file.valid() && (size = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
}

bool enter_namespace_of(std::uint32_t process, int proc)
{
    const Fd space(::openat(proc, fmt::format("{}/ns/mnt", process).c_str(), O_RDONLY | O_CLOEXEC));
    return space.valid() && ::setns(space.get(), CLONE_NEWNS) == 0;
}

/// The id of the mount that a path leads to, or, if a directory that it names is hidden, the rest
/// of it does; empty where it cannot be told.
std::optional<std::uint64_t> mount_at(std::string path)
{
    struct statx found = {};
    constexpr int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    while (::statx(AT_FDCWD, path.c_str(), flags, STATX_MNT_ID, &found) != 0) {
        if ((errno != ENOENT && errno != ENOTDIR) || path == "/") {
            return std::nullopt;
        }
        path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    }
    return (found.stx_mask & STATX_MNT_ID) != 0 ? std::optional<std::uint64_t>(found.stx_mnt_id)
                                                : std::nullopt;
}

/// In the child.
void look(const MountPlace &place, Answer &answer, int proc)
{
    if (place.in && !enter_namespace_of(*place.in, proc)) {
        return;
    }
    const auto id = mount_at(place.path);
    if (!id) {
        return;
    }
    answer.what = *id == place.id ? AtPath::What::ThatMount : AtPath::What::AnotherMount;
    if (answer.what == AtPath::What::AnotherMount) {
        // It takes a lock, that of all mounts: so only here, where nobody waits for it for ever.
        const auto other = procfs::mount_in(contents(proc, "self/mountinfo"), *id);
        other.copy(answer.other.data(), answer.other.size() - 1);
    }
}

} // namespace

std::vector<AtPath> look_at(const std::vector<MountPlace> &places)
{
    std::vector<AtPath> out(places.size());
    const Fd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    void *const memory =
        ::mmap(nullptr, sizeof(Answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (places.empty() || memory == MAP_FAILED || !proc.valid()) {
        return out;
    }
    auto *const answers = new (memory) Answers;
    // Those in lastref's own namespace first: the child does not come back.
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !places[i].in; });
    order.resize(std::min(order.size(), most));
    // What hangs or fails is not known, which is what the answer says already.
    run_in_worker(order.size(), [&](std::size_t i) {
        if (answers->begun - answers->ended >= may_hang) {
            return;
        }
        answers->begun++;
        look(places[order[i]], answers->at[i], proc.get());
        answers->ended++;
    });
    for (std::size_t i = 0; i < order.size(); i++) {
        out[order[i]] = {answers->at[i].what, answers->at[i].other.data()};
    }
    ::munmap(memory, sizeof(Answers));
    return out;
}

} // namespace lastref::holders
