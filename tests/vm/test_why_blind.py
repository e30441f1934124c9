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


@pytest.fixture
def held(guest):
    keeper = why.Keeper(guest)
    yield keeper(f"open {truth.DEBUGFS}/{MODULE}/unloads")
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


def test_everything_is_looked_for(guest, held):
    """The control: a kernel of the matrix has all that the programs ask for."""
    assert why.explained(guest, MODULE, 1)["not_examined"] == []


def test_symbols_that_kallsyms_lacks(guest, held, hide):
    hide(HIDDEN)
    doc = why.explained(guest, MODULE, 1)
    said = not_examined(doc)
    assert set(said) == set(HIDDEN.values()), why.brief(doc)
    for symbol, what in HIDDEN.items():
        assert f"kernel's {symbol} is" in said[what]


def test_a_list_that_kernels_call_differently(guest, held, hide):
    """The control: one of the two names is enough, and no kernel here has both."""
    names = {"db_list", "debugfs_list"}
    theirs = set(guest.check("grep -o ' [a-z_]*_list$' /proc/kallsyms").split()) & names
    hide((names - theirs) | {"loggers"} if theirs else {"loggers"})
    has_log = guest.run("grep -q ' nf_log_register$' /proc/kallsyms").status == 0
    logs = {"loggers behind rules of netfilter"} if has_log else set()
    assert set(not_examined(why.explained(guest, MODULE, 1))) == logs
    guest.check("umount /proc/kallsyms")
    hide(names)
    buffers = {"DMA buffers without a file"} if theirs else set()
    assert set(not_examined(why.explained(guest, MODULE, 1))) == buffers


def test_doctor_says_it_too(guest, hide):
    hide(HIDDEN)
    doc = json.loads(tool.lastref(guest, "doctor -j").stdout)
    tool.validate(doc)
    limits = {one["what"]: one for one in doc["findings"] if one["what"].startswith("holders: ")}
    assert set(limits) == {f"holders: {what}" for what in HIDDEN.values()}
    command, = [one for one in doc["commands"] if one["command"] == "why"]
    assert command["works"] and all(what in command["limits"] for what in HIDDEN.values())


def test_from_another_pid_namespace(guest, held):
    """The kernel does not show a process there those outside."""
    inside = guest.run(f"unshare -p -f lastref why -j {MODULE}")
    assert inside.status == tool.OUTSTANDING, inside.stderr
    doc = json.loads(inside.stdout)
    why.consistent(doc)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert OUTSIDE in not_examined(doc), why.brief(doc)
    assert OUTSIDE not in not_examined(why.explained(guest, MODULE, 1))
