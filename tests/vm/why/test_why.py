# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: the answer, what stands around it, and what it says where it cannot look."""

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"load": ["lr_referee"]}
FILE = f"{truth.DEBUGFS}/lr_referee/unloads"
AS_NOBODY = "su nobody -c '{}'"


class Held:
    """A file that two processes share, and one in a container, of a service: both at once.

    The first question, and the last, are asked by other spellings of the name.
    """

    def __init__(self, guest, keep):
        guest.check("mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup; "
                    "mkdir -p /sys/fs/cgroup/system.slice/lr@test.service")
        before = left_behind(guest)
        sharing = keep(f"open_r {FILE} open_r {FILE} share 2 name parent")
        self.parent, self.child = sharing.pids
        self.contained = keep("join /system.slice/lr@test.service pid_namespace open_r " + FILE)
        self.doc = why.ask(guest, "/lib/modules/6.1/extra/lr-referee.ko.xz")
        self.contained.end()
        guest.check(self.doc["next"][-1])
        self.after = why.ask(guest, "lr-referee.ko", tool.DONE)
        self.left_behind = before, left_behind(guest)


def left_behind(guest):
    return truth.module_list(guest), guest.check("wc -l < /sys/kernel/debug/kprobes/list")


@pytest.fixture(scope="module")
def held(guest, keep):
    return Held(guest, keep)


def test_all_is_explained(held):
    doc = held.doc
    assert doc["module"] == "lr_referee"
    assert doc["hard"] == {"refs": 3, "explained": 3, "unexplained": 0}
    assert doc["complete"] is True, doc["not_examined"]
    assert {h["kind"] for h in doc["holders"]} == {"open_file"}


def test_a_file_that_processes_share(held):
    files = [h for h in held.doc["holders"] if h["pid"] == held.parent]
    assert [(h["fd"], h["path"], h["refs"]) for h in files] == [(3, FILE, 1), (4, FILE, 1)]
    assert [[s["pid"] for s in h["shared_by"]] for h in files] == [[held.child], [held.child]]
    assert 0 < files[0]["age_max_ns"] < int(held.doc["ts_ns"])
    assert held.doc["verdict"].startswith(
        f"lr_referee cannot be unloaded: parent[{held.parent}] has {FILE} open "
        f"(shared with keeper[{held.child}]), and ")
    assert held.doc["next"] == ["systemctl stop lr@test.service",
                                f"kill {held.parent} {held.child}"]


def test_the_unit_and_the_pid_in_a_container(held):
    holder, = [h for h in held.doc["holders"] if h["unit"] == "lr@test.service"]
    assert (holder["fd"], holder["ns_pid"], holder["refs"]) == (3, 1, 1)
    assert holder["pid"] == held.contained.pid > 1
    assert holder["remedy"] == "systemctl stop lr@test.service"
    assert held.doc["verdict"].endswith(
        f" and keeper[{holder['pid']}] (lr@test.service) has {FILE} open.")


def test_when_they_have_ended(held):
    doc = held.after
    assert (doc["module"], doc["hard"]["refs"]) == ("lr_referee", 0)
    assert (doc["holders"], doc["next"]) == ([], [])
    assert doc["verdict"] == "lr_referee can be unloaded: nothing holds it."


def test_it_leaves_nothing_behind(held):
    before, after = held.left_behind
    assert before == after


def test_a_module_that_depends_on_it(guest):
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    doc = why.ask(guest, "lr_base")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert [(h["kind"], h["path"]) for h in doc["holders"]] == [("dependent", "lr_user")]
    assert doc["verdict"] == "lr_base cannot be unloaded: lr_user depends on it."
    assert (doc["dependents"], doc["next"]) == (["lr_user"], ["rmmod lr_user"])
    # /sys/module tells anybody which modules they are.
    doc = why.ask(guest, "lr_base", tool.UNSUPPORTED, AS_NOBODY)
    guest.check("rmmod lr_user; rmmod lr_base")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert [(h["kind"], h["path"]) for h in doc["holders"]] == [("dependent", "lr_user")]


def test_a_misspelt_name(guest):
    """By another spelling, too: nothing of the kernel is searched."""
    doc = why.ask(guest, "lr-refreee.ko", tool.REFUSED)
    assert (doc["state"], doc["verdict"], doc["similar"]) == (
        "not_loaded", "lr_refreee is not loaded.", ["lr_referee"])
    assert doc["next"] == ["Did you mean lr_referee?"]
    assert (doc["hard"], doc["soft"], doc["instance_id"]) == (None, None, None)


def test_a_part_of_the_kernel(guest):
    doc = why.ask(guest, "printk", tool.REFUSED)
    assert doc["state"] == "builtin"
    assert doc["verdict"] == "printk is built into this kernel and cannot be unloaded."
    assert doc["next"] == []


@pytest.mark.parametrize("command, told, remedy", [
    (AS_NOBODY, "not root", "run it with sudo"),
    ("echo 2 > /proc/sys/kernel/kptr_restrict; {}", "/proc/kallsyms hides addresses",
     "sysctl kernel.kptr_restrict=1"),
])
def test_what_anybody_may_see(guest, keep, command, told, remedy):
    """Where the kernel cannot be searched, /sys/module still tells how many."""
    file = keep(f"open_r {FILE}")
    before = guest.check("cat /proc/sys/kernel/kptr_restrict").strip()
    try:
        result = why.run(guest, "lr_referee", command)
    finally:
        guest.check(f"echo {before} > /proc/sys/kernel/kptr_restrict")
    file.end()
    doc = why.document(result, tool.UNSUPPORTED)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert (doc["state"], doc["complete"]) == ("live", False)
    assert told in doc["not_examined"][0]["why"]
    assert doc["verdict"].startswith("lr_referee cannot be unloaded: who holds its only reference "
                                     f"cannot be seen: {told}")
    assert doc["next"] == [remedy]
    assert told in result.stderr and remedy in result.stderr


def test_types_are_not_read_from_files_alone(guest, keep):
    """The kernel's own lie in its memory, which takes a third of the time to read."""
    hide = "mount -t tmpfs none /sys/kernel/btf"
    file = keep(f"open_r {FILE}")
    doc = why.ask(guest, "lr_referee", around=f"unshare -m sh -c '{hide}; {{}}'")
    file.end()
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}


def test_doctor_knows_that_nobody_may_search(guest):
    """That root may is in test_why_blind.py."""
    lines = guest.run("su nobody -c 'lastref doctor'").stdout.splitlines()
    assert any(line.split()[:2] == ["NO", "why"] for line in lines)
