# SPDX-License-Identifier: GPL-2.0-only
"""What lastref cannot look for on a machine, why and doctor say, and nobody takes for looked for."""

import json

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"copies": why.keeper_program(), "load": ["lr_referee"]}
MODULE = "lr_referee"
HIDDEN = {"super_blocks": "mounted file systems", "io_uring_fops": "files registered with io_uring"}
OUTSIDE = "processes outside of lastref's pid namespace"


@pytest.fixture(scope="module", autouse=True)
def held(guest):
    keeper = why.Keeper(guest)
    keeper(f"open {truth.DEBUGFS}/{MODULE}/unloads")
    yield
    keeper.close()
    why.free(guest, MODULE)


@pytest.fixture
def hide(guest):
    """Has /proc/kallsyms without some symbols until the test has ended."""
    def without(symbols):
        words = " ".join(f"-e ' {symbol}$'" for symbol in symbols)
        guest.check(f"grep -v {words} /proc/kallsyms > /tmp/kallsyms; "
                    "mount --bind /tmp/kallsyms /proc/kallsyms")
    yield without
    guest.check("umount /proc/kallsyms")


def not_examined(doc):
    return {one["what"]: one["why"] for one in doc["not_examined"]}


def test_everything_is_looked_for(guest):
    """The control: a kernel of the matrix has all that the programs ask for."""
    assert why.explained(guest, MODULE, 1)["not_examined"] == []


def test_symbols_that_kallsyms_lacks(guest, hide):
    hide(HIDDEN)
    said = not_examined(why.explained(guest, MODULE, 1))
    assert set(said) == set(HIDDEN.values()), said
    for symbol, what in HIDDEN.items():
        assert f"kernel's {symbol} is" in said[what]


def test_doctor_says_it_too(guest, hide):
    hide(HIDDEN)
    doc = json.loads(tool.lastref(guest, "doctor -j").stdout)
    tool.validate(doc)
    limits = {one["what"]: one for one in doc["findings"] if one["what"].startswith("holders: ")}
    assert set(limits) == {f"holders: {what}" for what in HIDDEN.values()}
    command, = [one for one in doc["commands"] if one["command"] == "why"]
    assert command["works"] and all(what in command["limits"] for what in HIDDEN.values())


def test_from_another_pid_namespace(guest):
    """The kernel does not show a process there those outside."""
    inside = guest.run(f"unshare -p -f lastref why -j {MODULE}")
    assert inside.status == tool.OUTSTANDING, inside.stderr
    doc = json.loads(inside.stdout)
    why.consistent(doc)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert set(not_examined(doc)) == {OUTSIDE}, why.brief(doc)
