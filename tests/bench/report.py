# SPDX-License-Identifier: GPL-2.0-only
"""Writes the generated parts of docs/performance.md, which lie between markers; the rest of it is
written by hand."""

import re

import guests
import judge
import pairs
from guests import BenchError

PAGE = guests.REPO / "docs" / "performance.md"
PROFILED = "6.12"
VERDICTS = {True: "met", False: "**missed**", None: "–"}
EXPLAINED = {
    "untraced": "nothing attached",
    "untraced hard": "nothing attached",
    "floor tracepoint": "empty program on both tracepoints",
    "floor fentry": "empty fentry programs on both functions",
    "floor fexit and fentry": "empty fexit on the get, fentry on the put",
    "floor kprobe": "empty kprobes on both functions",
    "floor kprobe and kretprobe": "the same, and an empty kretprobe on the get",
    "floor hard tracepoint": "empty program on both tracepoints",
    "lastref tracepoint": "**lastref**, tracepoint",
    "lastref fentry": "**lastref**, fentry",
    "lastref kprobe": "**lastref**, kprobe",
    "lastref hard": "**lastref** (the kernel's tracepoints)",
    "bpftrace counts": "bpftrace, kprobes, counts only",
    "bpftrace kprobe by call site": "bpftrace, kprobes, counts by return address",
    "bpftrace by stack": "bpftrace, kprobes, counts by stack",
    "bpftrace tracepoint by call site": "bpftrace, tracepoints, counts by call site",
    "bpftrace hard by stack": "bpftrace, tracepoints, counts by stack",
    "bpftrace hard by call site": "bpftrace, tracepoints, counts by call site",
    "hist by stack": "ftrace hist triggers, counts by stack",
    "hist by call site": "ftrace hist triggers, counts by call site",
    "hist hard by stack": "ftrace hist triggers, counts by stack",
    "hist hard by call site": "ftrace hist triggers, counts by call site",
}


def table(head, rows):
    if not rows:
        return "Not measured."
    align = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, align, *rows])


def pair_table(measured, hard):
    """A row a tracer, a column a kernel: what is over untraced; of untraced the pair itself."""
    of = {(row["kernel"], row["name"]): row for row in measured["rows"]}
    names = dict.fromkeys(row.name for parts in pairs.ROWS.values() for row in parts[hard])
    found = [k for k in pairs.ROWS if any((k, n) in of for n in names)]
    names = [n for n in names if n in EXPLAINED and any((k, n) in of for k in found)]

    def cell(kernel, name):
        row = of.get((kernel, name))
        if not row:
            return "–"
        untraced = name.startswith("untraced")
        return f"({row['per_pair']:,.0f})" if untraced else f"{row['over_untraced']:,.0f}"

    return table(["what is attached", *found],
                 [[EXPLAINED[n], *(cell(k, n) for k in found)] for n in names])


def profile_table(measured):
    """From the empty program on, what each part adds; the rest is what is not in a part."""
    of = {row["name"]: row["over_untraced"] for row in measured["rows"]
          if row["kernel"] == PROFILED}
    steps = [("an empty program", "floor tracepoint"), *((n, f"part {n}") for n in guests.PARTS),
             ("the rest", "lastref tracepoint")]
    if any(name not in of for _, name in steps):
        return "Not measured."
    rows, before = [], 0.0
    for what, name in steps:
        rows.append([what, f"{of[name] - before:,.0f}", f"{of[name]:,.0f}"])
        before = of[name]
    return table(["", "instructions", "sum"], rows)


def target_table(measured):
    return table(["", "target", "measured", ""],
                 [[t.what, t.wanted, t.found, VERDICTS[t.met]]
                  for t in judge.targets(measured)])


def series_tables(measured):
    parts = []
    for kind in dict.fromkeys(s["series"] for s in measured["series"]):
        of_kind = [s for s in measured["series"] if s["series"] == kind]
        head = [kind.replace("_", " "), *(f"{n:,}" for n, _ in of_kind[0]["over_untraced"])]
        parts.append(table(head, [[s["name"], *(f"{cost:,.0f}" for _, cost in s["over_untraced"])]
                                  for s in of_kind]))
    return "\n\n".join(parts) or "Not measured."


def start_table(measured):
    return table(["", "kernel", "until attached", "resident", "at most", "maps and programs"],
                 [[EXPLAINED[s["name"]], s["kernel"], f"{s['attach_ms']:,.0f} ms",
                   *(f"{s[k] / 1024:.1f} MiB" for k in ("rss_kb", "peak_rss_kb", "kernel_kb"))]
                  for s in measured["starts"]])


def load_table(measured):
    """What is traced, and what that adds to each call."""
    untraced = {row["module"]: row for row in measured["loads"] if row["name"] == "untraced"}

    def cell(row, what):
        base = untraced[row["module"]][what]
        return f"{row[what]:,}" if row is untraced[row["module"]] else f"{row[what] - base:+,}"

    return table(["", "module", "insmod", "rmmod"],
                 [[EXPLAINED.get(f"lastref {row['name']}", row["name"]), "one soft reference" if row["module"] == "lm_soft" else "none",
                   cell(row, "insmod"), cell(row, "rmmod")] for row in measured["loads"]])


def clock_table(measured):
    return table(["2 processors", "times untraced"],
                 [[row["name"], f"{row['times_untraced']:.1f}"] for row in
                  measured["by_the_clock"]])


def why_table(measured):
    return table(["one `lastref why` with", "million instructions"],
                 [[row["name"], f"{row['instructions'] / 1e6:,.0f}"] for row in measured["why"]])


def parts(measured):
    return {"soft": pair_table(measured, False), "hard": pair_table(measured, True),
            "profile": profile_table(measured), "targets": target_table(measured),
            "series": series_tables(measured),
            "starts": start_table(measured), "loads": load_table(measured),
            "clock": clock_table(measured), "why": why_table(measured)}


def filled(page, measured):
    """The page with every generated part replaced; a marker without its part is an error."""
    made = parts(measured)
    for name, text in made.items():
        marked = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- /bench -->)", re.S)
        page, times = marked.subn(lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page)
        if times != 1:
            raise BenchError(f"{PAGE} has the marker <!-- bench: {name} --> {times} times: put it "
                             "there once, with <!-- /bench --> after it")
    return page


def write(measured):
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
