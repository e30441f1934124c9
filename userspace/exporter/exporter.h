// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/metrics.h"

#include <chrono>
#include <memory>
#include <string>

/// The web server that Prometheus scrapes. It is a layer of its own, since nothing else needs its
/// libraries: a build with LASTREF_EXPORTER=OFF has absent/exporter.cpp instead, which only says
/// so.
namespace lastref {

/// Where to listen, if nothing else is said. Prometheus's list of default ports has 9100 to 9999,
/// which are all taken, and goes on from 10000; this one is some way ahead of it.
inline constexpr const char *default_listen = "127.0.0.1:10917";

/// Whether this build has it.
bool has_exporter();

/// Serves /metrics and /healthz on threads of its own. They answer with what was published last,
/// and touch neither probes nor counters: however often somebody asks, the observation is the same.
class Exporter {
public:
    /// Listens on "HOST:PORT", where HOST is a numeric address ("[::1]" for IPv6) or localhost.
    /// Until something is published, and once the latest is older than `stale_after`, /healthz
    /// answers 503.
    ///
    /// To be called with the signals blocked that this process waits for: its threads inherit that.
    static Result<Exporter> listen(const std::string &address,
                                   std::chrono::milliseconds stale_after);

    Exporter(Exporter &&) noexcept;
    Exporter &operator=(Exporter &&) noexcept;
    Exporter(const Exporter &) = delete;
    Exporter &operator=(const Exporter &) = delete;
    ~Exporter();

    /// What is served from now on.
    void publish(const MetricsDoc &doc);

    /// "http://127.0.0.1:10917", and whether other machines can reach it.
    [[nodiscard]] const std::string &url() const;
    [[nodiscard]] bool is_loopback() const;

private:
    struct Impl;
    explicit Exporter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace lastref
