# SPDX-License-Identifier: GPL-2.0-only
"""The patched kernel where nothing is outstanding: unloads are what they have always been."""

import pytest

import truth

kernels = "patched"
guest_options = {"lastref": False, "load": ["lr_referee"]}
TRACING = "/sys/kernel/tracing"


@pytest.fixture(autouse=True)
def fresh_referee(guest):
    truth.control(guest, "lr_referee", "reset")


@pytest.fixture(scope="module")
def grace_periods(guest):
    """grace_periods(command) runs it and counts the waits for preempted tasks meanwhile."""
    guest.check(f"echo 'p:grace synchronize_rcu_tasks' > {TRACING}/kprobe_events && "
                f"echo 1 > {TRACING}/events/kprobes/grace/enable")

    def hits():
        return int(guest.check(f"cat {TRACING}/kprobe_profile").split()[1])

    def count(command):
        before = hits()
        guest.check(command)
        return hits() - before

    yield count
    guest.check(f"echo 0 > {TRACING}/events/kprobes/grace/enable; echo > {TRACING}/kprobe_events")


def test_never_used_is_freed_within_the_call_without_a_grace_period(guest, grace_periods):
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    assert grace_periods("rmmod lr_slow") == 0
    unload, = truth.unloads(guest, "lr_slow")
    assert 0 < unload.freed_ns <= unload.returned_ns


def test_used_but_all_gone_is_freed_within_the_call_after_one(guest, grace_periods):
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "pairs 10")
    assert grace_periods("rmmod lr_refs") == 1
    unload, = truth.unloads(guest, "lr_refs")
    assert 0 < unload.freed_ns <= unload.returned_ns
    assert truth.outstanding_at_exit(guest, "lr_refs") == [0]


def test_outstanding_is_freed_after_the_call(guest):
    """The control of the two tests above."""
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 1", "later 1 300")
    guest.check("rmmod lr_refs")
    unload, = truth.wait_freed(guest, "lr_refs")
    assert unload.freed_ns > unload.returned_ns > 0


def test_last_put_inside_the_exit_routine(guest):
    """lr_file with no open file: its exit drops the last reference itself."""
    truth.insmod(guest, "lr_file")
    guest.check("rmmod lr_file")
    unload, = truth.unloads(guest, "lr_file")
    assert 0 < unload.freed_ns <= unload.returned_ns
    assert truth.outstanding_at_exit(guest, "lr_file") == [0]


def test_unload_and_load_again_in_quick_succession(guest):
    """A free that came only after the return gave EBUSY six times in six."""
    result = guest.run(f"""cd {truth.MODULES}
        insmod lr_slow.ko exit_ms=0
        for i in 1 2 3 4; do
            rmmod lr_slow && insmod lr_slow.ko exit_ms=0 && echo again
        done
        rmmod lr_slow""")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.split() == ["again"] * 4


def test_dependent_modules_in_quick_succession(guest):
    result = guest.run(f"""cd {truth.MODULES}
        for i in 1 2 3 4; do
            insmod lr_base.ko && insmod lr_user.ko && rmmod lr_user && rmmod lr_base && echo again
        done""")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.split() == ["again"] * 4


def test_gets_and_puts_do_not_free_a_live_module(guest):
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "pairs 1000", "pairs 100 B softirq", "pairs 100 C work",
                  "pairs 100 A hardirq", "mix 500")
    counted = truth.counters(guest, "lr_refs")
    assert counted["get"] == counted["put"] == 1000 + 3 * 100 + 3 * 500
    assert counted["failed"] == 0
    assert truth.proc_modules(guest, "lr_refs")[4] == "Live"
    assert truth.sysfs(guest, "lr_refs", "soft_refcnt") == "0"
    guest.check("rmmod lr_refs")


def test_a_refused_unload_changes_nothing(guest):
    """The RFC's patch lost the reference that the refused call had taken."""
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "hget 1", "get 2")
    for _ in range(3):
        result = guest.run("busybox rmmod lr_refs")
        assert "Resource temporarily unavailable" in result.stderr
    assert truth.sysfs(guest, "lr_refs", "soft_refcnt") == "2"
    assert truth.proc_modules(guest, "lr_refs")[2:5] == ["1", "-", "Live"]
    truth.control(guest, "lr_refs", "hput 1", "put 2")
    guest.check("rmmod lr_refs")
    assert [u.ret for u in truth.unloads(guest, "lr_refs")] == [-11, -11, -11, 0]
    assert truth.unloads(guest, "lr_refs")[-1].freed_ns > 0


def test_sysfs_has_the_count_at_every_moment(guest):
    truth.insmod(guest, "lr_refs")
    expected = 0
    for command, change in (("get 7 A", 7), ("put 3 B", -3), ("get 5 C softirq", 5),
                            ("put 1 A work", -1), ("get 2 B hardirq", 2), ("put 10 A", -10)):
        truth.control(guest, "lr_refs", command)
        expected += change
        assert truth.sysfs(guest, "lr_refs", "soft_refcnt") == str(expected)
        assert truth.counters(guest, "lr_refs")["outstanding"] == expected
    guest.check("rmmod lr_refs")
    for module in guest.check("cut -d' ' -f1 /proc/modules").split():
        assert truth.sysfs(guest, module, "soft_refcnt") == "0", module
