# SPDX-License-Identifier: GPL-2.0-only
"""What happens to lastref, or to its machine, while it watches: it is stopped for a while, the clock
is set, a processor goes and comes, modules come and go under it. Whatever it was, nothing stays
attached."""

import contextlib
import re

import pytest

import tool
import truth
import why
from harness import exporter

kernels = ["6.12"]
guest_options = {"load": ["lr_referee"], "lastref": "lastref"}  # with its exporter

CPU1 = "/sys/devices/system/cpu/cpu1/online"
THREADS = f"insmod {truth.MODULES}/lr_threads.ko threads=2 linger_ms=300"
SLOW = f"insmod {truth.MODULES}/lr_slow.ko exit_ms=0"


@pytest.fixture(autouse=True)
def attached_before(guest):
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_refs")
    before = truth.attached(guest)
    yield before
    left = guest.run("pidof lastref").stdout.strip()
    # What a test that failed has left is not to fail the next one.
    guest.run(f"kill -9 {left}; echo 1 > {CPU1}")
    truth.wait_detached(guest, before)
    guest.check("rmmod lr_refs")
    assert guest.splats() == []
    assert left == ""


@contextlib.contextmanager
def coming_and_going(guest, insmod, module):
    """A module is loaded and unloaded over and over. It may still be there when rmmod has returned;
    to have insmod refused again and again until it is gone would only take the processors."""
    churn = guest.start(f"until [ -e /tmp/enough ]; do {insmod} && rmmod {module}; "
                        f"while [ -e /sys/module/{module} ]; do usleep 20000; done; "
                        "done 2> /dev/null")
    try:
        yield
    finally:
        guest.check("touch /tmp/enough")
        churn.wait()
        guest.check(f"rm /tmp/enough; while grep -q '^{module} ' /proc/modules; do usleep 20000; "
                    "done")


def stop(guest):
    """Stops lastref alone; returns the command that lets it go on."""
    pid = guest.check("pidof lastref").strip()
    guest.check(f"kill -STOP {pid}; until grep -q '^State:.T' /proc/{pid}/status; do :; done")
    return f"kill -CONT {pid}"


def now_ns(guest):
    """The guest's boot clock, which the kernel tells to a hundredth of a second."""
    return round(float(guest.check("cat /proc/uptime").split()[0]) * 1e9)


def exact(guest, job):
    """Ends a `refs` of lr_refs and holds its counts against the module's own."""
    tool.check_counted(guest, tool.one_document(tool.finish(job)))


def unload(guest, doc):
    """The only unload, which must be what the referee saw."""
    one, = [u for u in doc["unloads"] if u["module"] == "lr_threads"]
    tool.check_freed(guest, one, "lr_threads", tool.DEFERRED)
    assert one["outstanding_at_return"] == len(one["puts"]) == 2
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


def test_run_is_stopped_by_its_own_command(guest):
    """From before the unload until after the free."""
    guest.check(THREADS)
    guest.put("/tmp/stopper", "kill -STOP $PPID; until grep '^State:.T' /proc/$PPID/status; "
              "do :; done; rmmod lr_threads; sleep 2; kill -CONT $PPID\n")
    doc = tool.report(guest, "run -j -- sh /tmp/stopper")
    one = unload(guest, doc)
    assert int(one["freed_ns"]) - int(one["requested_ns"]) < 2e9 * guest.kernel.slowness


def test_serve_is_stopped_and_killed(guest, attached_before):
    job = exporter.start(guest, 0.3)
    assert len(truth.attached(guest)) > len(attached_before) + 5  # the control: it can be seen
    go_on = stop(guest)
    scrape = guest.start(f"wget -q -O - {exporter.URL}")
    guest.check(f"for i in 1 2 3; do {SLOW} && rmmod lr_slow; done; sleep 2")
    assert not scrape.done and scrape.stdout_so_far == ""  # the control
    guest.check(go_on)
    assert "lastref_events_lost_total 0" in scrape.wait().stdout.splitlines()
    freed = 'lastref_unloads_total{module="lr_slow",outcome="freed"}'
    guest.check(f"until wget -q -O /tmp/scraped {exporter.URL} && "
                f"grep -q '^{freed} [3-9]' /tmp/scraped; do usleep 100000; done")
    seen = guest.check("cat /tmp/scraped").splitlines()
    assert f"{freed} {len(truth.unloads(guest, 'lr_slow'))}" in seen
    assert {f"{freed} 3", "lastref_events_lost_total 0", "lastref_incomplete_records_total 0",
            "lastref_probe_runs_missed_total 0"} <= set(seen)
    guest.check("kill -9 $(pidof lastref)")
    assert job.wait().status == 137
    truth.wait_detached(guest, attached_before)


def test_an_rcu_reader_holds_up_the_free(guest):
    """By then the module is off the kernel's list, for many snapshots: that is not its end."""
    job = exporter.start(guest, 0.1)
    truth.insmod(guest, "lr_reader", "of=lr_threads")
    guest.check(f"{THREADS}; rmmod lr_threads; sleep 4")
    unload, = truth.unloads(guest, "lr_threads")
    assert unload.returned_ns and not unload.freed_ns  # the control
    scraped = guest.check(f"wget -q -O - {exporter.URL}")
    assert 'since_timestamp_seconds{module="lr_threads",phase="freeing"}' in scraped
    assert 'lastref_unloads_total{module="lr_threads"' not in scraped
    guest.check("echo 1 > /sys/module/lr_reader/parameters/release")
    assert truth.wait_freed(guest, "lr_threads")[0].free_delay_ns > 2e9
    guest.check("sleep 2")
    scraped = guest.check(f"wget -q -O - {exporter.URL}").splitlines()
    assert {'lastref_unloads_total{module="lr_threads",outcome="freed"} 1',
            "lastref_incomplete_records_total 0"} <= set(scraped)
    tool.finish(job)
    guest.check("rmmod lr_reader")


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
    seen = guest.check(f"for i in 1 2 3; do echo 0 > {CPU1}; grep -c ^processor /proc/cpuinfo; "
                       f"echo 1 > {CPU1}; done")
    assert seen.split() == ["1"] * 3  # the control
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


def of_one_load(result):
    """What no answer may mix: the state, the counters and the status of different moments."""
    doc = why.document(result, changes=True)
    going_on, refs = doc["exit"] and doc["exit"]["status"], doc["soft"] and doc["soft"]["refs"]
    fits = {
        None: doc["state"] in ("not_loaded", "live", "coming", "unformed", "going"),
        "queued": doc["state"] == "live",
        "waiting": doc["state"] == "going" and refs > 0,
        "freeing": doc["state"] in ("going", "unformed") and refs == 0,
    }.get(going_on, doc["state"] != "live")
    if doc["state"] == "not_loaded":
        fits = fits and not going_on and not doc["holders"]
    assert fits, f"{going_on}: {why.brief(doc)}"
    status = {"not_loaded": tool.REFUSED, "live": tool.OUTSTANDING if refs else tool.DONE}
    if doc["state"] == "going" or going_on == "freeing":
        over = going_on in ("waiting", "freeing") or (not going_on and refs > 0)
        status["going"] = status["unformed"] = tool.OUTSTANDING if over else tool.EXIT_RUNNING
    wanted = status.get(doc["state"], result.status)
    assert result.status == wanted, f"{result.status}: {going_on}: {why.brief(doc)}"
    return doc["state"]


def test_the_module_comes_and_goes_while_why_looks(guest):
    """Each answer is of one load of the module, or that there is none."""
    with coming_and_going(guest, THREADS, "lr_threads"):
        seen = []
        # The control: it is there to be seen, and not for long.
        while len(seen) < 6 or set(seen) == {"not_loaded"} \
                or len(truth.unloads(guest, "lr_threads")) < 3:
            seen.append(of_one_load(why.run(guest, "lr_threads")))
            assert len(seen) < 100, seen


def between(unloads, first, last):
    """Those that were requested when `first` had returned, up to `last`. Modules are loaded in
    between, so that two who stamp a moment differ never in that."""
    return [u for u in unloads if first.returned_ns < int(u["requested_ns"] or 0)
            < last.returned_ns]


def test_modules_come_and_go_while_it_attaches(guest):
    """Each unload that begins when all is attached is told of once, and whole. Of one that began
    before it is said what was not seen."""
    with coming_and_going(guest, SLOW, "lr_slow"):
        for name in ("/tmp/first", "/tmp/second"):
            job = tool.start(guest, f"record -o {name}")
            attached_ns = now_ns(guest)
            truth.wait_freed(guest, "lr_slow", len(truth.unloads(guest, "lr_slow")) + 4)
            seen = [u for u in truth.unloads(guest, "lr_slow")
                    if u.requested_ns > attached_ns and u.freed_ns]
            tool.finish(job)
            doc = tool.one_document(tool.lastref(guest, f"report -j {name}"))
            theirs = between([u._asdict() for u in seen], seen[0], seen[-1])
            told = between(doc["unloads"], seen[0], seen[-1])
            assert len(told) == len(theirs) > 1, (told, theirs)
            for mine, other in zip(told, theirs):
                assert (mine["complete"], mine["outcome"]) == (True, "freed"), mine
                for stamp in ("requested_ns", "returned_ns", "freed_ns"):
                    assert abs(int(mine[stamp]) - other[stamp]) < tool.NEAR_NS, (mine, other)
