# SPDX-License-Identifier: GPL-2.0-only
"""What happens to lastref, or to its machine, while it watches: it is stopped for a while, the clock
is set, a processor goes and comes, the module comes and goes."""

import json
import re

import pytest

import tool
import truth
import why

kernels = ["6.12"]
guest_options = {"load": ["lr_referee"]}

CPU1 = "/sys/devices/system/cpu/cpu1/online"
THREADS = f"insmod {truth.MODULES}/lr_threads.ko threads=2 linger_ms=300"


@pytest.fixture(autouse=True)
def refs(guest):
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")
    assert guest.splats() == []


def stop(guest):
    """Stops lastref alone; returns the command that lets it go on."""
    pid = guest.check("pidof lastref").strip()
    guest.check(f"kill -STOP {pid}; until grep -q '^State:.T' /proc/{pid}/status; do :; done")
    return f"kill -CONT {pid}"


def exact(guest, job):
    """Ends a `refs` of lr_refs and holds its counts against the module's own."""
    doc = tool.one_document(tool.finish(job))
    counted = truth.counters(guest, "lr_refs")
    for kind in ("get", "put"):
        seen = tool.sites(tool.only_module(doc, "lr_refs"), kind)
        assert {name: row["count"] for name, row in seen.items()} == {
            f"lr_{kind}_{letter}": counted[f"{kind}.{letter.upper()}"] for letter in "abc"}
    assert counted["get"] > 0
    assert not any(doc["losses"].values()), doc["losses"]


def unload(guest, doc):
    """The only unload, which must be what the referee saw."""
    one, = [u for u in doc["unloads"] if u["module"] == "lr_threads"]
    tool.check_freed(guest, one, "lr_threads", tool.DEFERRED)
    return one


def test_counting_while_stopped(guest):
    job = tool.start(guest, "refs -j lr_refs")
    go_on = stop(guest)
    truth.control(guest, "lr_refs", "mix 3000")
    assert job.stdout_so_far == ""  # the control
    guest.check(f"sleep 2; {go_on}")
    exact(guest, job)


def test_recording_while_stopped(guest):
    job = tool.start(guest, "record -o /tmp/stopped")
    go_on = stop(guest)
    size = guest.check("stat -c %s /tmp/stopped")
    guest.check(f"{THREADS}; rmmod lr_threads")
    truth.wait_freed(guest, "lr_threads")
    assert guest.check("stat -c %s /tmp/stopped") == size  # the control
    guest.check(f"sleep 2; {go_on}")
    tool.finish(job)
    unload(guest, tool.one_document(tool.lastref(guest, "report -j /tmp/stopped")))


def test_the_clock_is_set(guest):
    """Delays do not change, and times of day are those of the clock as it was at the start."""
    guest.check(THREADS)
    day = int(guest.check("date +%s"))
    trace = tool.start(guest, "trace -T lr_threads")
    record = tool.start(guest, "record -o /tmp/clock")
    doc = tool.report(guest, "run -j -- sh -c 'date -s @$(( $(date +%s) + 3600 )) && rmmod "
                      "lr_threads && date -s @$(( $(date +%s) - 7200 ))'")
    assert int(guest.check("date +%s")) < day - 3000  # the control
    guest.check(f"date -s @{day + 10}")
    tool.finish(trace)
    tool.finish(record)
    recorded = tool.one_document(tool.lastref(guest, "report -j /tmp/clock"))
    assert unload(guest, doc)["free_delay_ns"] == pytest.approx(
        unload(guest, recorded)["free_delay_ns"], abs=tool.NEAR_NS)
    hours = re.findall(r"^\s*\S+T(\d\d:\d\d:\d\d\.\d+)Z", trace.stdout_so_far, re.M)
    assert len(hours) >= 5 and hours == sorted(hours), trace.stdout_so_far
    first, last = (sum(60**i * float(n) for i, n in enumerate(reversed(h.split(":"))))
                   for h in (hours[0], hours[-1]))
    assert last - first < 60 * guest.kernel.slowness


def test_a_processor_goes_and_comes(guest):
    guest.check(f"grep -q 1 {CPU1}")
    job = tool.start(guest, "refs -j lr_refs")
    traffic = guest.start(f"for i in 1 2 3 4; do for s in A B C; do echo pairs 5000 $s > "
                          f"{truth.DEBUGFS}/lr_refs/control; done; done")
    guest.check(f"for i in 1 2 3; do echo 0 > {CPU1}; grep -c ^processor /proc/cpuinfo; "
                f"echo 1 > {CPU1}; done")
    assert traffic.wait().status == 0
    guest.check(f"echo 0 > {CPU1}")
    truth.control(guest, "lr_refs", "pairs 100 A")
    exact(guest, job)
    job = tool.start(guest, "refs -j lr_refs")  # begun with one of two
    before = truth.counters(guest, "lr_refs")["get.B"]
    guest.check(f"echo 1 > {CPU1}")
    guest.check(f"taskset 2 sh -c 'echo pairs 500 B > {truth.DEBUGFS}/lr_refs/control'")
    doc = tool.one_document(tool.finish(job))
    seen = tool.sites(tool.only_module(doc, "lr_refs"))
    assert seen["lr_get_b"]["count"] == truth.counters(guest, "lr_refs")["get.B"] - before == 500


def test_the_module_comes_and_goes_while_why_looks(guest):
    """Each answer is of one load of the module, or that there is none."""
    churn = guest.start(f"while [ ! -e /tmp/enough ]; do {THREADS} && rmmod lr_threads; done")
    seen = []
    for _ in range(4):
        result = tool.lastref(guest, "why -j lr_threads")
        assert result.status in (tool.DONE, tool.OUTSTANDING, tool.REFUSED), result.stderr
        doc = tool.validate(json.loads(result.stdout))
        why.consistent(doc)
        assert (result.status == tool.REFUSED) == (doc["state"] == "not_loaded"), why.brief(doc)
        seen.append(doc["state"])
    guest.check("touch /tmp/enough")
    churn.wait()
    assert set(seen) - {"not_loaded"}, seen  # the control: it was there to be seen
    guest.check("rm /tmp/enough")


def test_modules_come_and_go_while_it_attaches(guest):
    """Of what is seen nothing is left out that is not said to be."""
    churn = guest.start(f"while [ ! -e /tmp/enough ]; do insmod {truth.MODULES}/lr_slow.ko exit_ms=0 "
                        "&& rmmod lr_slow; done")
    for name in ("/tmp/first", "/tmp/second"):
        job = tool.start(guest, f"record -o {name}")
        guest.check("sleep 2")
        tool.finish(job)
        doc = json.loads(tool.lastref(guest, f"report -j {name}").stdout)
        unloads = doc["unloads"]
        assert len(unloads) > 2  # the control
        for unload_seen in unloads[1:-1]:
            assert unload_seen["complete"] and unload_seen["outcome"] == "freed", unload_seen
        for unload_seen in (unloads[0], unloads[-1]):
            assert unload_seen["complete"] or unload_seen["incomplete"], unload_seen
    guest.check("touch /tmp/enough")
    churn.wait()
    guest.check("rm /tmp/enough")
