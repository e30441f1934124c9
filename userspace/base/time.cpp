// SPDX-License-Identifier: GPL-2.0-only
#include "base/time.h"

#include <ctime>
#include <fmt/format.h>

namespace lastref {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// `ns` in a unit of `unit` ns with three figures, rounded.
std::string three_figures(std::uint64_t ns, std::uint64_t unit, const char *name)
{
    const double value = static_cast<double>(ns) / static_cast<double>(unit);
    const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", value, digits, name);
}

std::string two_units(std::uint64_t value, std::uint64_t per, const char *big, const char *little)
{
    return fmt::format("{} {} {} {}", value / per, big, value % per, little);
}

} // namespace

std::string format_duration(std::uint64_t ns)
{
    // Each limit is where rounding to three figures would show 1000 of the unit.
    if (ns < 1000) {
        return fmt::format("{} ns", ns);
    }
    if (ns < 999'500) {
        return three_figures(ns, 1000, "µs");
    }
    if (ns < 999'500'000) {
        return three_figures(ns, 1'000'000, "ms");
    }
    if (ns < 99'950'000'000) {
        return three_figures(ns, second, "s");
    }
    const std::uint64_t seconds = ns / second + (ns % second >= second / 2 ? 1 : 0);
    if (seconds < 3600) {
        return two_units(seconds, 60, "min", "s");
    }
    if (seconds < 86'400) {
        return two_units(seconds / 60, 60, "h", "min");
    }
    return two_units(seconds / 3600, 24, "d", "h");
}

std::string format_signed_duration(std::int64_t ns)
{
    if (ns >= 0) {
        return format_duration(static_cast<std::uint64_t>(ns));
    }
    return "-" + format_duration(0 - static_cast<std::uint64_t>(ns));
}

std::string format_seconds(std::uint64_t ns, int digits)
{
    std::uint64_t scale = 1;
    for (int i = digits; i < 9; ++i) {
        scale *= 10;
    }
    const std::uint64_t ticks = ns / scale;
    const std::uint64_t per_second = second / scale;
    if (digits == 0) {
        return fmt::format("{}", ticks);
    }
    return fmt::format("{}.{:0{}}", ticks / per_second, ticks % per_second, digits);
}

std::string format_wall_clock(std::int64_t ns)
{
    constexpr auto per_second = static_cast<std::int64_t>(second);
    std::int64_t seconds = ns / per_second;
    std::int64_t rest = ns % per_second;
    if (rest < 0) {
        rest += per_second;
        --seconds;
    }
    const auto since_epoch = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::gmtime_r(&since_epoch, &parts) == nullptr) {
        return fmt::format("@{}", seconds);
    }
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       rest / 1000);
}

} // namespace lastref
