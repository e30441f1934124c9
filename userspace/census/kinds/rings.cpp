// SPDX-License-Identifier: GPL-2.0-only
#include "census/passed_files.h"
#include "census/search.h"
#include "census/watchdogs.h"

namespace lastref::census {
namespace {

constexpr FileWords words{{
    .detail = "{path} is registered with its io_uring, fd {fd}, as number {number}",
    .clause = "{who} has {path} registered with an io_uring",
    .remedy = end_process,
}};

/// The file of a slot of its table, beside which flags are kept; 0: none is registered there.
Address file_in(const Object &slot)
{
    constexpr std::int64_t flags = 7;
    return static_cast<Address>(slot["file_ptr"].number().value_or(0) & ~flags);
}

/// Each file that is registered with that struct io_ring_ctx, and its number.
template <typename Visit>
void each_registered(const Object &ring, Visit visit)
{
    constexpr std::int64_t most = 1 << 20; // IORING_MAX_FIXED_FILES
    const auto table = ring["file_table"];
    const bool is_old = table.has("files"); // until commit 661768085e99 and others (in v6.13)
    const auto count = is_old ? ring["nr_user_files"] : table["data"]["nr"];
    const auto slots = is_old ? table["files"] : table["data"]["nodes"];
    if (!slots) {
        return;
    }
    for (std::int64_t i = 0; i < std::min(count.number().value_or(0), most); i++) {
        const auto at = static_cast<std::size_t>(i);
        const auto slot = slots[at];
        if (const auto file = file_in(slot.target()); file != 0) {
            visit(at, file);
        }
    }
}

/// A ring keeps the files that are registered with it open without a descriptor.
void look(Search &search)
{
    auto &kernel = search.kernel();
    for (const auto &open : search.open_files_with("io_uring_fops")) {
        const auto ring = kernel.at(open.file, "file")["private_data"].as("io_ring_ctx");
        each_registered(ring, [&](std::size_t number, Address address) {
            const auto file = kernel.at(address, "file");
            const auto hold = hold_of_passed_file(search, file);
            if (!hold || !search.is_still_open(open)) {
                return;
            }
            auto &found = search.found("io_uring_file", words.usual, file, hold.refs);
            found.task = search.owner_of(open);
            found.fd = open.fd;
            describe_passed_file(found, file, hold);
            found.with("number", std::to_string(number));
            choose_words(found, words, is_watchdog(search, file));
        });
    }
}

constexpr Symbol symbols[] = {{"io_uring_fops", {}, "io_ring_ctx"}};

constexpr Reference references[] = {
    {"`io_uring_file`", "as `open_file` or `socket`", "the same",
     "the tables of the rings in the file tables of all processes"},
};
constexpr Doc doc{"A file of the module's is registered with an io_uring", references,
                  "Who has the ring ends, or takes it off"};

} // namespace

extern const Kind rings{"files registered with io_uring", doc, symbols, look};

} // namespace lastref::census
