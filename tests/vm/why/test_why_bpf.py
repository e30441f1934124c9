# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: BPF programs and links, and perf events, that hold a module."""

from types import SimpleNamespace

import pytest

import why
from harness.paths import VM, run

kernels = "all"
PROGRAMS = VM / "why"
PIN = "/sys/fs/bpf/held"


@pytest.fixture(scope="module")
def guest(boot, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bpf")
    copies = {"why_bpf": folder / "why_bpf"}
    run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-static", "-s", "-o",
        copies["why_bpf"], PROGRAMS / "why_bpf.c", "-lbpf", "-lelf", "-lz")
    for name in ("FENTRY", "TRACEPOINT", "MULTI"):
        copies[f"{name}.o"] = folder / f"{name}.o"
        run("clang", "-target", "bpf", "-O2", "-g", f"-D{name}", "-idirafter",
            "/usr/include/x86_64-linux-gnu", "-c", PROGRAMS / "why_bpf.bpf.c", "-o",
            copies[f"{name}.o"])
    guest = boot(copies=copies)
    guest.check("mkdir -p /sys/fs/bpf; mount -t bpf none /sys/fs/bpf || true; "
                "mount -t tracefs none /sys/kernel/tracing || true; modprobe tun; modprobe sunrpc")
    return guest


def explained(guest, module, refs):
    """The document; the module must have so many references, all of them explained."""
    doc = why.explained(guest, module, refs)
    assert doc["not_examined"] == [], why.brief(doc)
    return doc


def holder(doc, name):
    """The only holder of a program of that name."""
    found, = [h for h in why.pinning(doc) if name in h["detail"]]
    assert found["kind"] in ("bpf_prog", "bpf_link")
    return found


PROGRAMS_OF = {"tun": {"FENTRY": "held_entry", "MULTI": "held_multi"},
               "sunrpc": {"TRACEPOINT": "held_tp"}}


@pytest.fixture(scope="module")
def held(guest, kernel, keep):
    """Programs of both modules, first pinned, then open in processes; and the documents of that.
    A tracepoint of sunrpc is open for perf all the time."""
    programs = {module: [name for name in names if name != "MULTI" or kernel.series != "6.1"]
                for module, names in PROGRAMS_OF.items()}
    refs = {"tun": len(programs["tun"]), "sunrpc": 2}
    number = guest.check("cat /sys/kernel/tracing/events/sunrpc/rpc_task_begin/id").strip()
    names = [name for of_module in programs.values() for name in of_module]
    for name in names:
        guest.check(f"./why_bpf {name}.o {PIN}_{name}")
    perf = keep(f"tracepoint {number}")
    out = SimpleNamespace(perf=perf.pid)
    out.pinned = {module: explained(guest, module, refs[module]) for module in programs}
    holding = [perf, *(keep(f"bpf {PIN}_{name}") for name in names)]
    out.pids = {name: one.pid for name, one in zip(names, holding[1:], strict=True)}
    guest.check(f"rm {PIN}_*")
    out.open = {module: explained(guest, module, refs[module]) for module in programs}
    yield out
    for one in holding:
        one.end()
    for module in programs:  # BPF gives back what it has a moment later
        why.unused(guest, module)


@pytest.mark.parametrize("program, module, why_it_holds", [
    ("FENTRY", "tun", "of its functions"),
    ("TRACEPOINT", "sunrpc", "attached to one of its tracepoints"),
    ("MULTI", "tun", "kprobe.multi"),
])
def test_a_program(kernel, held, program, module, why_it_holds):
    if program == "MULTI" and kernel.series == "6.1":
        pytest.skip("kprobe.multi holds modules from 6.3 on (commit e22061b2d309)")
    name = PROGRAMS_OF[module][program]
    pinned = holder(held.pinned[module], name)
    assert "pid" not in pinned
    assert why_it_holds in pinned["detail"]
    assert "no process has it open" in pinned["detail"]
    pid = held.pids[program]
    owned = holder(held.open[module], name)
    assert (owned["pid"], owned["comm"], owned["shared_by"]) == (pid, "keeper", [])
    assert f"keeper[{pid}]" in held.open[module]["verdict"]


def test_a_tracepoint_that_is_open_for_perf(held):
    for doc in (held.pinned["sunrpc"], held.open["sunrpc"]):
        found, = [h for h in doc["holders"] if h["kind"] == "open_file"]
        assert (found["pid"], found["path"]) == (held.perf, "anon_inode:[perf_event]")


def test_what_to_do_is_to_end_the_processes(held):
    for module, programs in PROGRAMS_OF.items():
        kill, = held.open[module]["next"]
        pids = [held.pids[name] for name in programs if name in held.pids]
        assert sorted(kill.split()) == sorted(
            map(str, ["kill", *pids, *([held.perf] if module == "sunrpc" else [])]))
