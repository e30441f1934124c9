# SPDX-License-Identifier: GPL-2.0-only
"""What the test modules and the kernel itself say: the truth that lastref is compared with."""

import re
import time
from typing import NamedTuple

from harness.paths import VM

PATCH_MODULES = VM / "patch" / "patch_modules"  # modules that only tests of the patch need
MODULES = "/root/modules"
DEBUGFS = "/sys/kernel/debug"
# Probes, functions with a tracer (and how many), and BPF programs, links and maps: what is attached.
# The programs stand in /proc/kallsyms too, behind 150,000 symbols: 3 s each time.
ATTACHED = ("set -e; cat /sys/kernel/debug/kprobes/list; awk '{ print $1, $2 }' "
            "/sys/kernel/tracing/enabled_functions; bpf-ids")


class Unload(NamedTuple):
    """A line of the referee's, see tests/modules/README.md."""

    module: str
    requested_ns: int
    returned_ns: int
    ret: int
    freed_ns: int

    @property
    def free_delay_ns(self):
        """What lastref must report: 0 when freed before the return."""
        return max(0, self.freed_ns - self.returned_ns)


def insmod(guest, name, parameters=""):
    guest.check(f"insmod {MODULES}/{name}.ko {parameters}")


def control(guest, module, *commands):
    """Gives a test module commands, one a write; they are done when this returns."""
    guest.check(f"set -e; for c in {' '.join(repr(c) for c in commands)}; do "
                f'echo "$c" > {DEBUGFS}/{module}/control; done')


def counters(guest, module):
    """A test module's own counters."""
    lines = guest.check(f"cat {DEBUGFS}/{module}/counters").splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def sysfs(guest, module, name):
    """A file of /sys/module/MODULE, or None when there is none."""
    result = guest.run(["cat", f"/sys/module/{module}/{name}"])
    return result.stdout.strip() if result.status == 0 else None


def proc_modules(guest, module):
    """The fields of a line of /proc/modules (name, size, refs, users, state, …), or None."""
    for line in guest.check("cat /proc/modules").splitlines():
        if line.split()[0] == module:
            return line.split()
    return None


def outstanding_at_exit(guest, module):
    """The module's own count as its exit routine ended, for each of its unloads."""
    return [int(n) for n in re.findall(rf"\b{module}: exit outstanding=(-?\d+)",
                                       guest.check("dmesg"))]


def unloads(guest, module):
    """What the referee (which must have been loaded before) saw of a module, in order."""
    lines = guest.check(f"cat {DEBUGFS}/lr_referee/unloads").splitlines()
    losses = guest.check(f"cat {DEBUGFS}/lr_referee/losses")
    assert losses == "missed 0\ntable_full 0\n", f"the referee itself has lost events: {losses}"
    seen = [Unload(line.split()[0], *map(int, line.split()[1:])) for line in lines]
    return [unload for unload in seen if unload.module == module]


def wait_freed(guest, module, count=1, timeout=60):
    """Waits until the referee has seen `count` frees of a module; returns all its unloads."""
    guest.check(f"""until awk '$1 == "{module}" && $5 > 0 {{ n++ }} END {{ exit n < {count} }}' \\
                    {DEBUGFS}/lr_referee/unloads; do usleep 20000; done""", timeout)
    return unloads(guest, module)


def module_list(guest):
    """All modules with their references and users: what watching must leave as it is."""
    return guest.check("cut -d' ' -f1,3,4,5 /proc/modules; grep -s . /sys/module/*/refcnt")


def attached(guest):
    return sorted(guest.check(ATTACHED).splitlines())


def wait_detached(guest, before):
    """Waits until nothing but what was there before is attached; the kernel lets go in its own
    time."""
    until = time.monotonic() + 60 * guest.kernel.slowness
    while (now := attached(guest)) != before:
        assert time.monotonic() < until, set(now) ^ set(before)
