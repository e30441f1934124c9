# SPDX-License-Identifier: GPL-2.0-only
"""What lastref cannot look for on a machine, why and doctor say, and nobody takes for looked for."""

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"load": ["lr_referee"]}
MODULE = "lr_referee"
LOOPS = "loop devices"
OUTSIDE = "tasks outside of lastref's pid namespace that run in the module"


@pytest.fixture(scope="module", autouse=True)
def held(guest, keep):
    file = keep(f"open_r {truth.DEBUGFS}/{MODULE}/unloads")
    yield
    file.end()
    why.free(guest, MODULE)


@pytest.fixture
def without_types(guest):
    """The kernel does not tell the types of its modules. Of a missing symbol: tests/unit/census_test.cpp."""
    guest.check("modprobe loop; mkdir -p /tmp/btf; cp /sys/kernel/btf/vmlinux /tmp/btf; "
                "mount --bind /tmp/btf /sys/kernel/btf")
    yield
    guest.check("umount /sys/kernel/btf; rm -r /tmp/btf; rmmod loop")


def not_examined(doc):
    return {one["what"]: one["why"] for one in doc["not_examined"]}


def test_everything_is_looked_for(guest):
    """The control: a kernel of the matrix has all that the programs ask for."""
    assert why.explained(guest, MODULE, 1)["not_examined"] == []


def test_types_that_the_kernel_lacks(guest, without_types):
    said = not_examined(why.explained(guest, MODULE, 1))
    assert set(said) == {LOOPS}, said
    assert "struct loop_device" in said[LOOPS]


def test_doctor_says_it_too(guest, without_types):
    doc = tool.one_document(guest.run("unshare -p -f lastref doctor -j"))
    limits = {one["what"]: one for one in doc["findings"] if one["what"].startswith("holders: ")}
    assert set(limits) == {f"holders: {LOOPS}", f"holders: {OUTSIDE}"}
    command, = [one for one in doc["commands"] if one["command"] == "why"]
    assert command["works"] and LOOPS in command["limits"]


def test_from_another_pid_namespace(guest):
    """All processes are seen, by numbers that nobody there can use; stacks are not."""
    doc = why.ask(guest, MODULE, around="unshare -p -f {}")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert set(not_examined(doc)) == {OUTSIDE}, why.brief(doc)
    assert not [step for step in doc["next"] if step.startswith("kill")], doc["next"]
    assert any("outside of lastref's pid namespace" in one for one in doc["cautions"]), doc
