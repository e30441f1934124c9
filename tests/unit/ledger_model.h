// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/session.h"

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace lastref::test {

/// A module whose references carry their site and their birth, so that it knows what nobody else
/// can: who holds what. It runs random gets and puts and shows a Session only what a kernel shows.
class Model {
public:
    static constexpr std::size_t sites = 3;

    struct Options {
        Counter counter = Counter::Soft;
        bool load_seen = false; ///< else some references are from before tracing
        bool racing = false;    ///< operations go on between the readings of a snapshot
        bool missing = false;   ///< some operations are not counted, and known to be missed
        bool unplaced = false;  ///< some operations are counted without their module
    };
    /// What was true when the kernel's counter was read; the last entry is "before tracing".
    struct Truth {
        std::int64_t total = 0;
        std::uint64_t now_ns = 0;
        std::array<std::int64_t, sites + 1> held{};
        std::array<std::int64_t, sites + 1> uncounted{}; ///< of those held, gets that were missed
        std::array<std::uint64_t, sites + 1> oldest_ns{};
    };

    Model(std::uint32_t seed, const Options &options);

    /// A random stretch of operations.
    void run();
    /// Feeds one snapshot.
    Truth snapshot();
    [[nodiscard]] const Session &session() const { return session_; }
    [[nodiscard]] static std::uint64_t address(std::size_t site) { return 0x10 + site; }
    [[nodiscard]] static std::size_t site_of(std::uint64_t address) { return address - 0x10; }

private:
    struct Reference {
        std::size_t site;
        std::uint64_t born_ns;
        bool counted;
    };
    void operate();
    void operate_if_racing();
    void feed(Event event);
    void feed_init_put();
    void feed_unplaced(OpKind kind, std::uint64_t count);
    std::uint64_t random(std::uint64_t limit) { return random_() % limit; }
    [[nodiscard]] Truth truth() const;

    Options options_;
    std::mt19937 random_;
    Session session_;
    std::uint64_t now_ns_ = 1'000'000;
    std::vector<Reference> held_;
    std::array<std::uint64_t, sites> gets_{};
    std::array<std::uint64_t, 2> puts_{};
    std::uint64_t init_put_ = 0; ///< of the reference that a load takes for its init routine
    std::uint64_t missed_ = 0;
    std::uint64_t unplaced_gets_ = 0, unplaced_puts_ = 0;
    unsigned appetite_ = 0; ///< of ten operations, how many are gets
};

} // namespace lastref::test
