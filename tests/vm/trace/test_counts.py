# SPDX-License-Identifier: GPL-2.0-only
"""Every get and every put, from every context, on two processors, counted against the module."""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {}
PAIRS = 100_000
LETTERS = "ABC"


@pytest.fixture(autouse=True)
def refs(guest):
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")


def watch(guest, attach, command):
    """The module's counters and its refs document after a command; losses come with it."""
    assert guest.check("nproc") == "2\n"
    job = tool.start(guest, f"refs -j --attach={attach} lr_refs")
    guest.check(f"echo {command} > {truth.DEBUGFS}/lr_refs/control", timeout=300)
    doc = tool.one_document(tool.finish(job))
    counted = truth.counters(guest, "lr_refs")
    assert counted["outstanding"] == counted["failed"] == 0
    return counted, tool.only_module(doc, "lr_refs"), doc["losses"]


def check_exact(counted, module, losses):
    """Equal to the last one, at each call site."""
    assert (losses["events"], losses["missed_probes"], losses["map_full"]) == (0, 0, 0)
    for kind in ("get", "put"):
        seen = {name: row["count"] for name, row in tool.sites(module, kind).items()}
        assert seen == {f"lr_{kind}_{letter.lower()}": counted[f"{kind}.{letter}"]
                        for letter in LETTERS if counted[f"{kind}.{letter}"]}
    for row in tool.sites(module).values():
        assert (row["outstanding_min"], row["outstanding_max"]) == (0, 0)
        # Where the kernel does not count skipped runs, nobody knows that there were none.
        assert row["attribution"] == ("bounds" if losses["missed_unknown"] else "exact")


def test_the_tracepoints_miss_nothing(guest):
    counted, module, losses = watch(guest, "tracepoint", f"mix {PAIRS}")
    assert [counted[f"get.{c}"] for c in ("task", "softirq", "work")] == [PAIRS] * 3
    check_exact(counted, module, losses)


def test_nor_in_hard_interrupts(guest):
    counted, module, losses = watch(guest, "tracepoint", f"mix {PAIRS // 10} task hardirq")
    assert counted["get.hardirq"] == PAIRS // 10
    check_exact(counted, module, losses)


@pytest.mark.parametrize("attach", ["fentry", "kprobe"])
def test_probes_are_exact_in_task_context(guest, attach):
    counted, module, losses = watch(guest, attach, f"pairs {PAIRS} A task")
    assert counted["get.A.task"] == PAIRS
    check_exact(counted, module, losses)


@pytest.mark.parametrize("attach", ["fentry", "kprobe"])
def test_probes_say_what_they_missed_elsewhere(guest, attach):
    """Seen + missed = happened; where the kernel does not count misses, the answer says so."""
    counted, module, losses = watch(guest, attach, f"mix {PAIRS}")
    if attach == "fentry":
        assert not losses["missed_unknown"]  # every kernel counts those
    happened = counted["get"] + counted["put"]
    assert happened == 6 * PAIRS
    seen = sum(row["count"] for kind in ("get", "put")
               for row in tool.sites(module, kind).values())
    if losses["missed_unknown"]:
        assert 0 < seen <= happened
    else:
        assert seen + losses["missed_probes"] == happened
        assert losses["soft_missed"] == (losses["missed_probes"] > 0)
    if losses["missed_unknown"]:
        assert all(row["attribution"] == "bounds" for row in tool.sites(module).values())
