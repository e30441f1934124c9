// SPDX-License-Identifier: GPL-2.0-only
// The web server of the exporter, asked as Prometheus asks it.

#include "base/fd.h"
#include "exporter/exporter.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>

namespace lastref {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// A port that nobody listens on at this moment.
std::uint16_t free_port()
{
    const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr *>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr *>(&address), &size), 0);
    return ntohs(address.sin_port);
}

std::string ask(std::uint16_t port, const std::string &request)
{
    const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)),
              0);
    const std::string text = request + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(got));
    }
    return answer;
}

class Serving : public testing::Test {
protected:
    void start(std::chrono::milliseconds stale_after)
    {
        auto started = Exporter::listen(fmt::format("127.0.0.1:{}", port), stale_after);
        ASSERT_TRUE(started) << started.error().text();
        exporter.emplace(std::move(*started));
    }

    std::uint16_t port = free_port();
    std::optional<Exporter> exporter;
};

TEST_F(Serving, IsUnhealthyUntilSomethingIsPublished)
{
    start(std::chrono::hours(1));
    EXPECT_THAT(ask(port, "GET /healthz"), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(ask(port, "GET /metrics"), StartsWith("HTTP/1.1 503 "));
    MetricsDoc doc;
    doc.losses.events = 42;
    exporter->publish(doc);
    EXPECT_THAT(ask(port, "GET /healthz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(ask(port, "GET /metrics"),
                testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("version=0.0.4"),
                               HasSubstr("\nlastref_events_lost_total 42\n")));
}

TEST_F(Serving, IsUnhealthyWhenNothingIsPublishedAnyMore)
{
    start(std::chrono::milliseconds(50));
    exporter->publish({});
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    EXPECT_THAT(ask(port, "GET /healthz"),
                testing::AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("last read 0 s ago\n")));
    // The values are told all the same: they say of when they are.
    EXPECT_THAT(ask(port, "GET /metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Serving, OnlyAnswersAndOnlyWhatItHas)
{
    start(std::chrono::hours(1));
    exporter->publish({});
    EXPECT_THAT(ask(port, "GET /"), HasSubstr("/metrics"));
    EXPECT_THAT(ask(port, "GET /healthz/more"), StartsWith("HTTP/1.1 404 "));
    for (const char *method : {"POST", "PUT", "DELETE", "PATCH"}) {
        EXPECT_THAT(ask(port, fmt::format("{} /metrics", method)), StartsWith("HTTP/1.1 4"));
    }
    EXPECT_THAT(ask(port, std::string(100'000, 'x')), HasSubstr(" 400 "));
}

TEST_F(Serving, APortInUseIsSaidToBe)
{
    start(std::chrono::hours(1));
    const auto second = Exporter::listen(fmt::format("127.0.0.1:{}", port), std::chrono::hours(1));
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().text(),
                testing::AllOf(HasSubstr("Address already in use"), HasSubstr("--listen")));
}

} // namespace
} // namespace lastref
