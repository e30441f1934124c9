# SPDX-License-Identifier: GPL-2.0-only
"""The scanner that decides whether a kernel's console is clean."""

import pytest

from harness import splat

kernels = []

BAD = [
    "WARNING: CPU: 1 PID: 71 at kernel/module/main.c:740 free_module+0x1/0x2",
    "WARNING: possible circular locking dependency detected",
    "WARNING: suspicious RCU usage",
    "BUG: unable to handle page fault for address: ffffffffc0001000",
    "BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "BUG: sleeping function called from invalid context at mm/slab.h:1",
    "BUG: KASAN: slab-use-after-free in module_put+0x1/0x2",
    "BUG: spinlock bad magic on CPU#0, rmmod/71",
    "kernel BUG at kernel/module/main.c:100!",
    "Oops: Oops: 0002 [#1] PREEMPT SMP",
    "general protection fault, probably for non-canonical address 0xdead: 0000 [#1]",
    "int3: 0000 [#1] PREEMPT SMP NOPTI",
    "Kernel panic - not syncing: Fatal exception",
    "INFO: task rmmod:71 blocked for more than 120 seconds.",
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
    "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "INFO: rcu_tasks detected stalls on tasks:",
    "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [lr_spin:90]",
    "ODEBUG: free active (active state 0) object: 00000000 object type: work_struct",
    "list_del corruption. prev->next should be ffff888, but was dead000",
    "refcount_t: underflow; use-after-free.",
    "kobject: '(null)' (ffff888): is not initialized, yet kobject_put() is being called.",
    "sysfs: cannot create duplicate filename '/module/foo'",
    "kmemleak: 1 new suspicious memory leaks (see /sys/kernel/debug/kmemleak)",
]

GOOD = [
    "Warning: unable to open an initial console.",
    "Run /init as init process",
    "foo: loading out-of-tree module taints kernel.",
    "foo: module verification failed: signature and/or required key missing - tainting kernel",
    "rcu: Hierarchical RCU implementation.",
    "rcu: INFO: Adjusting geometry",
    "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
    "lr_refs: a text with WARNING: and BUG: in the middle",
    "x86/mm: Checked W+X mappings: passed, no W+X pages found.",
    "debug: unmapping init [mem 0xffffffff82e00000-0xffffffff82ffffff]",
]

PREFIXES = ["", "[    3.066049] ", "[    3.066049][   T71] ", "[ 1234.000001] "]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("line", BAD)
def test_complaints_are_found(line, prefix):
    found = splat.scan(f"[    1.0] before\n{prefix}{line}\r\n[    2.0] after\n")
    assert [s.line for s in found] == [line]
    assert "after" in found[0].context


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("line", GOOD)
def test_other_messages_pass(line, prefix):
    assert splat.scan(f"{prefix}{line}\n") == []


def test_one_warning_counts_once():
    text = """[   12.000001] ------------[ cut here ]------------
[   12.000002] this is the control
[   12.000003] WARNING: CPU: 0 PID: 66 at warn.c:10 warn_init+0x10/0xff [warn]
[   12.000004] Modules linked in: warn(O+)
[   12.000005] Call Trace:
[   12.000006]  <TASK>
[   12.000007]  do_one_initcall+0x50/0x300
[   12.000008] ---[ end trace 0000000000000000 ]---
"""
    found = splat.scan(text)
    assert len(found) == 1
    assert found[0].line.startswith("WARNING: CPU: 0")


def test_two_warnings_count_twice():
    one = "[   12.0] ------------[ cut here ]------------\n[   12.0] WARNING: CPU: {} PID: 1 at a.c:1\n"
    assert len(splat.scan(one.format(0) + one.format(1))) == 2


def test_a_splat_cut_off_by_the_end_of_the_console_counts():
    assert len(splat.scan("[   12.0] ------------[ cut here ]------------\n[   12.0] oh")) == 1
