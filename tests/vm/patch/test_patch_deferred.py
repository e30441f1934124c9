# SPDX-License-Identifier: GPL-2.0-only
"""The patched kernel while it defers a free: what everybody else can see and do meanwhile."""

import pytest

import truth
from harness import modules

kernels = "patched"
guest_options = {"lastref": False, "load": ["lr_referee"]}


@pytest.fixture(autouse=True)
def fresh_referee(guest):
    truth.control(guest, "lr_referee", "reset")


@pytest.fixture
def going(guest, keep):
    """lr_file, unloaded while a file pins it; freed when the test is over."""
    truth.insmod(guest, "lr_file")
    file = keep("open_r /dev/lr_file")
    guest.check("rmmod lr_file")
    yield
    file.end()
    unload = truth.wait_freed(guest, "lr_file")[0]
    assert unload.ret == 0
    assert unload.freed_ns > unload.returned_ns > 0
    assert truth.proc_modules(guest, "lr_file") is None


def test_rmmod_returns_although_its_own_stdin_pins_the_module(guest):
    """The RFC's first example: with a hard reference this would be refused or deadlock."""
    truth.insmod(guest, "lr_file")
    assert truth.counters(guest, "lr_file") == {"open": 0, "outstanding": 1}
    guest.check("rmmod lr_file < /dev/lr_file")
    unload, = truth.wait_freed(guest, "lr_file")
    assert (unload.ret, truth.outstanding_at_exit(guest, "lr_file")[-1]) == (0, 1)
    assert unload.freed_ns > unload.returned_ns


def test_threads_outlive_the_exit_routine(guest):
    """The RFC's second example; the count falls thread by thread and is 0 in the grace period."""
    truth.insmod(guest, "lr_threads", "threads=3 linger_ms=500")
    seen = guest.check("""rmmod lr_threads
        last=
        while read n 2> /dev/null < /sys/module/lr_threads/soft_refcnt; do
            [ "$n" = "$last" ] || echo $n
            last=$n
        done 2> /dev/null""")
    assert seen.split() == ["3", "2", "1", "0"]
    unload, = truth.wait_freed(guest, "lr_threads")
    assert truth.outstanding_at_exit(guest, "lr_threads") == [3]
    # The last thread leaves 3 * linger_ms after the exit routine began.
    assert unload.freed_ns - unload.requested_ns > 1_500_000_000


def test_the_module_is_seen_as_unloading(guest, going):
    fields = truth.proc_modules(guest, "lr_file")
    assert fields[2:5] == ["-1", "-", "Unloading"]
    assert truth.sysfs(guest, "lr_file", "initstate") == "going"
    assert truth.sysfs(guest, "lr_file", "refcnt") == "-1"
    assert truth.sysfs(guest, "lr_file", "soft_refcnt") == "1"


def test_a_load_of_the_same_name_is_busy(guest, going):
    result = guest.run(f"insmod {truth.MODULES}/lr_file.ko")
    assert result.status != 0
    assert "Device or resource busy" in result.stderr


def test_a_second_unload_is_busy(guest, going):
    result = guest.run("busybox rmmod lr_file")  # asks the kernel at once, unlike kmod's
    assert result.status != 0
    assert "Device or resource busy" in result.stderr
    assert truth.unloads(guest, "lr_file")[-1].ret == -16


def test_the_file_can_still_be_read(guest):
    """The memory is there, and so is the code in it."""
    truth.insmod(guest, "lr_file")
    answer = guest.check("exec 5< /dev/lr_file; rmmod lr_file; cat <&5")
    assert answer == "lr_file\n"
    truth.wait_freed(guest, "lr_file")


def test_parameters_are_gone_once_the_exit_routine_has_returned(guest):
    truth.insmod(guest, "lr_leak", "release_ms=2000")
    truth.control(guest, "lr_leak", "leak 2")
    assert truth.sysfs(guest, "lr_leak", "parameters/release_ms") == "2000"
    guest.check("rmmod lr_leak")
    assert truth.sysfs(guest, "lr_leak", "soft_refcnt") == "2"
    assert truth.sysfs(guest, "lr_leak", "parameters/release_ms") is None
    unload, = truth.wait_freed(guest, "lr_leak")
    assert unload.freed_ns > unload.returned_ns


def test_what_it_depends_on_stays_pinned_until_the_free(guest):
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user", "hold_ms=2000")
    refused = guest.run("rmmod lr_user && busybox rmmod lr_base")
    assert "Resource temporarily unavailable" in refused.stderr
    assert truth.sysfs(guest, "lr_base", "refcnt") == "1"
    truth.wait_freed(guest, "lr_user")
    assert truth.sysfs(guest, "lr_base", "refcnt") == "0"
    guest.check("rmmod lr_base")
    refused, unload = truth.unloads(guest, "lr_base")
    assert refused.ret == -11
    assert 0 < unload.freed_ns <= unload.returned_ns


def test_a_failed_init_waits_for_its_thread(guest):
    """Nobody asked for this unload, yet the memory must wait."""
    result = guest.run(f"insmod {truth.MODULES}/lr_failinit.ko linger_ms=2000")
    assert result.status != 0
    assert "Input/output error" in result.stderr
    assert truth.sysfs(guest, "lr_failinit", "soft_refcnt") == "1"
    assert truth.sysfs(guest, "lr_failinit", "initstate") == "going"
    again = guest.run(f"insmod {truth.MODULES}/lr_failinit.ko")
    assert "Device or resource busy" in again.stderr
    unload, = truth.wait_freed(guest, "lr_failinit")
    assert (unload.requested_ns, unload.returned_ns) == (0, 0)
    again = guest.run(f"insmod {truth.MODULES}/lr_failinit.ko linger_ms=0")
    assert "Input/output error" in again.stderr  # the name is free again
    truth.wait_freed(guest, "lr_failinit", count=2)


def test_gets_fail_once_the_exit_routine_has_returned(guest):
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 2 B", "later 2 200 B try")
    guest.check("rmmod lr_refs")
    truth.wait_freed(guest, "lr_refs")
    assert "lr_refs: late get=failed" in guest.check("dmesg")


def test_a_preempted_task_in_module_text_is_waited_for(boot, kernel):
    """After its last put a thread spins on, preempted now and then: the free comes after it."""
    vm = boot(lastref=None, smp=1, append="preempt=full", load=["lr_referee"],
              extra_modules=modules.built(kernel, truth.PATCH_MODULES))
    truth.insmod(vm, "lr_spin", "spin_ms=500")
    vm.check("rmmod lr_spin")
    unload, = truth.wait_freed(vm, "lr_spin")
    log = vm.check("dmesg")
    put, left = (int(log.split(f"lr_spin: {what} ")[1].split()[0]) for what in ("put", "left"))
    assert left - put >= 500_000_000
    assert unload.freed_ns > left
    # The control: the syscall had returned before, so nothing but the wait kept the memory.
    assert unload.returned_ns < put
