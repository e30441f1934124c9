// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "census/object.h"

#include <string_view>

/// Watchdog timers: when the process that has one open dies, the timer runs on and resets the
/// machine, unless the process has stopped it. So nobody is told to end it.
///
/// watchdog_release(), in drivers/watchdog/watchdog_dev.c: a close stops the timer if "V" was
/// written before, or if the driver knows no "V" (no WDIOF_MAGICCLOSE), and with nowayout never.
/// Else it runs on, and keeps the module.
namespace lastref::census {

class Search;

/// The cautions of words without a remedy.
constexpr std::string_view watchdog_caution =
    "Do not kill {process}: it feeds a watchdog, which resets the machine when nobody does. "
    "Nothing "
    "but that program can let go of it: it must stop the timer, most often by writing V before it "
    "closes. With nowayout (in /sys/class/watchdog) nothing stops it.";
constexpr std::string_view watchdog_caution_of_init =
    "Do not kill {process}: it feeds a watchdog, which resets the machine when nobody does. "
    "Nothing "
    "but that program can let go of it: it must stop the timer (systemd's is set by "
    "RuntimeWatchdogSec=, systemd-system.conf(5)), most often by writing V before it closes. With "
    "nowayout (in /sys/class/watchdog) nothing stops it.";

/// What is said of a holder that may be a watchdog's.
struct FileWords {
    Words usual;
    Words watchdog = without_remedy(usual, watchdog_caution);
    Words watchdog_of_init = without_remedy(usual, watchdog_caution_of_init);

private:
    static constexpr Words without_remedy(Words words, std::string_view caution)
    {
        words.remedy = {};
        words.caution = caution;
        words.must_live = true;
        return words;
    }
};

/// Whether a device file of that name is a watchdog timer's.
bool is_name_of_watchdog(std::string_view name);

/// Whether the struct file is one's: by its device number, its operations, or its name.
bool is_watchdog(Search &search, const Object &file);

/// Takes the right ones of those words for a finding of which it is known whose it is.
void choose_words(Finding &found, const FileWords &words, bool is_watchdog);

} // namespace lastref::census
