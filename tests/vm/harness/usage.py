# SPDX-License-Identifier: GPL-2.0-only
"""What guests take of this machine's processors, kept for the budget that scripts/test shows."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "LASTREF_USAGE"  # names the file that each guest adds a line to; none: nobody wants to know
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of one guest, in processor seconds: until it was up, and in all."""

    kernel: str
    boot: float
    total: float


def processor_seconds(pid):
    """What a living process has used, as the kernel tells in /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS  # utime, stime


def keep(usage):
    if path := os.environ.get(FILE):
        # One write of a short line: files of tests that run side by side share it.
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(usage)) + "\n")


def kept(path):
    """All that was kept in a file; nothing where no guest was booted."""
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [Usage(**json.loads(line)) for line in lines]
