# SPDX-License-Identifier: GPL-2.0-only
"""Boots a guest, runs one script in it and takes apart what it printed."""

import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
MEASURE = REPO / "kernel-patch" / "measure.d"
sys.path[:0] = [str(REPO / "tests" / "vm"), str(MEASURE)]

import rounds  # noqa: E402
from harness.compiled import compiled  # noqa: E402
from harness.guest import Guest  # noqa: E402
from harness.paths import run, say  # noqa: E402

# What an empty program is attached to, for a get and for a put.
FLOORS = {
    "tracepoint": ("tp_btf/module_soft_get", "tp_btf/module_soft_put"),
    "fentry": ("fentry/__try_module_get_soft", "fentry/__module_put_soft"),
    "fexit and fentry": ("fexit/__try_module_get_soft", "fentry/__module_put_soft"),
    "kprobe": ("kprobe/__try_module_get_soft", "kprobe/__module_put_soft"),
    "kprobe and kretprobe": ("kprobe/__try_module_get_soft", "kprobe/__module_put_soft",
                             "kretprobe/__try_module_get_soft"),
    "hard tracepoint": ("tp_btf/module_get", "tp_btf/module_put"),
}
# What lastref does for a get and a put by tracepoint; bpf/parts.bpf.c has the same order.
PARTS = ("processor and tick", "module and call site", "slot", "tick of the slot", "count")
TIMEOUT = 7200  # emulated, beside other work


class BenchError(Exception):
    """What was measured cannot be used; the text says why."""


def object_name(floor):
    return f"floor_{floor.replace(' ', '_')}.o"


def bpf_program(source, target, defines):
    """Compiled as lastref's own are."""
    run("clang", "-target", "bpf", "-O2", "-g", "-mcpu=v3", "-Wall", "-Werror", *defines,
        f"-I{REPO}", "-idirafter", "/usr/include/x86_64-linux-gnu", "-c", HERE / "bpf" / source,
        "-o", target)
    return {target.name: target}


def floor_programs(directory):
    """{name in the guest: file} of the empty programs, of those that do a part of what lastref
    does, and of what attaches them."""
    found = {}
    for floor, sections in FLOORS.items():
        defines = [f'-D{name}="{section}"'
                   for name, section in zip(("FIRST", "SECOND", "THIRD"), sections)]
        found |= bpf_program("floor.bpf.c", Path(directory) / object_name(floor), defines)
    for parts, name in enumerate(PARTS, 1):
        found |= bpf_program("parts.bpf.c", Path(directory) / object_name(name),
                             [f"-DPARTS={parts}"])
    loader = Path(directory) / "floor"
    run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", HERE / "guest" / "floor.c",
        "-lbpf", "-lelf", "-lz", "-o", loader)
    return {**found, "floor": loader}


class Progress:
    """Tells people what is being measured, of the output as it comes."""

    def __init__(self):
        self.rest = b""

    def __call__(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"== ") and not line.startswith((b"== out", b"== start")):
                say(line[3:].decode())


def measured(kernel, script, programs=(), modules=(), copies=(), **options):
    """The sections that the script printed, in a guest of its own."""
    with tempfile.TemporaryDirectory() as directory:
        files = {"bench.sh": HERE / "guest" / "bench.sh", **floor_programs(directory),
                 "lm_run": compiled("lm_run", [MEASURE / "lm_run.c"]), **dict(copies)}
        with Guest(kernel, copies=files, programs=["bpftool", *programs], extra_modules=modules,
                   mem="2G", **options) as guest:
            result = guest.start(". /root/bench.sh\n" + script, on_stdout=Progress()).wait(TIMEOUT)
    if result.status:
        raise BenchError(f"on {kernel.name} the measurement ended with {result.status}\n"
                         f"{result.stdout[-2000:]}\n{result.stderr[-3000:]}")
    return rounds.sections(result.stdout)


def per_pair(lines):
    """The median of the rounds after the first, in ns: with icount, in instructions."""
    times = [int(ns) / int(pairs) for pairs, ns in lines[1:]]
    return statistics.median(times)


def pairs_done(lines):
    return sum(int(pairs) for pairs, _ in lines)


def counted_by_lastref(lines, function):
    """{kind: count} at the call sites in that function, of lastref's own document."""
    document = json.loads(" ".join(lines[0]))
    # missed_unknown says that this kernel could not tell: the counts themselves are compared.
    if any(n for what, n in document["losses"].items() if what != "missed_unknown"):
        raise BenchError(f"lastref has lost something: {document['losses']}")
    found = {"get": 0, "put": 0}
    for module in document["modules"]:
        for row in module["call_sites"]:
            if row["call_site"].startswith(function + "+"):
                found[row["kind"]] += row["count"]
    return found


def counted_by_peer(lines):
    """The sum of the counts that bpftrace or ftrace has printed."""
    text = "\n".join(" ".join(words) for words in lines)
    found = re.findall(r"^(?:@.*|.*\]): (\d+)$|hitcount: (\d+)", text, re.M)
    return sum(int(of_bpftrace or of_ftrace) for of_bpftrace, of_ftrace in found)
