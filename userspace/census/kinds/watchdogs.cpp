// SPDX-License-Identifier: GPL-2.0-only
#include "census/devices.h"
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr unsigned is_open = 0;                    // _WDOG_DEV_OPEN in watchdog_core.h
constexpr unsigned no_way_out = 1, hw_running = 3; // WDOG_… in include/linux/watchdog.h

/// What is said of one that can be stopped, and of one that cannot.
struct WatchdogWords {
    Words usual;
    Words for_ever = without_end(usual);

private:
    static constexpr Words without_end(Words words)
    {
        words.caution = "Nothing stops {name}: it was started with nowayout, or its driver cannot. "
                        "It resets the machine unless it is fed.";
        return words;
    }
};
constexpr WatchdogWords words_of_device{{
    .detail = "{name} is {state}",
    .clause = "the watchdog {name} is {state}",
}};
constexpr WatchdogWords words_of_timer{{
    .detail = "{name}: its timer runs, and resets the machine unless it is fed",
    .clause = "the timer of {name} runs",
}};

bool has_bit(const Object &status, unsigned bit)
{
    return (status.number().value_or(0) >> bit & 1) != 0;
}

/// Of a watchdog that nobody has open: that it ends when somebody opens it and says so.
void note(Search &search, const Object &object, const Object &watchdog, const std::string &name,
          bool open, const WatchdogWords &words)
{
    const bool stops = watchdog["ops"]["stop"] && !has_bit(watchdog["status"], no_way_out);
    auto &found = search.found("watchdog", open || stops ? words.usual : words.for_ever, object, 1);
    found.path = "/dev/" + name;
    found.with("name", name).with("state", open ? "open" : "running, and nobody has it open");
    if (!open && stops) {
        found.commands = {{.arguments = {"echo", "V"}, .output = found.path}};
    }
}

/// watchdog_open() takes one, which watchdog_release() leaves where the hardware runs on;
/// watchdog_cdev_register() takes it where that runs already. softdog_ping() takes one while its
/// timer is set.
void look(Search &search)
{
    auto &kernel = search.kernel();
    const auto watchdog_class = kernel.symbol("watchdog:watchdog_class");
    const auto timer = kernel.at(kernel.symbol_if_any("softdog:softdog_ticktock"), "hrtimer");
    each_device(kernel, [&](const Object &device) {
        if (device["class"].pointer() != watchdog_class) {
            return;
        }
        const auto core = device.in("watchdog_core_data", "dev", "watchdog");
        const auto watchdog = core["wdd"].target(); // null: its driver has let go of it
        if (!search.is_target(watchdog["ops"]["owner"])) {
            return;
        }
        const auto name = device["kobj"]["name"].text();
        const bool open = has_bit(core["status"], is_open);
        if (open || has_bit(watchdog["status"], hw_running)) {
            note(search, core, watchdog, name, open, words_of_device);
        }
        if (kernel.leads_to(watchdog.address(), "softdog:softdog_dev") &&
            timer.either("is_queued", "state").number().value_or(0) != 0) { // v7.3, and before
            note(search, timer, watchdog, name, open, words_of_timer);
        }
    });
}

constexpr Symbol symbols[] = {{"devices_kset"}, {"watchdog:watchdog_class"}};

constexpr Reference references[] = {
    {"`watchdog`", "1 while it is open, or runs on after that",
     "`watchdog_open()`, `watchdog_cdev_register()`", "`devices_kset`, `watchdog_core_data->wdd`"},
    {"`watchdog`", "1 while the timer of softdog is set", "`softdog_ping()`", "`softdog_ticktock`"},
};
constexpr Doc doc{"A watchdog timer of the module's is open, or runs", references,
                  "The process that has it open writes V and closes it; if nobody has, `echo V > "
                  "/dev/watchdogN`. Nothing with nowayout"};

} // namespace

extern const Kind watchdogs{"watchdogs", doc, symbols, look};

} // namespace lastref::census
