# SPDX-License-Identifier: GPL-2.0-only
"""The free delay to the microsecond: guest time is the instructions run, so nothing else disturbs.

One guest for all; the referee stamps the same moments with probes of its own.
"""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {"load": ["lr_referee"], "icount": True}
SLACK_NS = 200_000


def gone(module):
    return f"while [ -e /sys/module/{module} ]; do usleep 20000; done"


# The shortest delay there is, rmmod's end and a grace period; none; and longer ones.
STORY = f"""
    cd {truth.MODULES}
    insmod lr_file.ko; rmmod lr_file < /dev/lr_file; {gone("lr_file")}
    insmod lr_slow.ko exit_ms=200; rmmod lr_slow
    for ms in 10 500; do
        insmod lr_threads.ko threads=3 linger_ms=$ms; rmmod lr_threads; {gone("lr_threads")}; done
"""


def is_close(measured, true):
    return abs(measured - true) <= max(SLACK_NS, 0.01 * true)


@pytest.fixture(scope="module", params=["tracepoint", "fentry", "kprobe"])
def pairs(guest, request):
    """What lastref tells of the unloads of a module, each with what the referee saw of it."""
    guest.put("/root/story.sh", STORY)
    truth.control(guest, "lr_referee", "reset")
    doc = tool.report(guest, f"run -j --attach={request.param} -- sh story.sh")
    assert doc["attach"] == request.param

    def of(module):
        mine = [u for u in doc["unloads"] if u["module"] == module]
        theirs = truth.wait_freed(guest, module, len(mine))
        assert len(mine) == len(theirs)
        return list(zip(mine, theirs))
    return of


def check(unload, seen):
    assert unload["outcome"] == "freed"
    assert is_close(unload["free_delay_ns"], seen.free_delay_ns), (unload, seen)
    # The whole too; its ends are at most the two tools' probes apart.
    whole = int(unload["freed_ns"]) - int(unload["requested_ns"])
    assert is_close(whole, seen.freed_ns - seen.requested_ns), (unload, seen)
    assert abs(int(unload["returned_ns"]) - seen.returned_ns) <= SLACK_NS
    assert abs(int(unload["freed_ns"]) - seen.freed_ns) <= SLACK_NS


def test_threads(pairs):
    for (unload, seen), linger_ms in zip(pairs("lr_threads"), (10, 500), strict=True):
        check(unload, seen)
        assert seen.free_delay_ns > 2 * linger_ms * 1_000_000


def test_own_stdin(pairs):
    (unload, seen), = pairs("lr_file")
    check(unload, seen)
    assert seen.free_delay_ns > 0


def test_freed_before_the_return(pairs):
    (unload, seen), = pairs("lr_slow")
    check(unload, seen)
    assert unload["free_delay_ns"] == seen.free_delay_ns == 0


def test_the_judgement_can_fail(pairs):
    """The control: a real delay, told wrong by twice what is allowed."""
    unload, seen = pairs("lr_threads")[1]
    true = seen.free_delay_ns
    assert is_close(unload["free_delay_ns"], true)
    assert not is_close(unload["free_delay_ns"] + int(0.02 * true), true)
    assert not is_close(unload["free_delay_ns"] - int(0.02 * true), true)
    assert not is_close(2 * SLACK_NS, 0)
