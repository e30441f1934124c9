# SPDX-License-Identifier: GPL-2.0-only
"""The kernel fails an allocation that it makes for lastref, anywhere: no answer may be wrong."""

import random
import re
from collections import Counter

import pytest

import tool
import truth
import why
from harness import exporter

kernels = ["6.12-debug"]  # it has CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC
guest_options = {"load": ["lr_referee"], "lastref": "lastref"}  # with its exporter
FAULTS = "/sys/kernel/debug"
KINDS = ("failslab", "fail_page_alloc")
MANY = 10_000_000
PLACES = 12
SAID = "FAULT_INJECTION: forcing a failure"


def set_up(guest, **values):
    for kind in KINDS:
        for name, value in values.items():
            guest.check(f"echo {value} > {FAULTS}/{kind}/{name}")


@pytest.fixture(scope="module", autouse=True)
def can_fail(guest):
    """Any allocation of a task that is told, not only those that may not wait: but for what the
    kernel needs to close a file. That is how probes are detached, by kprobes as by fexit programs,
    and where it cannot the kernel warns and uses what it has freed (6.12: see "It should never fail"
    at bpf_trampoline_unlink_prog(), and __disarm_kprobe_ftrace())."""
    guest.allow_splat(r"Call Trace:", "vmalloc and percpu tell who got no memory")
    here, following = guest.check("sort /proc/kallsyms | grep -A 1 ' __fput$'").splitlines()
    begin, end = (f"0x{line.split()[0]}" for line in (here, following))
    set_up(guest, **{"ignore-gfp-wait": "N", "task-filter": "Y", "verbose": 1,
                     "reject-start": begin, "reject-end": end})
    guest.check(f"cd {FAULTS}/fail_page_alloc; echo 0 > min-order; echo N > ignore-gfp-highmem")


@pytest.fixture(autouse=True)
def nothing_left(guest):
    before = truth.attached(guest)
    yield
    set_up(guest, probability=0)
    left = guest.run("pidof lastref").stdout.strip()
    guest.run(f"kill -9 {left}")  # what a test that failed has left is not to fail the next one
    truth.wait_detached(guest, before)
    assert guest.splats() == []
    assert left == ""


def failures(guest):
    return guest.check("dmesg").count(SAID)


def allocations(guest, arguments):
    """How many a command needs until it has attached: the last place to fail at."""
    job = guest.start(f"echo {MANY} > /proc/self/fail-nth; exec lastref {arguments}")
    job.wait_for(tool.READY)
    left = int(guest.check("cat /proc/$(pidof lastref)/fail-nth"))
    tool.finish(job)
    return MANY - left


def before_it_starts(guest):
    """How many the shell and its exec need: the first place is behind it."""
    left = int(guest.check(f"echo {MANY} > /proc/self/fail-nth; exec cat /proc/self/fail-nth"))
    return MANY - left


def places(first, last, seed):
    """One from each of PLACES equal stretches."""
    chance = random.Random(seed)
    edges = [first + (last - first) * i // PLACES for i in range(PLACES + 1)]
    return [chance.randrange(low, high) for low, high in zip(edges, edges[1:])]


def judge(guest, result, where):
    """Right, or said to be incomplete, or refused with a reason: nothing else. Returns which."""
    story = f"allocation {where}: {result.status}\n{result.stdout}\n{result.stderr}"
    if result.status == tool.DONE:
        unload, = tool.one_document(result)["unloads"]
        if not unload["complete"]:
            return "incomplete"
        tool.check_freed(guest, unload, "lr_slow", ["requested", "exit_routine", "freeing"])
        return "right"
    assert result.status in (tool.FAILED, tool.UNSUPPORTED), story
    assert re.search(r"^lastref: .*\w", result.stderr, re.M), story
    if "Cannot allocate memory" in result.stderr:
        assert result.status == tool.FAILED, story
    tool.documents(result.stdout)
    return "refused"


@pytest.mark.parametrize("attach", ["tracepoint", "fentry", "kprobe"])
def test_one_allocation_fails_while_it_attaches(guest, attach):
    arguments = f"run -j --attach={attach} -- rmmod lr_slow"
    last = allocations(guest, f"record -o /tmp/{attach} --attach={attach}")
    first = before_it_starts(guest)
    assert 1000 < first + 1000 < last
    seen, told = [], []
    for place in places(first + 100, last, attach):
        truth.control(guest, "lr_referee", "reset")
        truth.insmod(guest, "lr_slow", "exit_ms=0")
        failed = failures(guest)
        result = guest.run(f"echo {place} > /proc/self/fail-nth; exec lastref {arguments}")
        told.append(failures(guest) - failed)
        seen.append(judge(guest, result, place))
        guest.run("rmmod lr_slow")
    print(attach, f"{first} to {last}:", Counter(seen))
    # The control. The kernel says nothing of allocations for which it was asked not to (NOWARN).
    assert set(told) == {0, 1} and "refused" in seen


def fail_one_of(guest, interval):
    """Fails the allocation of that number, counted from any before on, of all that are told to
    fail and of their children: one of each kind."""
    set_up(guest, interval=interval, times=1, probability=100)


def test_one_allocation_fails_while_it_searches(guest, keep):
    """In the child that searches, or in lastref itself."""
    holder = keep(f"open_r {truth.DEBUGFS}/lr_referee/unloads")
    seen, told = [], []
    chance = random.Random("why")
    for _ in range(PLACES):
        failed = failures(guest)
        fail_one_of(guest, chance.randrange(100, 20_000))
        result = why.run(guest, "lr_referee", "echo 1 > /proc/self/make-it-fail; exec {}")
        set_up(guest, probability=0)
        story = f"{result.status}\n{result.stdout}\n{result.stderr}"
        told.append(failures(guest) - failed)
        assert result.status in (tool.OUTSTANDING, tool.FAILED, tool.UNSUPPORTED), story
        if result.status != tool.OUTSTANDING:
            assert re.search(r"^lastref: .*\w", result.stderr, re.M), story
        if result.stdout == "":
            assert result.status == tool.FAILED, story
            seen.append("refused")
            continue
        doc = why.document(result)
        assert doc["hard"]["refs"] == 1, story
        assert doc["hard"]["explained"] == 1 or doc["not_examined"] and not doc["complete"], story
        seen.append("right" if doc["hard"]["explained"] else "not all examined")
    holder.end()
    print("why:", Counter(seen))
    assert any(told) and max(told) <= len(KINDS) and len(set(seen)) > 1  # the control


@pytest.fixture
def refs(guest):
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")


class Failing:
    """Meanwhile every allocation of that number, of every thread of the running lastref, fails."""

    def __init__(self, guest, interval=1):
        self.guest, self.interval = guest, interval

    def __enter__(self):
        self.guest.check("for t in /proc/$(pidof lastref)/task/*; do echo 1 > $t/make-it-fail; done")
        # One that retries for ever does not drown the console.
        set_up(self.guest, verbose_ratelimit_interval_ms=1000, verbose_ratelimit_burst=8)
        set_up(self.guest, interval=self.interval, times=-1, probability=100)

    def __exit__(self, *error):
        # Whoever touches new memory waits for it, for ever.
        alike = self.guest.run("timeout -s KILL 10 sh -c "
                               "'echo 1 > /proc/self/make-it-fail; true | cat'")
        set_up(self.guest, probability=0, verbose_ratelimit_interval_ms=0, verbose_ratelimit_burst=0)
        if self.interval == 1:
            assert alike.status != 0  # the control


def mix_and_unload(guest):
    """What is there to be seen; returns when it is over."""
    before = len(truth.unloads(guest, "lr_threads"))
    truth.insmod(guest, "lr_threads", "threads=2 linger_ms=300")
    truth.control(guest, "lr_refs", "mix 500")
    guest.check("rmmod lr_threads")
    truth.wait_freed(guest, "lr_threads", before + 1)


def test_all_fail_while_it_counts(guest, refs):
    """The counting itself needs no memory."""
    job = tool.start(guest, "refs -j lr_refs")
    with Failing(guest):
        mix_and_unload(guest)
        assert not job.done
    tool.check_counted(guest, tool.one_document(tool.finish(job)))


@pytest.mark.parametrize("interval", [1, 3])
def test_they_fail_while_it_records(guest, refs, interval):
    """It records on, and all of it, or says where the recording ends; that part is right."""
    file = f"/tmp/recording{interval}"
    job = tool.start(guest, f"record -o {file}")
    truth.control(guest, "lr_refs", "mix 50")
    guest.check("sleep 1")
    with Failing(guest, interval):
        mix_and_unload(guest)
        guest.check("sleep 2")
    job.signal("INT")
    result = job.wait()
    report = tool.lastref(guest, f"report -j {file}")
    counting = tool.lastref(guest, f"refs -j --replay {file}")
    unloads = tool.one_document(report)["unloads"]
    if result.status == tool.DONE:
        assert interval != 1 and report.stderr == ""
        unload, = unloads
        tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
        tool.check_counted(guest, tool.one_document(counting))
        return
    assert result.status == report.status == counting.status == tool.FAILED
    assert f"cannot write the recording {file}: Cannot allocate memory" in result.stderr
    end = re.search(r"up to byte (\d+), can be read", result.stderr)[1]
    assert int(end) == int(guest.check(f"stat -c %s {file}"))
    assert f"ends at byte {end} without the end of its observation" in report.stderr
    for unload in unloads:  # it was seen whole before the end, or is told of as it was there
        if unload["outcome"] == "freed":
            tool.check_freed(guest, unload, "lr_threads", tool.DEFERRED)
    counted = truth.counters(guest, "lr_refs")
    rows = tool.only_module(tool.one_document(counting), "lr_refs")["call_sites"]
    assert rows  # of what was counted before
    for row in rows:
        name = row["call_site"].split("+")[0]  # lr_get_a
        assert row["count"] <= counted[f"{row['kind']}.{name[-1].upper()}"]


def test_all_fail_while_it_serves(guest, refs):
    """Whoever scrapes waits, or is refused; afterwards nothing is missing."""
    before = len(truth.unloads(guest, "lr_threads"))
    job = exporter.start(guest, 0.3)
    failed = failures(guest)
    with Failing(guest):
        mix_and_unload(guest)
        assert guest.run(f"timeout 5 wget -q -O /dev/null {exporter.URL}").status != 0
        mix_and_unload(guest)
    assert failures(guest) > failed  # the control
    wanted = ['lastref_unloads_total{module="lr_threads",outcome="freed"} '
              + str(len(truth.unloads(guest, "lr_threads")) - before)]
    wanted += [f"lastref_{name}_total 0" for name in
               ("events_lost", "incomplete_records", "probe_runs_missed")]
    guest.check(f"until wget -q -O /tmp/scraped {exporter.URL} && "
                f"grep -qF '{wanted[0]}' /tmp/scraped; do usleep 100000; done")
    assert set(wanted) <= set(guest.check("cat /tmp/scraped").splitlines())
    tool.finish(job)
