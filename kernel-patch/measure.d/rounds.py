# SPDX-License-Identifier: GPL-2.0-only
"""What is measured in guests: rounds of loads and unloads, gets and puts, grace periods."""

import statistics
from pathlib import Path

from harness import modules
from harness.compiled import compiled
from harness.guest import Guest

HERE = Path(__file__).resolve().parent
ROUNDS = 41
WAITS = 10  # in a control span
TASKS_ROUNDS, BUSY_ROUNDS = 40, 5
# What is loaded and unloaded: a name, a module, its parameters, whether it needs soft references.
MODES = (("never", "lm_plain", "", False),
         ("none_left", "lm_soft", "", True),
         ("outstanding", "lm_soft", "late_ms=50", True))
SPANS = ("load", "unload", "free")

# One script: between two commands of ours hours would go by in a guest whose clock is icount's.
SCRIPT = """set -e
cd /root/modules
debug=/sys/kernel/debug
gone() { while [ -d /sys/module/$1 ]; do sleep 0.1; done; }
insmod lm_bench.ko
echo == bench
for i in $(seq %(rounds)d); do cat $debug/lm_bench; done
rmmod lm_bench; gone lm_bench
measure() {
    echo == unprobed $1
    /root/lm_run %(rounds)d $2.ko $3
    insmod lm_meter.ko
    for i in $(seq %(rounds)d); do echo %(waits)d > $debug/lm_meter/control; done
    echo == probed $1
    /root/lm_run %(rounds)d $2.ko $3
    echo == spans $1
    cat $debug/lm_meter/spans
    echo == losses $1
    cat $debug/lm_meter/losses
    rmmod lm_meter; gone lm_meter
}
"""


class MeasureError(Exception):
    """The guest did not deliver what can be reckoned with."""


def sections(text):
    """{heading: [words of a line]} of what the script printed."""
    found, lines = {}, None
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif lines is not None:
            lines.append(line.split())
    return found


def spread(values):
    """The median, and how far the single rounds are from it."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": round(middle), "quartiles": [round(low), round(high)],
            "extremes": [round(min(values)), round(max(values))], "rounds": len(values)}


def bench(lines):
    """Instructions of one operation: its loop less the empty one."""
    found = {}
    for name, operations, ns in lines:
        found.setdefault(name, []).append(int(ns) / int(operations))
    empty = statistics.median(found.pop("empty"))
    return {name: round(statistics.median(values) - empty, 1) for name, values in found.items()}


class Span:
    def __init__(self, words):
        self.ns, self.waits, self.waited = map(int, words[1:4])
        self.calls = {name: int(n) for name, n in (w.split("=") for w in words[4:])}


def control(spans):
    """What the probes add to a span, and to it and to the wait for each wait in it."""
    around = statistics.median(s.ns for s in spans["empty"])
    inside = statistics.median(s.waited for s in spans["waits"]) / WAITS
    outside = statistics.median(s.ns - s.waited for s in spans["waits"])
    return {"span": around, "wait_outside": (outside - around) / WAITS, "wait_inside": inside}


def spans_of(lines):
    found = {}
    for words in lines:
        found.setdefault(words[0], []).append(Span(words))
    return found


def figures(spans, probes):
    """Grace periods, instructions outside of them and time in them, of one kind of span."""
    names = sorted({name for s in spans for name in s.calls})
    return {
        "grace_periods": statistics.median(s.waits for s in spans),
        "functions": {n: statistics.median(s.calls.get(n, 0) for s in spans) for n in names},
        "instructions": spread([s.ns - s.waited - probes["span"] - s.waits * probes["wait_outside"]
                                for s in spans]),
        "waited_ns": spread([s.waited - s.waits * probes["wait_inside"] for s in spans]),
    }


def mode_figures(found, mode):
    lost, missed = map(int, found[f"losses {mode}"][0])
    if lost or missed:
        raise MeasureError(f"{lost} spans had no room and {missed} probe hits were missed: the "
                           "figures would be wrong; raise the limits in lm_meter.c")
    spans = spans_of(found[f"spans {mode}"])
    if short := [k for k in ("load", "unload") if len(spans.get(k, [])) != ROUNDS]:
        raise MeasureError(f"mode {mode}: {ROUNDS} rounds, but not as many spans of {short}")
    probes = control(spans)
    result = {kind: figures(spans[kind], probes) for kind in SPANS if kind in spans}
    result["probes"] = {name: round(value) for name, value in probes.items()}
    for which in ("unprobed", "probed"):
        times = [(int(load), int(unload)) for _, load, unload in found[f"{which} {mode}"]]
        for kind, values in zip(("load", "unload"), zip(*times)):
            result[kind][f"cpu_{which}"] = spread(values)
    return result


def kernel_rounds(kernel):
    """Loads, unloads, gets and puts on one kernel, in instructions of a single processor."""
    built = modules.built(kernel, HERE / "modules")
    soft = any(m.stem == "lm_soft" for m in built)
    modes = [m for m in MODES if soft or not m[3]]
    script = SCRIPT % {"rounds": ROUNDS, "waits": WAITS}
    script += "".join(f"measure {n} {m} {p}\n" for n, m, p, _ in modes)
    with Guest(kernel, icount=True, lastref=False, extra_modules=built,
               copies={"lm_run": compiled("lm_run", [HERE / "lm_run.c"])}) as guest:
        found = sections(guest.check(script, timeout=3600))
    return {"bench": bench(found["bench"]),
            "modes": {name: mode_figures(found, name) for name, *_ in modes}}


def grace_periods(kernel):
    """How long grace periods take on two processors, by the clock, with the kernel preemptible."""
    built = modules.built(kernel, HERE / "modules")
    script = (f"set -e\ninsmod /root/modules/lm_tasks.ko\ncd /sys/kernel/debug\n"
              f"for i in $(seq {TASKS_ROUNDS}); do cat lm_tasks; done\n"
              f"for i in $(seq {BUSY_ROUNDS}); do cat lm_tasks_busy; done\n")
    with Guest(kernel, smp=2, lastref=False, extra_modules=built, append="preempt=full") as guest:
        lines = [line.split() for line in guest.check(script, timeout=1200).splitlines()]
    found = {}
    for name, ns in lines:
        found.setdefault(name, []).append(int(ns))
    return {name: spread(values) for name, values in found.items()}
