# SPDX-License-Identifier: GPL-2.0-only
"""lastref run with unloads that do not end in a free, or not soon: what it says, and its status."""

import re

import pytest

import tool
import truth

kernels = "patched"
guest_options = {"load": ["lr_referee"]}


@pytest.fixture
def in_use(guest):
    """lr_refs with two hard references, and lr_base, which lr_user needs."""
    for name in ("lr_refs", "lr_base", "lr_user"):
        truth.insmod(guest, name)
    truth.control(guest, "lr_refs", "hget 2")
    yield
    truth.control(guest, "lr_refs", "hput 2")
    guest.check("rmmod lr_refs lr_user lr_base")


def test_the_kernel_refuses(guest, keep, in_use):
    """busybox asks the kernel at once: for a module that is in use, for one that there is not, and
    for one that is waiting already."""
    truth.insmod(guest, "lr_file")
    file = keep("open_r /dev/lr_file")
    guest.check("rmmod lr_file")
    doc = tool.report(guest, "run -j -- sh -c 'for m in lr_refs no_such_module lr_file; do "
                      "busybox rmmod $m; done'", status=tool.REFUSED)
    file.end()
    assert doc["command_status"] == 1
    unloads = {u["module"]: u for u in doc["unloads"] if u["counts"]}
    assert {(name, u["outcome"], u["errno"]) for name, u in unloads.items()} == {
        ("lr_refs", "refused", 11), ("no_such_module", "refused", 2), ("lr_file", "refused", 16)}
    unload = unloads["lr_refs"]
    assert unload["freed_ns"] is None
    assert unload["hard_refs"] == 2
    assert "EAGAIN" in unload["verdict"]
    assert truth.unloads(guest, "lr_refs")[-1].ret == -11
    truth.wait_freed(guest, "lr_file")


def test_rmmod_does_not_even_ask(guest, in_use):
    """kmod's rmmod reads the reference count and gives up; so it does when others use a module, or
    when there is none."""
    before = truth.unloads(guest, "lr_refs")
    doc = tool.report(guest, "run -j -- rmmod lr_refs lr_base no_such_module",
                      status=tool.REFUSED)
    unloads = {u["module"]: u for u in doc["unloads"]}
    assert set(unloads) == {"lr_refs", "lr_base", "no_such_module"}
    assert {u["outcome"] for u in unloads.values()} == {"not_attempted"}
    assert "2 hard references" in unloads["lr_refs"]["reason"]
    assert "lr_user" in unloads["lr_base"]["reason"]
    assert unloads["no_such_module"]["reason"]
    assert unloads["lr_refs"]["phases"] == []
    assert truth.unloads(guest, "lr_refs") == before


def test_a_slow_exit_routine_grows_and_is_right_after(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=4000")
    job = guest.start(["lastref", "run", "-j", "--", "rmmod", "lr_slow"])
    growing = r"^lastref: lr_slow: its exit routine is running \((\d+\.\d+) s\)$"
    job.wait_for(growing + r"\n" + growing)
    assert not job.done
    result = job.wait()
    assert result.status == tool.DONE
    told = [float(seconds) for seconds in re.findall(growing, result.stderr, re.M)]
    assert 0.9 < told[0] < told[1] <= 4.0
    unload, = tool.one_document(result)["unloads"]
    assert unload["outcome"] == "freed"
    tool.check_phases(unload)
    took = tool.phase(unload, "exit_routine")["duration_ns"]
    assert 4_000_000_000 <= took < 4_000_000_000 + tool.NEAR_NS


def test_the_time_is_up_before_the_exit_routine_ends(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    doc = tool.report(guest, "run -j -d 1 -- rmmod lr_slow", status=tool.EXIT_RUNNING)
    assert (doc["command_running"], doc["command_status"]) == (True, None)
    unload, = doc["unloads"]
    assert unload["outcome"] == "exit_running"
    last = unload["phases"][-1]
    assert (last["name"], last["ongoing"]) == ("exit_routine", True)
    assert last["duration_ns"] > 0
    assert (unload["returned_ns"], unload["freed_ns"]) == (None, None)
    assert truth.proc_modules(guest, "lr_slow")  # and the command goes on without us
    guest.check("echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    guest.check("while grep -q ^lr_slow /proc/modules; do usleep 50000; done")


def test_the_time_is_up_before_the_last_put(guest, tmp_path):
    """The leak; who holds is known, since it was taken under lastref's eyes. The recording is for
    its text."""
    truth.insmod(guest, "lr_leak", "release_ms=4000")
    guest.put("/root/leak.sh", f"echo balanced 100 > {truth.DEBUGFS}/lr_leak/control\n"
                               f"echo leak 2 > {truth.DEBUGFS}/lr_leak/control\n"
                               "rmmod lr_leak\n")
    doc = tool.report(guest, "record -j -o /tmp/leak -d 2 -- sh leak.sh", status=tool.OUTSTANDING)
    unload, = doc["unloads"]
    assert unload["outcome"] == "waiting"
    assert (unload["outstanding_at_return"], unload["outstanding_now"]) == (2, 2)
    assert unload["freed_ns"] is None
    assert unload["free_delay_ns"] > 0  # so far
    assert (unload["phases"][-1]["name"], unload["phases"][-1]["ongoing"]) == ("waiting", True)
    holder = tool.sites(unload["holders"])["get_leaky"]
    assert holder["outstanding_max"] == 2
    (tmp_path / "leak").write_bytes(guest.get("/tmp/leak"))
    text = tool.here("report", tmp_path / "leak")
    assert text.returncode == tool.OUTSTANDING, text.stderr
    assert text.stdout.startswith("lr_leak still waits for 2 soft references")
    assert "get_leaky+0x" in text.stdout
    truth.wait_freed(guest, "lr_leak")


def test_the_worst_of_several_decides_the_status(guest):
    """3 comes before 6, which comes before 0. References from before are not blamed on anybody."""
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    truth.insmod(guest, "lr_leak", "release_ms=3000")
    truth.control(guest, "lr_leak", "leak 2")
    doc = tool.report(guest, "run -j -d 1 -- busybox rmmod lr_slow lr_leak no_such_module",
                      status=tool.OUTSTANDING)
    unloads = {u["module"]: u for u in doc["unloads"]}
    assert {name: u["outcome"] for name, u in unloads.items()} == {
        "lr_slow": "freed", "no_such_module": "refused", "lr_leak": "waiting"}
    assert unloads["lr_leak"]["outstanding_now"] == 2
    assert "get_leaky" not in tool.sites(unloads["lr_leak"]["holders"])
    truth.wait_freed(guest, "lr_leak", 2)


def test_without_an_unload_there_is_nothing_pending(guest):
    """The status is not the command's, and its output stays out of the document."""
    result = tool.lastref(guest, "run -j -- sh -c 'echo said by the command; exit 9'")
    assert result.status == tool.DONE
    doc = tool.one_document(result)
    assert (doc["command_status"], doc["unloads"]) == (9, [])
    assert "said by the command\n" in result.stderr
