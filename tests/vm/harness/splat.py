# SPDX-License-Identifier: GPL-2.0-only
"""Finds in a kernel's console what the kernel says when something is wrong with it."""

import re
from dataclasses import dataclass

# What the kernel prints, at the start of a message, when it has found something wrong with itself.
_SIGNS = [
    r"WARNING: ",                       # WARN(), lockdep, RCU's own checks
    r"BUG: ",                           # page faults, sleeping while atomic, KASAN, soft lockups
    r"kernel BUG at ",
    r"Oops: ",
    r"Oops\b.*\[#\d+\]",
    r"general protection fault",
    r"Unable to handle ",
    r"unable to handle ",
    r"stack segment: ",
    r"double fault: ",
    r"int3: ",
    r"invalid opcode: ",
    r"divide error: ",
    r"traps: PANIC",
    r"Kernel panic - not syncing",
    r"INFO: task .* blocked for more than ",
    r"INFO: possible .* detected",
    r"INFO: suspicious RCU usage",
    r"INFO: trying to register non-static key",
    r"INFO: lockdep is turned off",
    r"INFO: rcu_\w+ (self-)?detected",
    r"INFO: rcu_\w+ detected (expedited )?stalls",
    r"rcu: INFO: ",
    r"rcu: .*kthread (starved|timer)",
    r"rcu_tasks_wait_gp: ",
    r"watchdog: BUG: ",                 # soft lockup
    r"(NMI )?watchdog: Watchdog detected ",
    r"KASAN: ",
    r"UBSAN: ",
    r"KCSAN: ",
    r"ODEBUG: ",
    r"kmemleak: .* suspicious memory leak",
    r"list_(add|del) corruption",
    r"refcount_t: ",
    r"kobject: .*(double|tried to|not initialized)",
    r"sysfs: cannot create duplicate",
    r"------------\[ cut here \]------------",
    r"Bad page state",
    r"Slab .*corruption|=+ BUG ",
    r"Call Trace:",
    r"possible circular locking",
    r"DEADLOCK",
]
# Lines that look like a sign and say that all is well.
_HARMLESS = [
    r"rcu: INFO: Adjusting",
]
_PREFIX = r"^(?:<\d>)?(?:\[\s*\d+\.\d+\](?:\[[^\]]*\])? ?)?"
_SIGN = re.compile(_PREFIX + r"(?P<text>(?:" + "|".join(_SIGNS) + r").*)")
_WELL = re.compile(_PREFIX + r"(?:" + "|".join(_HARMLESS) + r")")
_AFTER = 40  # lines of context: a splat's registers and its call trace


@dataclass(frozen=True)
class Splat:
    """The line that gave it away, and the lines that follow it."""

    line: str
    context: str


def scan(console):
    """Every splat of a console's text; lines close behind one belong to it."""
    lines = [line.rstrip("\r") for line in console.split("\n")]
    found = []
    covered = -1
    for number, line in enumerate(lines):
        match = _SIGN.match(line)
        if not match or _WELL.match(line):
            continue
        if number <= covered and not re.match(r"WARNING: |BUG: ", match["text"]):
            continue
        covered = number + _AFTER
        found.append(Splat(match["text"], "\n".join(lines[number:number + _AFTER])))
    return _without_frames(found)


def _without_frames(found):
    """"cut here" announces the line that matters: where both are there, the second one speaks."""
    named = [s for s in found if "cut here" not in s.line]
    alone = [s for s in found if "cut here" in s.line and not any(
        n.line in s.context for n in named)]
    return alone + named
