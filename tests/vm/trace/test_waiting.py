# SPDX-License-Identifier: GPL-2.0-only
"""Unloads that began before lastref did. The overview as text is in tests/unit."""

import json

import pytest

import tool
import truth

kernels = "patched"
guest_options = {"load": ["lr_referee"]}


@pytest.fixture
def waiting(guest, keep):
    """lr_file, unloaded and pinned by a file; the test may close it."""
    truth.control(guest, "lr_referee", "reset")
    truth.insmod(guest, "lr_file")
    file = keep("open_r /dev/lr_file")
    guest.check("rmmod lr_file")
    yield file
    file.end()
    truth.wait_freed(guest, "lr_file")


def test_nothing_is_stuck(guest):
    result = tool.lastref(guest, "-j")
    assert result.status == tool.DONE
    doc = tool.one_document(result)
    assert (doc["soft_supported"], doc["modules"]) == (True, [])
    assert doc["modules_seen"] == len(guest.check("cat /proc/modules").splitlines())


def test_the_overview_shows_it_waiting(guest, waiting):
    result = tool.lastref(guest, "-j")
    assert result.status == tool.OUTSTANDING
    entry, = tool.one_document(result)["modules"]
    assert (entry["module"], entry["state"], entry["outcome"]) == ("lr_file", "going", "waiting")
    assert entry["soft"]["refs"] == 1


def test_refs_shows_it_unexplained(guest, waiting):
    result = tool.lastref(guest, "refs -j -d 0.3 lr_file")
    assert result.status == tool.OUTSTANDING
    module = tool.only_module(tool.one_document(result), "lr_file")
    assert (module["state"], module["loaded_before_tracing"]) == ("going", True)
    assert (module["soft"]["refs"], module["soft"]["unexplained_min"]) == (1, 1)


def test_trace_sees_its_end(guest, waiting):
    job = tool.start(guest, "trace -j lr_file")
    waiting.end()
    job.wait_for('"event":"freed"', "stdout")
    events = tool.documents(tool.finish(job).stdout)
    assert [e["event"] for e in events] == ["soft_put", "queued", "grace_period", "freeing",
                                            "freed"] or \
        [e["event"] for e in events] == ["soft_put", "queued", "freeing", "freed"], events
    assert len({e["instance_id"] for e in events}) == 1
    put = events[0]
    assert put["call_site"].startswith("lr_object_release+0x")
    assert (put["outstanding"], put["exact"], put["comm"]) == (0, True, "keeper")
    stamps = [int(e["ts_ns"]) for e in events]
    assert stamps == sorted(stamps)
    freed = truth.wait_freed(guest, "lr_file")[-1].freed_ns
    assert abs(stamps[-1] - freed) < tool.NEAR_NS


def test_record_follows_it_and_says_that_it_began_before(guest, waiting):
    job = tool.start(guest, "record -o /tmp/waiting")
    waiting.end()
    truth.wait_freed(guest, "lr_file")
    tool.finish(job)
    unload, = tool.one_document(tool.lastref(guest, "report -j /tmp/waiting"))["unloads"]
    assert (unload["module"], unload["outcome"]) == ("lr_file", "freed")
    assert unload["began_before_tracing"] is True
    assert unload["requested_ns"] is None
    assert unload["last_put"]["call_site"].startswith("lr_object_release+0x")
    assert json.dumps(unload["phases"]).count('"waiting"') == 1


def test_another_unload_is_not_confused_with_it(guest, waiting):
    """lastref run answers for its own command only."""
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    doc = tool.report(guest, "run -j -- rmmod lr_slow")
    counting = [u for u in doc["unloads"] if u["counts"]]
    assert [(u["module"], u["outcome"]) for u in counting] == [("lr_slow", "freed")]
    others = [u for u in doc["unloads"] if not u["counts"]]
    assert [(u["module"], u["began_before_tracing"]) for u in others] == [("lr_file", True)]


def test_the_overview_shows_an_exit_routine_that_runs(guest):
    # The last test of the file: the guest ends before this exit routine does.
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    guest.start(["rmmod", "lr_slow"])
    guest.check("until grep -q '^lr_slow .* Unloading ' /proc/modules; do usleep 20000; done")
    result = tool.lastref(guest, "-j")
    assert result.status == tool.EXIT_RUNNING
    entry, = tool.one_document(result)["modules"]
    assert (entry["module"], entry["outcome"]) == ("lr_slow", "exit_running")
