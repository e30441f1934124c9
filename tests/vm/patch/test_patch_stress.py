# SPDX-License-Identifier: GPL-2.0-only
"""A bounded sample of `make soak`, and the controls that show that its judges would notice."""

import copy
import sys

import pytest

from harness.paths import REPO

sys.path.insert(0, str(REPO / "tests" / "soak"))
import stress  # noqa: E402

kernels = "patched"


def goal(kernel):
    return 40 if kernel.name.endswith("-debug") else 100


def lost(result):
    """Memory that was lost, but for slab caches: over so few unloads what they keep for later is
    more than a leak would be. `make soak` judges them over a thousand."""
    return {kind: what for kind, what in result["losses"].items() if kind != "slab"}


def test_deferred_unloads_under_stress(kernel):
    with stress.boot(kernel, append="preempt=full") as guest:
        result = stress.run(guest, goal(kernel), seed=1)
        assert lost(result) == {}
        assert result["deferred"] >= goal(kernel)
        assert result["program"]["hold"]["unloaded"] >= goal(kernel)
        assert result["program"]["fail"]["failed"] > 0
        assert result["frees_waiting_at_once"] > 1
        guest.check("rmmod lr_board lr_referee")


def test_forced_unloads_among_them(kernel):
    """In a boot of its own: a forced unload turns lockdep off."""
    with stress.boot(kernel) as guest:
        result = stress.run(guest, goal(kernel) // 3, seed=2, forced=True)
        assert lost(result) == {}
        assert result["program"]["hard"]["unloaded"] > 0


@pytest.fixture(scope="module")
def leaky(kernel):
    """A run in which every load loses memory, with kmemleak kept from saying so first."""
    with stress.boot(kernel, append="kmemleak=off") as guest:
        result = stress.run(guest, goal(kernel), seed=3, leaky=True)
        yield result, stress.unloads_by_class(guest)


def test_lost_memory_shows_in_the_figures(leaky):
    """The control of the figures: each kind of memory."""
    result, _ = leaky
    assert set(result["losses"]) == {"vmalloc", "percpu", "slab"}


def test_a_miscount_is_noticed(leaky):
    """The control of the counts: any of them wrong by one."""
    result, seen = leaky
    done = result["program"]
    assert stress.judge_unloads(done, seen) == result["deferred"]
    for name, count in (("hold", "unloaded"), ("race", "loaded"), ("fail", "failed")):
        wrong = copy.deepcopy(done)
        wrong[name][count] += 1
        with pytest.raises(stress.Wrong):
            stress.judge_unloads(wrong, seen)
    at, unload = next((i, u) for i, u in enumerate(seen["hold"]) if u.ret == 0)
    for freed_ns in (0, unload.returned_ns):  # never, and within the call
        hold = list(seen["hold"])
        hold[at] = unload._replace(freed_ns=freed_ns)
        with pytest.raises(stress.Wrong):
            stress.judge_unloads(done, dict(seen, hold=hold))
    with pytest.raises(stress.Wrong):
        stress.judge_unloads(dict(done, refused=done["refused"] - 1), seen)
