# SPDX-License-Identifier: GPL-2.0-only
"""lastref run with unloads that end in a free, against the modules' own counts and the referee.

Its text is in tests/streams/expected: who delayed it, and that no line is too long.
"""

import copy
import subprocess

import jsonschema
import pytest

import tool
import truth
from harness.paths import VM

kernels = "patched"
guest_options = {"load": ["lr_referee"]}
LOADS = 10
AT_ONCE = ["requested", "exit_routine", "freeing"]
ABANDONED = ["requested", "exit_routine", "waiting", "grace_period", "freeing"]
AFTER_PUTS = ["requested", "exit_routine", "grace_period", "freeing"]


def of(doc, module):
    return [u for u in doc["unloads"] if u["module"] == module]


def gone(module):
    return f"while [ -e /sys/module/{module} ]; do usleep 20000; done"


# What ends in a deferred free: the RFC's second example; a file that another task holds; an init that
# fails; puts in interrupt context. What is needed to judge is told on stderr.
DEFERRED = f"""
    echo "last thread: $(grep -lx lr_threads/2 /proc/[0-9]*/comm)" >&2
    rmmod lr_threads; {gone("lr_threads")}
    mkfifo /tmp/close
    sh -c 'exec 5< /dev/lr_file; read line < /tmp/close' &
    echo "holder: $!" >&2
    until grep -qx 'open 1' {truth.DEBUGFS}/lr_file/counters; do usleep 20000; done
    rmmod lr_file; echo > /tmp/close; wait; {gone("lr_file")}
    insmod modules/lr_failinit.ko linger_ms=300 && exit 99
    rmmod lr_refs; {gone("lr_refs")}; {gone("lr_failinit")}; rm /tmp/close
"""


@pytest.fixture(scope="module", params=["tracepoint", "fentry", "kprobe"])
def deferred(guest, request):
    """The document of DEFERRED, watched in each of the ways, and what the script has told."""
    truth.control(guest, "lr_referee", "reset")
    guest.put("/root/deferred.sh", DEFERRED)
    truth.insmod(guest, "lr_threads", "threads=3 linger_ms=300")
    truth.insmod(guest, "lr_file")
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 4 A", "later 1 50 A", "later 3 100 B")
    result = tool.lastref(guest, f"run -j --attach={request.param} -- sh deferred.sh")
    assert result.status == tool.DONE, result.stderr
    doc = tool.one_document(result)
    assert (doc["attach"], doc["command_status"]) == (request.param, 0)
    return doc, dict(line.split(": ") for line in result.stderr.splitlines()
                     if line.startswith(("last thread", "holder")))


def test_threads_that_outlive_the_exit_routine(guest, deferred):
    """The RFC's second example."""
    doc, told = deferred
    last = int(told["last thread"].split("/")[2])
    unload, = of(doc, "lr_threads")
    tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
    assert [unload["outstanding_at_return"]] == truth.outstanding_at_exit(guest, "lr_threads")[-1:]
    assert unload["outstanding_at_return"] == 3
    assert unload["requested_by"]["comm"] == "rmmod"
    assert unload["last_put"]["call_site"].startswith("lr_thread_main+0x")
    assert unload["last_put"]["call_site"].endswith(" [lr_threads]")
    assert (unload["last_put"]["pid"], unload["last_put"]["comm"]) == (last, "lr_threads/2")
    assert [put["comm"] for put in unload["puts"]] == [f"lr_threads/{i}" for i in range(3)]
    assert [put["outstanding"] for put in unload["puts"]] == [2, 1, 0]
    # The last thread leaves 3 * linger_ms after the exit routine's first lines.
    spent = sum(tool.phase(unload, name)["duration_ns"] for name in ("exit_routine", "waiting"))
    assert 900_000_000 < spent < 900_000_000 + tool.NEAR_NS


def test_another_task_holds_the_file(guest, deferred):
    doc, told = deferred
    unload, = of(doc, "lr_file")
    tool.check_freed(guest, unload, "lr_file", tool.DEFERRED)
    assert (unload["last_put"]["pid"], unload["last_put"]["comm"]) == (int(told["holder"]), "sh")
    assert (unload["outstanding_at_return"], len(unload["puts"])) == (1, 1)
    assert truth.outstanding_at_exit(guest, "lr_file")[-1] == 1


def test_a_failed_init(guest, deferred):
    """Its thread outlives it; nobody called delete_module."""
    unload, = of(deferred[0], "lr_failinit")
    assert (unload["outcome"], unload["trigger"]) == ("freed", "init_failed")
    assert tool.names(unload) == ["waiting", "queued", "grace_period", "freeing"]
    tool.check_phases(unload)
    assert unload["requested_ns"] is None
    assert unload["last_put"]["comm"] == "lr_failinit"
    assert unload["last_put"]["call_site"].startswith("lr_failinit_main+0x")
    seen, = truth.wait_freed(guest, "lr_failinit")
    assert abs(int(unload["freed_ns"]) - seen.freed_ns) < tool.NEAR_NS
    assert 0 < tool.phase(unload, "waiting")["duration_ns"] < 300_000_000 + tool.NEAR_NS


def test_a_put_in_interrupt_context(guest, deferred):
    """The task that a timer happened to interrupt is not the one that put."""
    unload, = of(deferred[0], "lr_refs")
    tool.check_freed(guest, unload, "lr_refs", tool.DEFERRED)
    assert [put["call_site"].split("+")[0] for put in unload["puts"]] == \
        ["lr_put_a", "lr_put_b", "lr_put_b", "lr_put_b"]
    assert {put["context"] for put in unload["puts"]} == {"softirq"}
    assert unload["outstanding_at_return"] == 4


def test_lastrefs_own_stdin_pins_the_module(guest):
    """The RFC's first example, rmmod NAME < FILE: whoever kept that file would wait for itself."""
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_file")
    unload, = tool.report(guest, "run -j -- rmmod lr_file < /dev/lr_file")["unloads"]
    tool.check_freed(guest, unload, "lr_file", tool.DEFERRED)
    assert [unload["outstanding_at_return"]] == truth.outstanding_at_exit(guest, "lr_file")[-1:]
    assert unload["outstanding_at_return"] == 1
    assert unload["last_put"]["call_site"].startswith("lr_object_release+0x")
    assert unload["last_put"]["comm"] == "rmmod"
    assert unload["last_put"]["pid"] == unload["requested_by"]["pid"]


@pytest.fixture(scope="module")
def loads(guest, tmp_path_factory):
    """The document of a module that was never used, of one that was but is no more, of a 32-bit
    caller, and of LOADS loads of one name."""
    binary = tmp_path_factory.mktemp("programs") / "delete_module_32"
    subprocess.run(["gcc", "-m32", "-static", "-nostdlib", "-ffreestanding", "-fno-pie", "-no-pie",
                    "-Wall", "-Wextra", "-Werror", "-o", binary,
                    VM / "trace" / "delete_module_32.c"], check=True)
    guest.put("/root/delete_module_32", binary.read_bytes())
    after_return = 300 * guest.kernel.slowness  # ms from the start of the exit routine
    control = f"{truth.DEBUGFS}/lr_refs/control"
    guest.put("/root/loads.sh", f"""set -e
        rmmod lr_slow; rmmod lr_refs
        insmod modules/lr_slow.ko exit_ms=0; chmod +x delete_module_32; ./delete_module_32
        for i in $(seq {LOADS}); do
            insmod modules/lr_refs.ko
            echo get $i > {control}
            echo later $i $(({after_return} + i * 10)) > {control}
            rmmod lr_refs
            {gone("lr_refs")}
        done""")
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "pairs 10")
    doc = tool.report(guest, "run -j -- sh loads.sh", timeout=120)
    assert doc["command_status"] == 0
    return doc


def test_never_used_is_freed_before_the_return(guest, loads):
    unload = of(loads, "lr_slow")[0]
    tool.check_freed(guest, unload, "lr_slow", AT_ONCE, nth=0)
    assert (unload["free_delay_ns"], unload["outstanding_at_return"]) == (0, 0)
    assert unload["last_put"] is None


def test_used_but_all_gone_is_freed_before_the_return(guest, loads):
    unload = of(loads, "lr_refs")[0]
    tool.check_freed(guest, unload, "lr_refs", AFTER_PUTS, nth=0)
    assert (unload["free_delay_ns"], unload["outstanding_at_return"]) == (0, 0)


def test_a_32_bit_caller(loads):
    _, unload = of(loads, "lr_slow")
    assert unload["outcome"] == "freed"
    assert unload["requested_by"]["comm"] == "delete_module_3"  # the kernel cuts it there
    assert tool.names(unload) == AT_ONCE
    tool.check_phases(unload)


def test_ten_loads_of_one_name_are_ten_instances(guest, loads):
    """The address may be the same ten times over, the counts are not."""
    first, *unloads = of(loads, "lr_refs")
    assert [u["generation"] for u in (first, *unloads)] == list(range(1, LOADS + 2))
    assert len({u["instance_id"] for u in (first, *unloads)}) == LOADS + 1
    assert len({u["requested_by"]["pid"] for u in unloads}) == LOADS
    assert len(unloads) == LOADS
    seen = truth.wait_freed(guest, "lr_refs", LOADS + 1)[1:]
    for number, (unload, theirs) in enumerate(zip(unloads, seen), 1):
        assert unload["outcome"] == "freed"
        assert unload["outstanding_at_return"] == number
        assert len(unload["puts"]) == number
        assert abs(int(unload["freed_ns"]) - theirs.freed_ns) < tool.NEAR_NS
        tool.check_phases(unload)


def test_a_broken_document_is_refused(loads):
    """The control of all the validation above."""
    for name in ("schema", "attach", "command_status", "unloads", "losses"):
        broken = copy.deepcopy(loads)
        del broken[name]
        with pytest.raises((jsonschema.ValidationError, AssertionError)):
            tool.validate(broken)
    with pytest.raises(jsonschema.ValidationError):
        tool.validate({**loads, "unloads": [{"module": 5}]})


def test_forced(boot):
    """A boot of its own: a forced unload taints the kernel."""
    guest = boot(load=["lr_referee"])
    guest.put("/root/forced.sh", """set -e
        rmmod -f lr_refs
        insmod modules/lr_threads.ko threads=1 linger_ms=300
        rmmod -f lr_threads""")
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "hget 1", "get 3")
    doc = tool.report(guest, "run -j -- sh forced.sh")
    unload, = of(doc, "lr_refs")
    tool.check_freed(guest, unload, "lr_refs", AFTER_PUTS)
    assert (unload["forced"], unload["abandoned"]) == (True, 3)
    assert truth.outstanding_at_exit(guest, "lr_refs") == [3]
    assert unload["free_delay_ns"] == 0
    # Only soft references: force was asked for, but the kernel had no use for it.
    unload, = of(doc, "lr_threads")
    tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
    assert (unload["forced"], unload["abandoned"]) == (False, 0)

    # A leak: the first unload waits, and a second one, by force, ends that.
    truth.insmod(guest, "lr_leak")
    truth.control(guest, "lr_leak", "leak 3")
    guest.put("/root/leaked.sh", f"rmmod lr_leak && rmmod -f lr_leak; {gone('lr_leak')}")
    waited, force = tool.report(guest, "run -j -- sh leaked.sh")["unloads"]
    tool.check_freed(guest, waited, "lr_leak", ABANDONED, nth=0)
    assert (waited["forced"], waited["abandoned"]) == (False, 3)
    assert waited["abandoned_by"] == force["requested_by"]
    assert (force["outcome"], force["forced"], force["abandoned"]) == ("freed", True, 3)
    assert (force["complete"], force["free_delay_ns"]) == (True, 0)
    assert tool.names(force) == ["requested", "grace_period", "freeing"]
    assert "lr_leak: forced unload abandons 3 soft reference" in guest.check("dmesg")
