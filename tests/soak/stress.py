# SPDX-License-Identifier: GPL-2.0-only
"""One boot of a soak run: so many deferred unloads under stress, counted three times over.

The guest's program counts what it did, the modules what they took and dropped, and the referee
what the kernel freed and when. All three must agree to the last one, no memory may be lost, and
any splat fails the boot.
"""

import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))

import figures  # noqa: E402
import truth  # noqa: E402
from harness import modules  # noqa: E402
from harness.compiled import compiled  # noqa: E402
from harness.guest import Guest  # noqa: E402

REFUSALS = (-16, -2, -11)  # EBUSY, ENOENT, EAGAIN
# Before the first figures, at the most so many deferred unloads: threads and caches that stay.
WARM_UP = 60
PATIENCE = 600  # seconds for one command: a debug kernel on a busy host is slow
CLASS_SLOTS = {"hold": range(24), "race": range(24, 32), "fail": range(32, 36),
               "plain": range(36, 40), "hard": range(40, 44)}
CLASS_OF = {f"lr_soak_{n:02}": name for name, slots in CLASS_SLOTS.items() for n in slots}


class Wrong(AssertionError):
    """The counts do not agree, or memory was lost."""


def boot(kernel, **options):
    """A guest that is ready for run()."""
    program = compiled("soak", (HERE / "guest").glob("*.[ch]"))
    guest = Guest(kernel, lastref=None, extra_modules=modules.built(kernel, HERE / "modules"),
                  copies={"soak": program}, **options)
    guest.check(f"cd {truth.MODULES} && insmod lr_referee.ko && insmod lr_board.ko", PATIENCE)
    return guest


def unloads_by_class(guest):
    """The referee's lines for each class, and its losses must be none."""
    lines = guest.check(f"cat {truth.DEBUGFS}/lr_referee/unloads", PATIENCE).splitlines()
    losses = guest.check(f"cat {truth.DEBUGFS}/lr_referee/losses", PATIENCE)
    if losses != "missed 0\ntable_full 0\n":
        raise Wrong(f"the referee itself has lost events: {losses}")
    found = {name: [] for name in CLASS_SLOTS}
    for line in lines:
        name, *numbers = line.split()
        unload = truth.Unload(name, *map(int, numbers))
        if unload.module not in CLASS_OF:
            raise Wrong(f"the referee saw an unload of {unload.module}, which nobody asked for")
        found[CLASS_OF[unload.module]].append(unload)
    return found


def expect(what, value, wanted):
    if value != wanted:
        raise Wrong(f"{what}: {value}, expected {wanted}")


def judge_unloads(done, seen):
    """The program's counts against the referee's; returns how many frees were deferred."""
    refused = deferred = 0
    for name, unloads in seen.items():
        counts = done[name]
        asked = [u for u in unloads if u.requested_ns]
        granted = [u for u in asked if u.ret == 0]
        refused += len(asked) - len(granted)
        for unload in asked:
            if unload.ret not in (0, *REFUSALS) or (unload.ret and unload.freed_ns):
                raise Wrong(f"an unload ended in an unexpected way: {unload}")
        expect(f"{name}: unloads", (counts["unloaded"], len(granted)), (counts["loaded"],) * 2)
        expect(f"{name}: frees after an unload", sum(u.freed_ns > 0 for u in granted), len(granted))
        expect(f"{name}: frees after a failed init", len(unloads) - len(asked), counts["failed"])
        late = sum(u.freed_ns > u.returned_ns for u in granted)
        if name == "hold":
            expect("hold: frees after the return", late, len(granted))
        elif name in ("plain", "hard"):
            expect(f"{name}: frees after the return", late, 0)
        deferred += late
    expect("refused unloads", refused, done["refused"])
    expect("modules told to go", done["told"], done["hold"]["unloaded"])
    return deferred


def judge_counters(guest):
    """Every get has its put, in each context; and none succeeded when it was too late."""
    lines = guest.check(f"cat {truth.DEBUGFS}/lr_board/counters", PATIENCE).splitlines()
    counts = {name: int(value) for name, value in (line.split() for line in lines)}
    for context in ("task", "softirq", "hardirq", "work"):
        expect(f"gets in {context} that came too late", counts[f"{context}.late"], 0)
        expect(f"puts in {context}", counts[f"{context}.put"], counts[f"{context}.get"])
        if not counts[f"{context}.get"] or not counts[f"{context}.refused"]:
            raise Wrong(f"{context}: no get, or none after the exit routine: not much of a stress")
    expect("users of the board", truth.proc_modules(guest, "lr_board")[2:4], ["0", "-"])
    return counts


def run(guest, goal, seed, forced=False, leaky=False, timeout=1800):
    """Does it, judges it, and returns what is worth keeping. Raises Wrong."""
    flags = " forced" * forced + " leaky" * leaky
    guest.check(f"./soak {min(WARM_UP, goal // 2)} {seed} {flags}", timeout)
    before = figures.take(guest)
    truth.control(guest, "lr_referee", "reset")
    done = json.loads(guest.check(f"./soak {goal} {seed + 1000} {flags}", timeout))
    seen = unloads_by_class(guest)
    deferred = judge_unloads(done, seen)
    after = figures.take(guest)
    delays = sorted(u.free_delay_ns for u in seen["hold"] if u.ret == 0)
    overlaps = most_at_once(u for unloads in seen.values() for u in unloads)
    return {"deferred": deferred, "program": done, "modules": judge_counters(guest),
            "frees_waiting_at_once": overlaps,
            "free_delay_ms": {"median": delays[len(delays) // 2] // 1_000_000,
                              "longest": delays[-1] // 1_000_000},
            "memory": {"before": before.summary(), "after": after.summary()},
            "losses": figures.losses(before, after, deferred)}


def most_at_once(unloads):
    """How many frees were waited for at the same time, at the most."""
    edges = Counter()
    for unload in unloads:
        if unload.freed_ns > unload.returned_ns > 0:
            edges[unload.returned_ns] += 1
            edges[unload.freed_ns] -= 1
    now = most = 0
    for when in sorted(edges):
        now += edges[when]
        most = max(most, now)
    return most
