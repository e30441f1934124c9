# SPDX-License-Identifier: GPL-2.0-only
"""Where the time of scripts/test goes: by the clock, and on the processors."""

import contextlib
import os
import resource
import subprocess
import time
from dataclasses import dataclass

from harness import usage

SLOWEST = 10


@dataclass
class Spent:
    """Of one command, with all that it started and waited for."""

    what: str
    clock: float  # seconds
    processors: float  # seconds of all of them together


def timed(what, command, **options):
    """Runs a command to its end, which may be any; returns its status and what it took."""
    began = time.monotonic()
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                          **options) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, Spent(what, time.monotonic() - began, used.ru_utime + used.ru_stime)


class Budget:
    """What was spent on steps, and on files of tests in guests, which run side by side."""

    def __init__(self, guests):
        self.guests = guests  # the file in which guests keep what they took
        self.began = time.monotonic()
        self.steps = []
        self.files = []
        self.in_guests = 0.0  # by the clock, as they run side by side

    def clear(self):
        """Of what an earlier run has kept. Only a run of its own may: to read this file is none."""
        self.guests.parent.mkdir(parents=True, exist_ok=True)
        self.guests.unlink(missing_ok=True)

    @contextlib.contextmanager
    def step(self, what):
        """What is done in between, with the children that it waits for."""
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        yield
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        self.steps.append(Spent(what, time.monotonic() - began, used))

    @contextlib.contextmanager
    def side_by_side(self):
        """The time by the clock in which files run."""
        began = time.monotonic()
        yield
        self.in_guests += time.monotonic() - began

    def show(self):
        """The table, and the files that took most."""
        files = sum(one.processors for one in self.files)
        print(f"\n{'where the time went':<44} {'clock':>8} {'processors':>12}")
        for one in self.steps:
            if one.clock >= 1:
                _row(one.what, one.clock, one.processors)
        if self.files:
            _row("tests in guests, and their like", self.in_guests, files)
            self._show_guests(files)
        _row("all", time.monotonic() - self.began,
             files + sum(one.processors for one in self.steps))
        for one in sorted(self.files, key=lambda file: -file.processors)[:SLOWEST]:
            _row(f"    of the {SLOWEST} costliest: {one.what}", one.clock, one.processors)

    def _show_guests(self, files):
        kept = usage.kept(self.guests)
        for kernel in sorted({one.kernel for one in kept}):
            mine = [one for one in kept if one.kernel == kernel]
            boots = sum(one.boot for one in mine)
            _row(f"    {kernel}: {len(mine)} boots", None, boots)
            _row(f"    {kernel}: in its guests once they are up", None,
                 sum(one.total for one in mine) - boots)
        _row("    beside guests: images, modules, Python", None,
             files - sum(one.total for one in kept))


def _row(what, clock, processors):
    by_clock = "" if clock is None else f"{clock:.0f} s"
    print(f"{what:<44} {by_clock:>8} {processors:>10.0f} s")
