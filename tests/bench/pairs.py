# SPDX-License-Identifier: GPL-2.0-only
"""What one get and one put cost, untraced and with each tracer, all in one boot of a kernel."""

from dataclasses import dataclass

import guests
from guests import BenchError

CHEAP, DEAR = 20480, 4096  # pairs in a round, with tracers that cost little and much
# How exactly the untraced pair comes out again at the end, in instructions: whatever is attached
# costs a hundred and more, and timer interrupts fall differently into the rounds.
REPEATS = 1

SOFT_GET, SOFT_PUT = "__try_module_get_soft", "__module_put_soft"
BOTH = f"kprobe:{SOFT_GET},kprobe:{SOFT_PUT}"


@dataclass(frozen=True)
class Row:
    """One tracer, and the shell function of bench.sh that measures with it."""

    name: str
    how: str  # untraced, floor, lastref_refs, bpftrace_runs, hist
    what: str = ""
    pairs: int = CHEAP
    also_in_check: bool = False


def lastref(name, arguments):
    return Row(f"lastref {name}", "lastref_refs", arguments, also_in_check=True)


def floor(name):
    return Row(f"floor {name}", "floor", guests.object_name(name))


def bpftrace(name, program, pairs=DEAR):
    return Row(f"bpftrace {name}", "bpftrace_runs", f"'{program}'", pairs)


def hist(name, events, keys):
    return Row(f"hist {name}", "hist", f"{events} {keys}", DEAR)


OWN_SOFT = [
    Row("untraced", "untraced", also_in_check=True),
    *(floor(name) for name in guests.FLOORS if not name.startswith("hard")),
    *(lastref(mode, f"--attach={mode} lr_refs") for mode in ("tracepoint", "fentry", "kprobe")),
]
# What one more part of lastref's own work costs: where its instructions go.
PARTS_SOFT = [Row(f"part {name}", "floor", guests.object_name(name)) for name in guests.PARTS]
OWN_HARD = [
    Row("untraced hard", "untraced", also_in_check=True),
    floor("hard tracepoint"),
    lastref("hard", "--hard lr_refs"),
]
PEERS_SOFT = [
    bpftrace("counts", f"{BOTH} {{ @[probe] = count(); }}"),
    bpftrace("by stack", f"{BOTH} {{ @[kstack] = count(); }}"),
    bpftrace("kprobe by call site", f"{BOTH} {{ @[*(uint64*)reg(\"sp\")] = count(); }}"),
    bpftrace("tracepoint by call site",
             "tracepoint:module:module_soft_get { @g[args->ip] = count(); } "
             "tracepoint:module:module_soft_put { @p[args->ip] = count(); }"),
    hist("by stack", "module_soft", "stacktrace"),
    hist("by call site", "module_soft", "ip"),
]
PEERS_HARD = [
    bpftrace("hard by stack", "tracepoint:module:module_get,tracepoint:module:module_put "
                              "{ @[kstack] = count(); }"),
    bpftrace("hard by call site", "tracepoint:module:module_get { @g[args->ip] = count(); } "
                          "tracepoint:module:module_put { @p[args->ip] = count(); }"),
    hist("hard by stack", "module", "stacktrace"),
    hist("hard by call site", "module", "ip"),
]

# Debian's kernels have no soft references.
ROWS = {
    "6.12": ([*OWN_SOFT, *PARTS_SOFT, *PEERS_SOFT], [*OWN_HARD, *PEERS_HARD]),
    "6.1": (OWN_SOFT, OWN_HARD),
    "stock-6.12": ([], [*OWN_HARD, *PEERS_HARD]),
    "stock-6.1": ([], [*OWN_HARD, *PEERS_HARD]),
}


def loop_of(hard):
    return "hbench" if hard else "bench"


def script(soft, hard):
    """The untraced pair comes first and, as a check that nothing was left attached, last."""
    lines = ["insmod /root/modules/lr_refs.ko"]
    for loop, rows in ((loop_of(False), soft), (loop_of(True), hard)):
        lines += [f"loop={loop} pairs={r.pairs} {r.how} '{r.name}' rounds {r.what}" for r in rows]
        if rows:
            lines.append(f"loop={loop} pairs={CHEAP} untraced 'again {rows[0].name}' rounds")
    return "\n".join(lines) + "\n"


def check_counts(row, sections, function):
    """A tracer that has not counted everything has done less than what it is measured for."""
    done = guests.pairs_done(sections[row.name])
    if row.how == "lastref_refs":
        counted = guests.counted_by_lastref(sections[f"out {row.name}"], function)
        if counted != {"get": done, "put": done}:
            raise BenchError(f"{row.name}: {done} pairs were done, and lastref counted {counted}")
    elif row.how in ("bpftrace_runs", "hist"):
        counted = guests.counted_by_peer(sections[f"out {row.name}"])
        if counted < 2 * done:
            raise BenchError(f"{row.name}: {done} pairs were done, and it counted only {counted}")


def figures(rows, sections, kernel, function):
    if not rows:
        return []
    untraced = guests.per_pair(sections[rows[0].name])
    again = guests.per_pair(sections[f"again {rows[0].name}"])
    if abs(again - untraced) > REPEATS:
        raise BenchError(f"on {kernel} an untraced pair takes {untraced:.1f} at first and "
                         f"{again:.1f} at the end: something is still attached")
    found = []
    for row in rows:
        check_counts(row, sections, function)
        cost = guests.per_pair(sections[row.name])
        found.append({"name": row.name, "kernel": kernel, "per_pair": round(cost, 1),
                      "over_untraced": round(cost - untraced, 1)})
    return found


def starts(rows, sections, kernel):
    """Time to attach and memory, of those rows that are programs."""
    found = []
    for row in rows:
        if lines := sections.get(f"start {row.name}"):
            us, rss, hwm, in_kernel = map(int, lines[0])
            found.append({"name": row.name, "kernel": kernel, "attach_ms": us / 1000,
                          "rss_kb": rss, "peak_rss_kb": hwm, "kernel_kb": in_kernel})
    return found


def measure(kernel, only_own=False):
    """(the rows, the starts) of that kernel."""
    soft, hard = ([row for row in rows if row.also_in_check or not only_own]
                  for rows in ROWS[kernel.name])
    programs = ["bpftrace"] if any(r.how == "bpftrace_runs" for r in soft + hard) else []
    sections = guests.measured(kernel, script(soft, hard), programs=programs, icount=True)
    rows = figures(soft, sections, kernel.name, "lr_bench_pairs")
    rows += figures(hard, sections, kernel.name, "lr_bench_hard_pairs")
    return rows, starts(soft + hard, sections, kernel.name)
