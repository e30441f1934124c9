# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on modules that wait for soft references, and on those that they keep meanwhile."""

import pytest

import tool
import truth
import why

kernels = "patched"
guest_options = {"load": ["lr_referee"]}
ONE_ASK_S = 12  # at the very most, on an emulated machine whose host is busy: 1 is usual


@pytest.fixture(scope="module")
def asked(guest):
    """Documents of modules that wait, each while it does; they wait at the same time."""
    wait_ms = int(1000 * ONE_ASK_S * guest.kernel.slowness)
    truth.insmod(guest, "lr_threads", f"threads=2 helped=1 linger_ms={wait_ms}")
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user", f"hold_ms={2 * wait_ms}")
    live = why.ask(guest, "lr_threads")
    guest.check("rmmod lr_user")
    upper = why.ask(guest, "lr_user")
    lower = why.ask(guest, "lr_base")
    guest.check("rmmod lr_threads")
    going = why.ask(guest, "lr_threads")
    return {"live": live, "going": going, "upper": upper, "lower": lower}


def test_threads_that_outlive_the_exit_routine(asked):
    assert asked["live"]["soft"] == {"refs": 2, "explained": 0, "unexplained": 2}
    doc = asked["going"]
    assert doc["state"] == "going"
    assert doc["exit"]["status"] == "waiting"
    assert doc["verdict"] == "lr_threads is being unloaded and waits for 2 soft references."
    candidates = {h["comm"]: h for h in doc["holders"]}
    assert set(candidates) == {"lr_threads/0", "lr_threads/1"}
    for candidate in candidates.values():
        assert (candidate["kind"], candidate["counter"], candidate["pins"],
                candidate["evidence"]) == ("kthread", "soft", "unknown", "sampled")


def test_a_module_that_waits_keeps_those_it_uses(guest, asked):
    upper = asked["upper"]
    assert upper["verdict"] == ("lr_user is being unloaded and waits for 1 soft reference; until "
                                "then it keeps lr_base.")
    assert upper["uses"] == ["lr_base"]
    lower = asked["lower"]
    assert lower["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert lower["verdict"] == ("lr_base cannot be unloaded: it is used by lr_user, which waits "
                                "for 1 soft reference.")
    assert lower["next"] == ["lastref why lr_user"]
    truth.wait_freed(guest, "lr_user", timeout=120)
    assert why.ask(guest, "lr_base", tool.DONE)["holders"] == []
    guest.check("rmmod lr_base")
    truth.wait_freed(guest, "lr_threads", timeout=120)
