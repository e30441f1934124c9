# SPDX-License-Identifier: GPL-2.0-only
"""What a build tells while it goes on. Nothing here is part of a cached kernel's name."""

import re
import sys
import time
from pathlib import Path

COUNTS = Path(__file__).resolve().parent / "configs" / "objects"
OBJECT = re.compile(r"  (CC|AS|LD|AR|BTF\w*|OBJCOPY|SORTTAB|CALL|GEN|HOSTCC)\s")
TOLERATED = 0.03  # another release of the source has some objects more or fewer


class Progress:
    """One line that says what, how far and for how long; plain lines when nobody watches."""

    def __init__(self, name):
        self.name = name
        self.began = time.monotonic()
        self.shown = -1e9
        self.tty = sys.stderr.isatty()

    def say(self, text, force=False):
        now = time.monotonic()
        if not force and now - self.shown < (0.5 if self.tty else 30):
            return
        self.shown = now
        minutes, seconds = divmod(int(now - self.began), 60)
        line = f"kernel {self.name}: {text} ({minutes}:{seconds:02d})"
        print("\r" + line + "\033[K" if self.tty else line, end="" if self.tty else "\n",
              file=sys.stderr, flush=True)

    def end(self, text):
        self.say(text, force=True)
        if self.tty:
            print(file=sys.stderr)


def expected_objects(name):
    """As configs/objects has it; None where it does not know this kernel."""
    for line in COUNTS.read_text().splitlines():
        words = line.split()
        if words and words[0] == name:
            return int(words[1])
    return None


class ObjectCount:
    """Counts what a kernel's build makes, by the lines that it prints."""

    def __init__(self, name, progress):
        self.name = name
        self.progress = progress
        self.expected = expected_objects(name)
        self.done = 0

    def line(self, line):
        if OBJECT.match(line):
            self.done += 1
            of = f" of {max(self.expected, self.done)}" if self.expected else ""
            self.progress.say(f"{self.done}{of} objects; {line.strip()[:50]}")

    def end(self):
        """Says what configs/objects should say, where it says something else."""
        if abs(self.done - (self.expected or 0)) > TOLERATED * self.done:
            self.progress.end(f"{self.done} objects, but configs/objects has "
                              f"{self.expected or 'none'}: please put it right")
