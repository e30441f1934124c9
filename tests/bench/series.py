# SPDX-License-Identifier: GPL-2.0-only
"""How the cost of a pair grows with call sites, modules and outstanding references; what a load and
an unload cost; and one comparison by the clock on two processors."""

import tempfile
from pathlib import Path

import guests
from guests import BenchError, rounds
from harness import modules
from harness.paths import run
from pairs import BOTH

COPIES = 256
TEMPLATE = "lb_copy_000"
BY_STACK = f"'{BOTH} {{ @[kstack] = count(); }}'"
SUBJECTS = ("lm_plain", "lm_soft")  # what is loaded and unloaded: without and with a reference
MODES = ("tracepoint", "fentry", "kprobe")
KINDS = ("call_sites", "modules", "outstanding")
PAIRS = 8192  # in a round, with references outstanding
MIXED = 20000  # pairs in a round on two processors


def copies(module, directory):
    """Many modules out of one: the name stands in its .ko, as often as it does, in one length."""
    plain = Path(directory) / "plain.ko"
    run("strip", "--strip-debug", "-o", plain, module)
    code = plain.read_bytes()
    for i in range(COPIES):
        name = f"lb_copy_{i:03}"
        target = Path(directory) / f"{name}.ko"
        target.write_bytes(code.replace(TEMPLATE.encode(), name.encode()))
        yield target


def series_script():
    lines = ["cd /root/modules", "insmod lr_refs.ko", "insmod lb_sites.ko",
             "for m in lb_copy_*.ko; do insmod $m; done",
             f"loop=bench pairs={PAIRS} prefix=untraced untraced start all_series"]
    lines += [f"loop=bench pairs={PAIRS} prefix={mode} lastref_refs {mode} all_series "
              f"-n 1 --attach={mode}" for mode in MODES]
    return "\n".join(lines) + "\n"


def flatness(kernel, found):
    """[{series, kernel, name, over_untraced: [[n, instructions]]}]"""
    result = []
    for kind in KINDS:
        points = [int(name.split()[-1]) for name in found if name.startswith(f"untraced {kind} ")]
        for mode in MODES:
            cost = [[n, round(guests.per_pair(found[f"{mode} {kind} {n}"])
                              - guests.per_pair(found[f"untraced {kind} {n}"]), 1)]
                    for n in points]
            result.append({"series": kind, "kernel": kernel.name, "name": f"lastref {mode}",
                           "over_untraced": cost})
    return result


def loads(kernel, found):
    """What insmod and rmmod take of the processor, in instructions."""
    result = []
    for tracer in ("untraced", *MODES):
        for module in SUBJECTS:
            times = [(int(load), int(unload)) for _, load, unload in
                     found[f"{tracer} loads {module}"]]
            result.append({"kernel": kernel.name, "name": tracer, "module": module,
                           **{what: rounds.spread(values)["median"]
                              for what, values in zip(("insmod", "rmmod"), zip(*times))}})
    return result


def measure(kernel):
    """(the series, the loads), of one boot."""
    built = {m.stem: m for directory in (guests.HERE, guests.MEASURE)
             for m in modules.built(kernel, directory / "modules")}
    with tempfile.TemporaryDirectory() as directory:
        many = list(copies(built[TEMPLATE], directory))
        found = guests.measured(kernel, series_script(), icount=True, modules=[
            built["lb_sites"], *many, *(built[name] for name in SUBJECTS)])
    return flatness(kernel, found), loads(kernel, found)


def by_the_clock(kernel):
    """How many times as long as untraced pairs take on two processors at once: only a ratio."""
    tracers = {"lastref tracepoint": ("lastref_refs", "--attach=tracepoint lr_refs"),
               "bpftrace by stack": ("bpftrace_runs", BY_STACK)}
    lines = ["insmod /root/modules/lr_refs.ko", f"pairs={MIXED}"]
    for turn in range(3):
        lines.append(f"prefix='untraced {turn}' untraced start contended")
        lines += [f"prefix='{name} {turn}' {how} '{name} {turn}' contended {what}"
                  for name, (how, what) in tracers.items()]
    found = guests.measured(kernel, "\n".join(lines) + "\n", smp=2, programs=["bpftrace"])

    def shortest(name):
        """A busy host only ever adds."""
        return min(int(us) for turn in range(3) for _, us in found[f"{name} {turn} contended"][1:])

    untraced = shortest("untraced")
    if untraced <= 0:
        raise BenchError("the clock of the guest stands still")
    return [{"kernel": kernel.name, "name": name, "processors": 2,
             "times_untraced": round(shortest(name) / untraced, 2)} for name in tracers]
