// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_hold.h"
#include "census/paths.h"
#include "census/search.h"
#include "census/sockets.h"
#include "census/watchdogs.h"

namespace lastref::census {
namespace {

constexpr FileWords file_words{{
    .detail = "fd {fd} on {path}",
    .clause = "{who} has {path} open",
    .remedy = end_process,
}};
constexpr FileWords words_with_socket{{
    .detail = "fd {fd} on {path} (the file and its socket)",
    .clause = file_words.usual.clause,
    .remedy = end_process,
}};

/// What a struct file holds, and what is said of it.
struct Held {
    FileHold hold;
    bool has_socket = false;
};

Held look_at(Search &search, const Object &file)
{
    Held out{hold_of_file(search, file)};
    if (out.hold) {
        const auto of_socket = refs_of_device_socket(search, file);
        out.hold.refs += of_socket;
        out.has_socket = of_socket != 0;
    }
    return out;
}

/// All that kinds look at first of the inodes of files is read together.
void prefetch_inodes(Search &search)
{
    auto &kernel = search.kernel();
    const auto end = kernel.offset("inode", "i_rdev");
    std::vector<Address> inodes;
    for (const auto &file : search.open_files()) {
        inodes.push_back(kernel.at(file.file, "file")["f_inode"].pointer());
    }
    kernel.memory().prefetch(inodes, end.value_or(0) + sizeof(std::uint32_t));
}

void look(Search &search)
{
    auto &kernel = search.kernel();
    prefetch_inodes(search);
    std::unordered_map<Address, Held> known; // many processes share theirs
    for (const auto &open : search.open_files()) {
        const auto file = kernel.at(open.file, "file");
        const auto [one, is_new] = known.try_emplace(open.file);
        if (is_new) {
            one->second = look_at(search, file);
        }
        const auto &held = one->second;
        if (!held.hold || !search.is_still_open(open)) {
            continue;
        }
        auto &found = search.found(HolderKind::OpenFile, file_words.usual, file, held.hold.refs);
        found.task = search.owner_of(open);
        found.fd = open.fd;
        found.path = path_of(search, file["f_path"]);
        found.count_in(held.hold.counted_in);
        choose_words(found, held.has_socket ? words_with_socket : file_words,
                     is_watchdog(search, file));
    }
}

constexpr Symbol symbols[] = {
    {"debugfs_full_proxy_file_operations", "open files of debugfs", "debugfs_fsdata"},
    {"perf_fops", "perf events", "perf_event"},
    {"perf_tracepoint", "perf events on its tracepoints", "trace_event_call"},
    {"fscontext_fops", "file systems that are being set up", "fs_context"},
    {"dma_buf_fops", "DMA buffers", "dma_buf"},
};

} // namespace

extern const Kind open_files{"open files", symbols, look};

} // namespace lastref::census
