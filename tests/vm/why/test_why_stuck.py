# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on a machine on which things hang: it answers, in time, and says what it did not see.

All of them hang at the same time.
"""

from types import SimpleNamespace

import pytest

import tool
import truth
import why
from harness import modules
from harness.paths import VM

kernels = "all"
NVRAM = "/dev/nvram"
STUCK = "/sys/kernel/debug/lr_stuck"
SECONDS = 20  # of the guest's time, emulated on a busy machine; without a deadline it is for ever


@pytest.fixture(scope="module")
def guest(boot, kernel):
    guest = boot(extra_modules=modules.built(kernel, VM / "why" / "stuck_module"))
    guest.check(f"modprobe nvram; modprobe fuse; until [ -e {NVRAM} ]; do usleep 10000; done")
    return guest


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


@pytest.fixture(scope="module")
def stuck(guest, keep):
    """What hangs, as jobs and as what the keeper tells of those who have nvram open, and the document
    that lastref makes meanwhile."""
    truth.insmod(guest, "lr_stuck")
    it = SimpleNamespace(locked=keep(f"open {NVRAM}"))
    # Another lastref was stopped while it looked.
    it.stopped = guest.start("lastref why -j nvram & until grep -q lastref /proc/$!/comm; do :; done; "
                             "kill -STOP $!; echo pid $!; wait $!")
    it.stopped_pid = it.stopped.wait_for(r"^pid (\d+)$", "stdout")[1]
    guest.check("mkdir -p /mnt/dead")
    it.daemon = keep("fuse /mnt/dead")
    it.user = keep("open /mnt/dead/file")
    it.looker = guest.start(["ls", "/mnt/dead/"])
    it.apart = keep(f"open {NVRAM}")
    # A shell: cat(1) is to have it open while it hangs.
    it.sleeper = guest.start(f"exec 5< {NVRAM}; echo pid $$; exec cat {STUCK}/sleep")
    wait_asleep(guest, it.sleeper)
    guest.check(f"echo mmap {it.locked.pid} > {STUCK}/control")
    # The control: what reads its command line hangs. (Its memory map is read without that lock since
    # v6.17.)
    it.reader = guest.start(f"echo pid $$; exec cat /proc/{it.locked.pid}/cmdline")
    wait_asleep(guest, it.reader)
    it.doc = in_time(guest, "nvram")
    it.by_pid = {h["pid"]: h for h in why.holders(it.doc, kind="open_file")}
    it.doc_of_sleeper = in_time(guest, "lr_stuck")
    it.hung = [job for job in (it.reader, it.sleeper, it.looker) if not job.done]
    guest.check(f"echo release > {STUCK}/control")  # before the kernel calls the sleeper hung
    assert it.sleeper.wait().status == 0
    yield it
    it.daemon.end()  # who waits gets an error
    it.looker.wait()
    for held in (it.locked, it.user, it.apart):
        held.end()
    guest.check("umount -l /mnt/dead; until rmmod lr_stuck 2> /dev/null; do usleep 20000; done")
    why.free(guest, "nvram")


def test_all_are_named(stuck):
    assert stuck.doc["hard"] == {"refs": 3, "explained": 3, "unexplained": 0}, why.brief(stuck.doc)
    assert len(why.pinning(stuck.doc)) == len(stuck.by_pid) == 3, why.brief(stuck.doc)
    assert stuck.hung == [stuck.reader, stuck.sleeper, stuck.looker]


def test_a_process_whose_mmap_lock_is_held_for_ever(stuck):
    assert stuck.by_pid[stuck.locked.pid]["path"] == NVRAM


def test_a_process_in_uninterruptible_sleep(stuck):
    found, = [h for h in stuck.by_pid.values() if h["comm"] == "cat"]
    assert (found["fd"], found["path"]) == (5, NVRAM)
    sleeper = stuck.doc_of_sleeper
    assert (sleeper["hard"]["refs"], sleeper["hard"]["unexplained"]) == (1, 0)
    assert why.holder(sleeper, kind="open_file")["pid"] == found["pid"]


def test_a_mount_of_which_the_daemon_does_not_answer(guest, stuck):
    """A process has a file there open, and works there; what looks into the mount hangs."""
    assert stuck.by_pid[stuck.apart.pid]["path"] == NVRAM
    if truth.sysfs(guest, "fuse", "refcnt"):  # a module, on this kernel
        doc = in_time(guest, "fuse")
        named = {h.get("pid") for h in why.holders(doc, kind="open_file")}
        assert stuck.daemon.pid in named
    assert not stuck.looker.done


def test_a_stopped_lastref_is_no_holder_for_others(guest, stuck):
    """It has the files that it was started with, and no more; and goes on later."""
    assert [why.pids(h) for h in stuck.by_pid.values()] == [[pid] for pid in stuck.by_pid]
    assert int(stuck.stopped_pid) not in stuck.by_pid
    guest.check(f"kill -CONT {stuck.stopped_pid}")
    assert stuck.stopped.wait().status in (0, tool.OUTSTANDING)
