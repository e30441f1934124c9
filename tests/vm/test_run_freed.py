# SPDX-License-Identifier: GPL-2.0-only
"""lastref run with unloads that end in a free, against the modules' own counts and the referee."""

import copy
import subprocess

import jsonschema
import pytest

import tool
import truth
from harness.paths import HARNESS

kernels = "patched"
guest_options = {"load": ["lr_referee"]}
every = pytest.mark.parametrize("attach", ["tracepoint", "fentry", "kprobe"])


@pytest.fixture(autouse=True)
def fresh_referee(guest):
    truth.control(guest, "lr_referee", "reset")


def task_pid(guest, comm):
    return int(guest.check(f"grep -lx '{comm}' /proc/[0-9]*/comm").split("/")[2])


@every
def test_threads_that_outlive_the_exit_routine(guest, attach):
    """The RFC's second example."""
    truth.insmod(guest, "lr_threads", "threads=3 linger_ms=300")
    last = task_pid(guest, "lr_threads/2")
    doc = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_threads")
    assert (doc["attach"], doc["command_status"]) == (attach, 0)
    unload, = doc["unloads"]
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


@every
def test_lastrefs_own_stdin_pins_the_module(guest, attach):
    """The RFC's first example, rmmod NAME < FILE: whoever kept that file would wait for itself."""
    truth.insmod(guest, "lr_file")
    doc = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_file < /dev/lr_file")
    unload, = doc["unloads"]
    tool.check_freed(guest, unload, "lr_file", tool.DEFERRED)
    assert [unload["outstanding_at_return"]] == truth.outstanding_at_exit(guest, "lr_file")[-1:]
    assert unload["outstanding_at_return"] == 1
    assert unload["last_put"]["call_site"].startswith("lr_object_release+0x")
    assert unload["last_put"]["comm"] == "rmmod"
    assert unload["last_put"]["pid"] == unload["requested_by"]["pid"]


@every
def test_another_task_holds_the_file(guest, attach):
    truth.insmod(guest, "lr_file")
    holder = guest.start("exec 5< /dev/lr_file; echo $$; read line", stdin=b"")
    pid = int(holder.wait_for(r"^(\d+)$", "stdout")[1])
    job = guest.start(f"lastref run -j --attach={attach} -- rmmod lr_file")
    guest.check("until grep -q '^lr_file .* Unloading ' /proc/modules; do usleep 20000; done")
    holder.close_stdin()
    result = job.wait()
    assert result.status == tool.DONE, result.stderr
    unload, = tool.one_document(result)["unloads"]
    tool.check_freed(guest, unload, "lr_file", tool.DEFERRED)
    assert (unload["last_put"]["pid"], unload["last_put"]["comm"]) == (pid, "sh")
    assert (unload["outstanding_at_return"], len(unload["puts"])) == (1, 1)


@every
def test_a_failed_init(guest, attach):
    """Its thread outlives it; nobody called delete_module."""
    doc = tool.report(guest, f"run -j --attach={attach} -- "
                             f"insmod {truth.MODULES}/lr_failinit.ko linger_ms=300")
    assert doc["command_status"] == 1
    unload, = doc["unloads"]
    assert (unload["module"], unload["trigger"]) == ("lr_failinit", "init_failed")
    assert unload["outcome"] == "freed"
    assert tool.names(unload) == ["waiting", "queued", "grace_period", "freeing"]
    tool.check_phases(unload)
    assert unload["requested_ns"] is None
    assert unload["last_put"]["comm"] == "lr_failinit"
    assert unload["last_put"]["call_site"].startswith("lr_failinit_main+0x")
    seen, = truth.wait_freed(guest, "lr_failinit")
    assert abs(int(unload["freed_ns"]) - seen.freed_ns) < tool.NEAR_NS
    assert 0 < tool.phase(unload, "waiting")["duration_ns"] < 300_000_000 + tool.NEAR_NS


def test_never_used_is_freed_before_the_return(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    unload, = tool.report(guest, "run -j -- rmmod lr_slow")["unloads"]
    tool.check_freed(guest, unload, "lr_slow", ["requested", "exit_routine", "freeing"])
    assert (unload["free_delay_ns"], unload["outstanding_at_return"]) == (0, 0)
    assert unload["last_put"] is None


def test_used_but_all_gone_is_freed_before_the_return(guest):
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "pairs 10")
    unload, = tool.report(guest, "run -j -- rmmod lr_refs")["unloads"]
    tool.check_freed(guest, unload, "lr_refs",
                     ["requested", "exit_routine", "grace_period", "freeing"])
    assert (unload["free_delay_ns"], unload["outstanding_at_return"]) == (0, 0)


@every
def test_a_put_in_interrupt_context(guest, attach):
    """The task that a timer happened to interrupt is not the one that put."""
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 4 A", "later 1 50 A", "later 3 100 B")
    unload, = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_refs")["unloads"]
    tool.check_freed(guest, unload, "lr_refs", tool.DEFERRED)
    assert [put["call_site"].split("+")[0] for put in unload["puts"]] == \
        ["lr_put_a", "lr_put_b", "lr_put_b", "lr_put_b"]
    assert {put["context"] for put in unload["puts"]} == {"softirq"}
    assert unload["outstanding_at_return"] == 4


def test_a_32_bit_caller(guest, tmp_path):
    binary = tmp_path / "delete_module_32"
    subprocess.run(["gcc", "-m32", "-static", "-nostdlib", "-ffreestanding", "-fno-pie", "-no-pie",
                    "-Wall", "-Wextra", "-Werror", "-o", binary,
                    HARNESS.parent / "programs" / "delete_module_32.c"], check=True)
    guest.put("/root/delete_module_32", binary.read_bytes())
    guest.check("chmod +x delete_module_32")
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    doc = tool.report(guest, "run -j -- ./delete_module_32")
    assert doc["command_status"] == 0
    unload, = doc["unloads"]
    assert (unload["module"], unload["outcome"]) == ("lr_slow", "freed")
    assert unload["requested_by"]["comm"] == "delete_module_3"  # the kernel cuts it there
    assert tool.names(unload) == ["requested", "exit_routine", "freeing"]
    tool.check_phases(unload)


def test_ten_loads_of_one_name_are_ten_instances(guest):
    """The address may be the same ten times over, the counts are not."""
    loads = 10
    after_return = 300 * guest.kernel.slowness  # ms from the start of the exit routine
    guest.put("/root/ten.sh", f"""for i in $(seq {loads}); do
            insmod {truth.MODULES}/lr_refs.ko
            echo get $i > {truth.DEBUGFS}/lr_refs/control
            echo later $i $(({after_return} + i * 10)) > {truth.DEBUGFS}/lr_refs/control
            rmmod lr_refs
            while [ -e /sys/module/lr_refs ]; do usleep 10000; done
        done""")
    doc = tool.report(guest, "run -j -- sh ten.sh", timeout=120)
    assert len(doc["unloads"]) == loads
    assert [u["generation"] for u in doc["unloads"]] == list(range(1, loads + 1))
    assert len({u["instance_id"] for u in doc["unloads"]}) == loads
    assert len({u["requested_by"]["pid"] for u in doc["unloads"]}) == loads
    for number, (unload, seen) in enumerate(
            zip(doc["unloads"], truth.wait_freed(guest, "lr_refs", loads)), 1):
        assert unload["outcome"] == "freed"
        assert unload["outstanding_at_return"] == number
        assert len(unload["puts"]) == number
        assert abs(int(unload["freed_ns"]) - seen.freed_ns) < tool.NEAR_NS
        tool.check_phases(unload)


def test_forced(boot):
    """A boot of its own: a forced unload taints the kernel."""
    guest = boot(load=["lr_referee"])
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "hget 1", "get 3")
    unload, = tool.report(guest, "run -j -- rmmod -f lr_refs")["unloads"]
    tool.check_freed(guest, unload, "lr_refs",
                     ["requested", "exit_routine", "grace_period", "freeing"])
    assert (unload["forced"], unload["abandoned"]) == (True, 3)
    assert truth.outstanding_at_exit(guest, "lr_refs") == [3]
    assert unload["free_delay_ns"] == 0
    # Only soft references: force was asked for, but the kernel had no use for it.
    truth.insmod(guest, "lr_threads", "threads=1 linger_ms=300")
    unload, = tool.report(guest, "run -j -- rmmod -f lr_threads")["unloads"]
    tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
    assert (unload["forced"], unload["abandoned"]) == (False, 0)


def test_the_text_names_who_delayed_it(guest):
    truth.insmod(guest, "lr_threads", "threads=2 linger_ms=300")
    result = tool.lastref(guest, "run -- rmmod lr_threads")
    assert result.status == tool.DONE, result.stderr
    first = result.stdout.splitlines()[0]
    assert first.startswith("lr_threads was freed ") and "lr_threads/1[" in first
    assert "lr_thread_main+0x" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_broken_document_is_refused(guest):
    """The control of all the validation above."""
    doc = tool.report(guest, "run -j -- true")
    assert doc["unloads"] == []
    for name in ("schema", "attach", "command_status", "unloads", "losses"):
        broken = copy.deepcopy(doc)
        del broken[name]
        with pytest.raises((jsonschema.ValidationError, AssertionError)):
            tool.validate(broken)
    with pytest.raises(jsonschema.ValidationError):
        tool.validate({**doc, "unloads": [{"module": 5}]})
