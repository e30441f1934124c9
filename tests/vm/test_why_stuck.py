# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on a machine on which things hang: it answers, in time, and says what it did not see."""

import pytest

import tool
import truth
import why
from harness import modules
from harness.paths import HARNESS

kernels = "all"
UHID = "/dev/uhid"
STUCK = "/sys/kernel/debug/lr_stuck"
SECONDS = 20  # of the guest's time, emulated on a busy machine; without a deadline it is for ever


@pytest.fixture(scope="module")
def guest(boot, kernel):
    guest = boot(copies=why.keeper_program(), extra_modules=modules.built(
        kernel, HARNESS.parent / "stuck_module"))
    guest.check(f"modprobe uhid; modprobe fuse; until [ -e {UHID} ]; do usleep 10000; done")
    return guest


@pytest.fixture
def keep(guest):
    truth.insmod(guest, "lr_stuck")
    keeper = why.Keeper(guest)
    yield keeper
    guest.check(f"echo release > {STUCK}/control")  # else they could not be ended
    keeper.close()
    guest.check("until rmmod lr_stuck 2> /dev/null; do usleep 20000; done")
    why.free(guest, "uhid")


def wait_asleep(guest, job):
    """Until a job that has told its pid sleeps uninterruptibly. pidof would not do: it reads the
    command lines of all processes, and hangs with them."""
    pid = job.wait_for(r"^pid (\d+)$", "stdout")[1]
    guest.check(f"until grep -q '^State:.D' /proc/{pid}/status; do usleep 10000; done")


def in_time(guest, module):
    """The document, which must come in time by the guest's own clock."""
    before, after = "/tmp/before", "/tmp/after"
    guest.check(f"cut -d. -f1 /proc/uptime > {before}")
    doc = why.ask(guest, module)
    guest.check(f"cut -d. -f1 /proc/uptime > {after}")
    took = int(guest.check(f"cat {after}")) - int(guest.check(f"cat {before}"))
    assert took < SECONDS, why.brief(doc)
    return doc


def test_a_process_whose_mmap_lock_is_held_for_ever(guest, keep):
    kept = keep(f"open {UHID}")
    guest.check(f"echo mmap {kept['pid']} > {STUCK}/control")
    # The control: what reads its memory map hangs.
    reader = guest.start(f"echo pid $$; exec cat /proc/{kept['pid']}/maps")
    wait_asleep(guest, reader)
    doc = in_time(guest, "uhid")
    assert (doc["hard"]["refs"], doc["hard"]["explained"]) == (1, 1), why.brief(doc)
    found = why.holder(doc, kind="open_file")
    assert (found["pid"], found["path"]) == (kept["pid"], UHID)
    assert not reader.done


def test_a_process_in_uninterruptible_sleep(guest, keep):
    job = guest.start(f"exec 5< {UHID}; echo pid $$; exec cat {STUCK}/sleep")
    wait_asleep(guest, job)
    doc = in_time(guest, "uhid")
    found = why.holder(doc, kind="open_file")
    assert (found["comm"], found["fd"], found["path"]) == ("cat", 5, UHID)
    sleeper = in_time(guest, "lr_stuck")
    assert (sleeper["hard"]["refs"], sleeper["hard"]["unexplained"]) == (1, 0)
    assert why.holder(sleeper, kind="open_file")["pid"] == found["pid"]
    guest.check(f"echo release > {STUCK}/control")
    assert job.wait().status == 0


def test_a_mount_of_which_the_daemon_does_not_answer(guest, keep):
    """A process has a file there open, and works there; what looks into the mount hangs."""
    guest.check("mkdir -p /mnt/dead")
    daemon = keep("fuse /mnt/dead")
    user = keep("open /mnt/dead/file")
    stuck = guest.start(["ls", "/mnt/dead/"])
    kept = keep(f"open {UHID}")
    doc = in_time(guest, "uhid")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}, why.brief(doc)
    assert why.holder(doc, kind="open_file")["pid"] == kept["pid"]
    if truth.sysfs(guest, "fuse", "refcnt"):  # a module, on this kernel
        doc = in_time(guest, "fuse")
        named = {h.get("pid") for h in why.holders(doc, kind="open_file")}
        assert daemon["pid"] in named
    assert not stuck.done
    keep.end(daemon)  # who waits gets an error
    stuck.wait()
    keep.end(user)
    guest.check("umount -l /mnt/dead")


def test_a_stopped_lastref_is_no_holder_for_others(guest, keep):
    """One that was stopped while it looked has the files that it was started with, and no more."""
    kept = keep(f"open {UHID}")
    stopped = guest.start("lastref why -j uhid & until grep -q lastref /proc/$!/comm; do :; done; "
                          "kill -STOP $!; echo pid $!; wait $!")
    pid = stopped.wait_for(r"^pid (\d+)$", "stdout")[1]
    doc = in_time(guest, "uhid")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}, why.brief(doc)
    assert why.pids(why.holder(doc, kind="open_file")) == [kept["pid"]]
    guest.check(f"kill -CONT {pid}")
    assert stopped.wait().status in (0, tool.OUTSTANDING)
