# SPDX-License-Identifier: GPL-2.0-only
"""lastref killed, lastref twice at once, and what the kernel looks like meanwhile and after."""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {"load": ["lr_referee"]}

@pytest.fixture(autouse=True)
def refs(guest):
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")


def kill(guest, job):
    """SIGKILL to lastref alone, not to its command."""
    guest.check("kill -9 $(pidof lastref)")
    assert job.wait().status == 137


def works(guest):
    """A new lastref, and a kernel that is well."""
    truth.insmod(guest, "lr_threads", "threads=2 linger_ms=300")
    unload, = tool.report(guest, "run -j -- rmmod lr_threads")["unloads"]
    tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
    assert unload["outstanding_at_return"] == 2
    assert guest.splats() == []


def test_killed_in_a_flood_of_events(guest):
    before = truth.attached(guest)
    job = tool.start(guest, "trace -j --attach=tracepoint lr_refs")
    flood = guest.start(f"for i in 1 2 3 4 5 6 7 8; do echo mix 4000 > "
                        f"{truth.DEBUGFS}/lr_refs/control; done")
    job.wait_for('"event":"soft_put"', "stdout")
    assert len(truth.attached(guest)) > len(before) + 5  # the control: it can be seen
    kill(guest, job)
    truth.wait_detached(guest, before)
    assert flood.wait().status == 0
    counted = truth.counters(guest, "lr_refs")
    assert counted["get"] == counted["put"] == 8 * 3 * 4000
    assert truth.sysfs(guest, "lr_refs", "soft_refcnt") == "0"


def test_killed_while_an_unload_waits(guest, keep):
    before = truth.attached(guest)
    truth.insmod(guest, "lr_file")
    file = keep("open_r /dev/lr_file")
    job = tool.start(guest, "run --attach=kprobe -- rmmod lr_file")
    guest.check("until grep -q '^lr_file .* Unloading ' /proc/modules; do usleep 20000; done")
    assert len(truth.attached(guest)) > len(before) + 5
    kill(guest, job)
    truth.wait_detached(guest, before)
    assert truth.sysfs(guest, "lr_file", "soft_refcnt") == "1"
    file.end()
    truth.wait_freed(guest, "lr_file")


def test_killed_in_the_exit_routine(guest):
    """The command goes on: it is its user's, not lastref's."""
    before = truth.attached(guest)
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    job = tool.start(guest, "run -- rmmod lr_slow")
    guest.check("until grep -q '^lr_slow .* Unloading ' /proc/modules; do usleep 20000; done")
    kill(guest, job)
    assert truth.proc_modules(guest, "lr_slow")[4] == "Unloading"
    guest.check("echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    seen, = truth.wait_freed(guest, "lr_slow")
    assert seen.ret == 0
    truth.wait_detached(guest, before)
    works(guest)


def test_two_count_at_once(guest):
    jobs = [tool.start(guest, "refs -j lr_refs") for _ in range(2)]
    truth.control(guest, "lr_refs", "mix 3000", "pairs 500 B")
    for job in jobs:
        doc = tool.one_document(tool.finish(job))
        module = tool.only_module(doc, "lr_refs")
        counted = truth.counters(guest, "lr_refs")
        for kind in ("get", "put"):
            assert {name: row["count"] for name, row in tool.sites(module, kind).items()} == {
                f"lr_{kind}_{letter}": counted[f"{kind}.{letter.upper()}"] for letter in "abc"}


def test_two_follow_one_unload(guest, tmp_path):
    truth.insmod(guest, "lr_threads", "threads=3 linger_ms=300")
    first = tool.start(guest, "record -o /tmp/first --attach=tracepoint")
    second, = tool.report(guest, "run -j --attach=kprobe -- rmmod lr_threads")["unloads"]
    tool.finish(first)
    (tmp_path / "first").write_bytes(guest.get("/tmp/first"))
    other, = tool.parse(tool.here("report", "-j", tmp_path / "first").stdout)["unloads"]
    for unload in (second, other):
        tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
        assert unload["outstanding_at_return"] == 3
        assert [p["comm"] for p in unload["puts"]] == [f"lr_threads/{i}" for i in range(3)]
    assert second["instance_id"] == other["instance_id"]


def test_another_comes_and_goes_in_the_middle_of_an_unload(guest):
    """Whenever fexit programs come or go, the kernel runs none for the calls that are on their way.
    """
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    job = tool.start(guest, "run -j -- rmmod lr_slow")
    guest.check("until grep -q '^lr_slow .* Unloading ' /proc/modules; do usleep 20000; done")
    tool.finish(tool.start(guest, "refs -j lr_refs"))
    guest.check("echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    unload, = tool.one_document(job.wait())["unloads"]
    assert unload["complete"] is True, unload["incomplete"]
    seen, = truth.wait_freed(guest, "lr_slow")
    assert abs(int(unload["returned_ns"]) - seen.returned_ns) < tool.NEAR_NS


@pytest.mark.parametrize("arguments, signal", [
    ("refs -j", "TERM"), ("record -o /tmp/unchanged --attach=kprobe", "INT")])
def test_watching_changes_no_reference_and_loads_no_module(guest, arguments, signal):
    """And an orderly end leaves nothing attached."""
    before, attached = truth.module_list(guest), truth.attached(guest)
    job = tool.start(guest, arguments)
    during = truth.module_list(guest)
    job.signal(signal)
    result = job.wait()
    assert result.status == tool.DONE, result.stderr
    assert len(tool.documents(result.stdout)) == ("-j" in arguments)
    assert before == during == truth.module_list(guest)
    truth.wait_detached(guest, attached)


def test_nor_do_commands_that_end_by_themselves(guest):
    before = truth.module_list(guest)
    seen = tool.lastref(guest, "run -q -- sh -c \"cut -d' ' -f1,3,4,5 /proc/modules\"").stdout
    assert seen.startswith(before.split("/sys/")[0])
    for arguments in ("-j", "doctor"):
        assert tool.lastref(guest, arguments).status == tool.DONE
    assert truth.module_list(guest) == before


def test_a_reference_taken_by_watching_would_be_seen(guest, keep):
    """The control: a watcher that keeps one of the module's own files open."""
    before = truth.module_list(guest)
    file = keep(f"open_r {truth.DEBUGFS}/lr_refs/counters")
    during = truth.module_list(guest)
    file.end()
    assert during != before
    assert "lr_refs/refcnt:1" in during
    assert truth.module_list(guest) == before
