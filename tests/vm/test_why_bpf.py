# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: BPF programs and links, and perf events, that hold a module."""

import json

import pytest

import tool
import truth
from harness.paths import HARNESS, run

kernels = "all"
PROGRAMS = HARNESS.parent / "programs"
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


def why(guest, module, refs):
    """The document; the module must have so many references, all of them explained."""
    assert int(truth.sysfs(guest, module, "refcnt")) == refs
    result = tool.lastref(guest, f"why -j {module}")
    assert result.status == (tool.OUTSTANDING if refs else tool.DONE), result.stderr
    doc = json.loads(result.stdout)
    assert doc["hard"] == {"refs": refs, "explained": refs, "unexplained": 0}
    assert doc["not_examined"] == []
    return doc


def holder(doc, *kinds):
    """The only holder that pins; it is of one of these kinds."""
    found, = [h for h in doc["holders"] if h["pins"] == "yes"]
    assert found["kind"] in kinds
    assert found["evidence"] == "proven"
    return found


@pytest.fixture
def load(guest):
    def load_one(name):
        guest.check(f"./why_bpf {name}.o {PIN}")
    yield load_one
    guest.run(f"rm -f {PIN}")


def wait_unheld(guest, module):
    """BPF gives back what it has a moment later."""
    guest.check(f"while [ $(cat /sys/module/{module}/refcnt) != 0 ]; do usleep 20000; done")
    why(guest, module, 0)


@pytest.mark.parametrize("program, module, name, why_it_holds", [
    ("FENTRY", "tun", "held_entry", "of its functions"),
    ("TRACEPOINT", "sunrpc", "held_tp", "attached to one of its tracepoints"),
    ("MULTI", "tun", "held_multi", "kprobe.multi"),
])
def test_a_program(guest, kernel, load, program, module, name, why_it_holds):
    if program == "MULTI" and kernel.series == "6.1":
        pytest.skip("kprobe.multi holds modules from 6.3 on (commit e22061b2d309)")
    why(guest, module, 0)
    load(program)
    pinned = holder(why(guest, module, 1), "bpf_prog", "bpf_link")
    assert "pid" not in pinned
    assert name in pinned["detail"] and why_it_holds in pinned["detail"]
    assert "no process has it open" in pinned["detail"]
    job = guest.start(["./why_bpf", PIN])
    job.wait_for(r"^open \d+$", "stdout")
    guest.check(f"rm {PIN}")
    doc = why(guest, module, 1)
    owned = holder(doc, "bpf_prog", "bpf_link")
    pid = int(guest.check("pidof why_bpf"))
    assert (owned["pid"], owned["comm"], owned["shared_by"]) == (pid, "why_bpf", [])
    assert f"why_bpf[{pid}]" in doc["verdict"]
    assert doc["next"] == [f"kill {pid}"]
    guest.check(f"kill {pid}")
    wait_unheld(guest, module)


def test_a_tracepoint_that_is_open_for_perf(guest):
    number = guest.check("cat /sys/kernel/tracing/events/sunrpc/rpc_task_begin/id").strip()
    job = guest.start(["./why_bpf", number])
    job.wait_for(r"^open \d+$", "stdout")
    pid = int(guest.check("pidof why_bpf"))
    found = holder(why(guest, "sunrpc", 1), "open_file")
    assert (found["pid"], found["path"]) == (pid, "anon_inode:[perf_event]")
    guest.check(f"kill {pid}")
    wait_unheld(guest, "sunrpc")
