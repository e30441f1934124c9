# SPDX-License-Identifier: GPL-2.0-only
"""What one `lastref why` takes in a guest that counts instructions, from its start to its end."""

import re
import statistics

import guests
import why
from harness.guest import Guest
from holding import Keeper

KERNEL = "stock-6.12"
MODULE = "uhid"
ROUNDS = 5
ALONE = "nothing else"
PROCESSES, FILES, SOCKETS, MOUNTS = 1000, 20, 5000, 500
ASK = (f"TIMEFORMAT=%R; for i in $(seq {ROUNDS}); do time lastref why -j {MODULE} > /tmp/document; "
       "done")
# The kernel tests its ciphers when the first of them is used, and takes half of the time meanwhile.
SETTLE = ("while grep -qs cryptomgr_test /proc/[0-9]*/comm; do usleep 100000; done; "
          "busybox sleep 2")


def cost(guest):
    """The median in instructions: under icount one is a nanosecond, and bash tells milliseconds."""
    rows = re.findall(r"^(\d+\.\d+)$", guest.run(ASK, 900).stderr, re.M)
    if len(rows) != ROUNDS:
        raise guests.BenchError("lastref why could not be timed")
    return round(statistics.median(map(float, rows)) * 1e9)


def measure(kernel):
    """Rows of name and instructions; each adds to what the one before it has."""
    rows = []

    def add(name):
        rows.append({"kernel": kernel.name, "name": name, "instructions": cost(guest)})

    with Guest(kernel, mem="2G", icount=True) as guest:
        keep = Keeper(guest)
        guest.check(f"modprobe {MODULE}; until [ -e /dev/{MODULE} ]; do usleep 10000; done; {SETTLE}",
                    600)
        held = keep(f"open /dev/{MODULE}")
        add(ALONE)
        for _ in range(PROCESSES):
            keep(f"many {FILES} /dev/zero")
        add(f"{PROCESSES:,} processes with {PROCESSES * FILES:,} files open")
        keep(f"sockets {SOCKETS} 2 2 0")
        add(f"and {SOCKETS:,} sockets")
        guest.check(f"for i in $(seq {MOUNTS}); do mkdir /tmp/m$i; mount -t tmpfs none /tmp/m$i; "
                    "done", 900)
        add(f"and {MOUNTS} mounts")
        doc = why.ask(guest, MODULE)
        why.holder(doc, pid=held.pid)
        if doc["hard"] != {"refs": 1, "explained": 1, "unexplained": 0}:
            raise guests.BenchError(f"what was timed is wrong: {why.brief(doc)}")
    return rows
