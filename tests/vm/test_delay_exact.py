# SPDX-License-Identifier: GPL-2.0-only
"""The free delay to the microsecond: guest time is the instructions run, so nothing else disturbs.

One guest for all; the referee stamps the same moments with probes of its own.
"""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {"load": ["lr_referee"], "icount": True}
every = pytest.mark.parametrize("attach", ["tracepoint", "fentry", "kprobe"])
SLACK_NS = 200_000


def is_close(measured, true):
    return abs(measured - true) <= max(SLACK_NS, 0.01 * true)


def check(guest, doc, module):
    unload, = doc["unloads"]
    assert unload["outcome"] == "freed"
    seen = truth.wait_freed(guest, module)[-1]
    assert is_close(unload["free_delay_ns"], seen.free_delay_ns), (unload, seen)
    # The whole too; its ends are at most the two tools' probes apart.
    whole = int(unload["freed_ns"]) - int(unload["requested_ns"])
    assert is_close(whole, seen.freed_ns - seen.requested_ns), (unload, seen)
    assert abs(int(unload["returned_ns"]) - seen.returned_ns) <= SLACK_NS
    assert abs(int(unload["freed_ns"]) - seen.freed_ns) <= SLACK_NS
    return seen


@every
@pytest.mark.parametrize("linger_ms", [10, 500])
def test_threads(guest, attach, linger_ms):
    truth.insmod(guest, "lr_threads", f"threads=3 linger_ms={linger_ms}")
    doc = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_threads")
    seen = check(guest, doc, "lr_threads")
    assert seen.free_delay_ns > 2 * linger_ms * 1_000_000


@every
def test_own_stdin(guest, attach):
    """The shortest delay there is: rmmod's end and a grace period."""
    truth.insmod(guest, "lr_file")
    doc = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_file < /dev/lr_file")
    check(guest, doc, "lr_file")


@every
def test_freed_before_the_return(guest, attach):
    truth.insmod(guest, "lr_slow", "exit_ms=200")
    doc = tool.report(guest, f"run -j --attach={attach} -- rmmod lr_slow")
    seen = check(guest, doc, "lr_slow")
    assert doc["unloads"][0]["free_delay_ns"] == seen.free_delay_ns == 0


def test_the_judgement_can_fail(guest):
    """The control: a real delay, told wrong by twice what is allowed."""
    truth.insmod(guest, "lr_threads", "threads=1 linger_ms=200")
    unload, = tool.report(guest, "run -j -- rmmod lr_threads")["unloads"]
    true = truth.wait_freed(guest, "lr_threads")[-1].free_delay_ns
    assert is_close(unload["free_delay_ns"], true)
    assert not is_close(unload["free_delay_ns"] + int(0.02 * true), true)
    assert not is_close(unload["free_delay_ns"] - int(0.02 * true), true)
    assert not is_close(2 * SLACK_NS, 0)
