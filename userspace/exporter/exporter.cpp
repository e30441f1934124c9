// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/exporter.h"

#include "base/capabilities.h"
#include "exporter/address.h"
#include "exporter/exposition.h"

#include <CivetServer.h>
#include <fmt/format.h>
#include <mutex>

namespace lastref {

namespace {

using Clock = std::chrono::steady_clock;

/// What the server's threads and the observation share.
class Board {
public:
    explicit Board(std::chrono::milliseconds stale_after) : stale_after_(stale_after) {}

    void put(const MetricsDoc &doc)
    {
        auto latest = std::make_shared<const MetricsDoc>(doc);
        const std::scoped_lock lock(mutex_);
        latest_ = std::move(latest);
        put_at_ = Clock::now();
    }

    /// Null while there is none.
    [[nodiscard]] std::shared_ptr<const MetricsDoc> latest() const
    {
        const std::scoped_lock lock(mutex_);
        return latest_;
    }

    /// Why not all is well; empty when it is.
    [[nodiscard]] std::string complaint() const
    {
        const std::scoped_lock lock(mutex_);
        if (!latest_) {
            return "lastref has not attached yet";
        }
        const auto age = Clock::now() - put_at_;
        if (age <= stale_after_) {
            return "";
        }
        return fmt::format("the events and counters were last read {} s ago",
                           std::chrono::duration_cast<std::chrono::seconds>(age).count());
    }

private:
    std::chrono::milliseconds stale_after_;
    mutable std::mutex mutex_;
    std::shared_ptr<const MetricsDoc> latest_;
    Clock::time_point put_at_;
};

void answer(mg_connection *connection, const char *status, const char *type,
            const std::string &body)
{
    mg_printf(connection,
              "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
              "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
              status, type, body.size());
    mg_write(connection, body.data(), body.size());
}

constexpr const char *plain = "text/plain; charset=utf-8";

class MetricsPage : public CivetHandler {
public:
    explicit MetricsPage(const Board &board) : board_(board) {}
    bool handleGet(CivetServer * /*server*/, mg_connection *connection) override
    {
        if (const auto doc = board_.latest()) {
            answer(connection, "200 OK", "text/plain; version=0.0.4; charset=utf-8",
                   exposition(*doc));
        } else {
            answer(connection, "503 Service Unavailable", plain, board_.complaint() + "\n");
        }
        return true;
    }

private:
    const Board &board_;
};

class HealthPage : public CivetHandler {
public:
    explicit HealthPage(const Board &board) : board_(board) {}
    bool handleGet(CivetServer * /*server*/, mg_connection *connection) override
    {
        const std::string complaint = board_.complaint();
        if (complaint.empty()) {
            answer(connection, "200 OK", plain, "ok\n");
        } else {
            answer(connection, "503 Service Unavailable", plain, complaint + "\n");
        }
        return true;
    }

private:
    const Board &board_;
};

class FrontPage : public CivetHandler {
public:
    bool handleGet(CivetServer * /*server*/, mg_connection *connection) override
    {
        answer(connection, "200 OK", plain,
               "lastref " LASTREF_VERSION "\n\n/metrics  for Prometheus\n/healthz  200 when the "
               "kernel is being watched, else 503\n");
        return true;
    }
};

/// A scrape needs one thread for a moment; the others are for those who ask slowly.
std::vector<std::string> server_options(const ListenAddress &address)
{
    return {"listening_ports",    address.text(), "num_threads",       "4",
            "request_timeout_ms", "5000",         "enable_keep_alive", "no"};
}

/// The server's threads start before all is attached, with all capabilities of this process.
void *begin_thread(const mg_context * /*server*/, int /*kind*/)
{
    begin_without_capabilities();
    return nullptr;
}

CivetCallbacks server_callbacks()
{
    CivetCallbacks callbacks;
    callbacks.init_thread = begin_thread;
    return callbacks;
}

} // namespace

bool has_exporter()
{
    return true;
}

struct Exporter::Impl {
    Impl(const ListenAddress &address, std::chrono::milliseconds stale_after)
        : board(stale_after), metrics(board), health(board), callbacks(server_callbacks()),
          server(server_options(address), &callbacks), url("http://" + address.text()),
          loopback(address.loopback)
    {
        server.addHandler("/metrics$", metrics);
        server.addHandler("/healthz$", health);
        server.addHandler("/$", front);
    }

    Board board;
    MetricsPage metrics;
    HealthPage health;
    FrontPage front;
    CivetCallbacks callbacks;
    CivetServer server; ///< the last: its threads use the others until it is gone
    std::string url;
    bool loopback;
};

Result<Exporter> Exporter::listen(const std::string &address, std::chrono::milliseconds stale_after)
{
    const auto parsed = parse_address(address);
    if (!parsed) {
        return fail(parsed.error());
    }
    // The server itself would not say why it cannot listen.
    if (auto free = check_free(*parsed); !free) {
        return fail(free.error());
    }
    try {
        return Exporter(std::make_unique<Impl>(*parsed, stale_after));
    } catch (const CivetException &error) {
        return fail({.what = fmt::format("cannot listen on {}: {}", parsed->text(), error.what()),
                     .errnum = 0,
                     .hint = ""});
    }
}

Exporter::Exporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Exporter::Exporter(Exporter &&) noexcept = default;
Exporter &Exporter::operator=(Exporter &&) noexcept = default;
Exporter::~Exporter() = default;

void Exporter::publish(const MetricsDoc &doc)
{
    impl_->board.put(doc);
}

const std::string &Exporter::url() const
{
    return impl_->url;
}

bool Exporter::is_loopback() const
{
    return impl_->loopback;
}

} // namespace lastref
