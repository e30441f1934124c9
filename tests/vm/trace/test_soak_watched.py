# SPDX-License-Identifier: GPL-2.0-only
"""A bounded sample of `make soak-watched`, and the controls that show that its judges would notice."""

import copy
import sys

import pytest

from harness.paths import REPO

sys.path.insert(0, str(REPO / "tests" / "soak"))
import stress  # noqa: E402
import watching  # noqa: E402

kernels = ["6.12"]
CYCLES = 1000


@pytest.fixture(scope="module")
def boot_done(kernel):
    return watching.one_boot(kernel, CYCLES)


def test_every_unload_is_reported_once(boot_done):
    """one_boot() has judged it: what is left to see is that it was something."""
    assert CYCLES <= boot_done["cycles"] <= CYCLES + boot_done["names"]
    assert boot_done["names"] == 64
    assert not set(boot_done["losses"]) - {"slab"}  # over so few, what caches keep is more


@pytest.mark.parametrize("old, new", [
    (r'module="lr_soak_07",outcome="freed"} 3', r'module="lr_soak_07",outcome="freed"} 2'),
    (r'module="lr_soak_07",outcome="freed"} 3', r'module="lr_soak_07",outcome="freed"} 4'),
    (r'module="lr_soak_07",outcome="freed"} 3', r'module="lr_soak_07",outcome="unknown"} 3'),
    ("lastref_events_lost_total 0", "lastref_events_lost_total 1"),
    ("lastref_unload_free_delay_seconds_count 3", "lastref_unload_free_delay_seconds_count 2"),
], ids=["lost", "twice", "end unknown", "events lost", "no delay"])
def test_a_miscount_is_noticed(old, new):
    text = ('lastref_unloads_total{module="lr_soak_07",outcome="freed"} 3\n'
            "lastref_events_lost_total 0\nlastref_probe_runs_missed_total 0\n"
            "lastref_incomplete_records_total 0\nlastref_unload_free_delay_seconds_count 3\n")
    watching.judge(text, {"lr_soak_07": 3})
    assert old in text
    with pytest.raises(stress.Wrong):
        watching.judge(text.replace(old, new), {"lr_soak_07": 3})


def test_memory_that_grows_is_noticed():
    samples = [{"cycles": c, "resident_bytes": 10_000_000} for c in range(0, 10_001, 1000)]
    flat = {"cycles": 10_000, "losses": {}, "samples": samples}
    assert watching.judge_memory(flat) == 0
    assert watching.judge_memory({**flat, "cycles": 2 * watching.WARM - 1}) is None  # too few
    growing = copy.deepcopy(flat)
    for one in growing["samples"]:
        one["resident_bytes"] += 100 * one["cycles"]
    for wrong in (growing, {**flat, "losses": {"vmalloc": "some"}}):
        with pytest.raises(stress.Wrong):
            watching.judge_memory(wrong)
