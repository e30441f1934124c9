# SPDX-License-Identifier: GPL-2.0-only
"""What the patched kernel offers to tracers: functions to probe, tracepoints, types."""

import re

import pytest

import truth

kernels = "patched"
guest_options = {"lastref": False, "load": ["lr_referee"]}
TRACING = "/sys/kernel/tracing"
GET, PUT, PUT_AND_EXIT = FUNCTIONS = ("__try_module_get_soft", "__module_put_soft",
                                      "__module_put_soft_and_exit")
PROBED = (*FUNCTIONS, "delayed_free_module", "module_soft_drop_base", "module_free_going")


@pytest.fixture
def traced(guest):
    """traced(command): the soft references' events while it runs, a list of lines.

    Symbols are looked up when the trace is read: the module must be there still.
    """
    def run(command):
        guest.check(f"cd {TRACING} && echo > trace && for event in get put; do "
                    "echo 1 > events/module/module_soft_$event/enable; done")
        guest.check(command)
        return [line for line in guest.check(f"cat {TRACING}/trace").splitlines()
                if not line.startswith("#")]

    yield run
    guest.check(f"echo 0 > {TRACING}/events/enable")


@pytest.mark.parametrize("function", PROBED)
def test_functions_can_be_probed_under_their_own_names(guest, function):
    symbols = guest.check(f"grep ' {function}' /proc/kallsyms")
    assert len(re.findall(rf" [tT] {function}$", symbols, re.M)) == 1
    # No .part, .isra, .constprop; a .cold is code of the function itself, only elsewhere.
    assert not re.search(rf" {function}\.(?!cold$)", symbols, re.M)
    blacklist = guest.check("cat /sys/kernel/debug/kprobes/blacklist")
    assert len(blacklist.splitlines()) > 10
    assert not re.search(rf"\s{function}$", blacklist, re.M)
    guest.check(f"echo 'p:it {function}' > {TRACING}/kprobe_events; echo > {TRACING}/kprobe_events")


def test_what_cannot_be_probed_is_refused(guest):
    """The control of the test above."""
    names = guest.check("awk '{ print $2 }' /sys/kernel/debug/kprobes/blacklist").split()
    result = guest.run(f"echo 'p:it {names[-1]}' > {TRACING}/kprobe_events")
    assert result.status != 0


def test_each_put_hits_exactly_one_probe(guest):
    """gcc once split the put so that a probe on it saw none of its runs."""
    guest.check(f"for f in {' '.join(FUNCTIONS)}; do echo p:n_$f $f >> {TRACING}/kprobe_events; "
                f"done; echo 1 > {TRACING}/events/kprobes/enable")
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 5 A", "put 2 B", "put 1 C work")
    truth.control(guest, "lr_refs", "put 2 A")
    truth.insmod(guest, "lr_threads", "threads=3 linger_ms=300")
    guest.check("rmmod lr_refs lr_threads")
    truth.wait_freed(guest, "lr_threads")
    lines = guest.check(f"cat {TRACING}/kprobe_profile").splitlines()
    guest.check(f"echo 0 > {TRACING}/events/kprobes/enable; echo > {TRACING}/kprobe_events")
    hits = {line.split()[0]: tuple(map(int, line.split()[1:])) for line in lines}
    assert hits == {f"n_{GET}": (8, 0), f"n_{PUT}": (5, 0), f"n_{PUT_AND_EXIT}": (3, 0)}


@pytest.mark.parametrize("event", ["module_soft_get", "module_soft_put"])
def test_the_tracepoints_fields(guest, event):
    text = guest.check(f"cat {TRACING}/events/module/{event}/format")
    fields = re.findall(r"\tfield:(.*?);", text.split("\n\n")[1])
    assert fields == ["unsigned long ip", "int outstanding", "__data_loc char[] name"]


def test_the_tracepoints_tell_who_and_how_many_are_left(guest, traced):
    truth.insmod(guest, "lr_refs")
    lines = traced(f"cd {truth.DEBUGFS}/lr_refs; echo get 2 A > control; echo put 1 B > control; "
                   "echo put 1 C softirq > control")
    told = [re.sub(r".*: (module_soft_\w+: )", r"\1", line) for line in lines]
    assert told == [
        "module_soft_get: lr_refs call_site=lr_get_a [lr_refs] outstanding=1",
        "module_soft_get: lr_refs call_site=lr_get_a [lr_refs] outstanding=2",
        "module_soft_put: lr_refs call_site=lr_put_b [lr_refs] outstanding=1",
        "module_soft_put: lr_refs call_site=lr_put_c [lr_refs] outstanding=0",
    ], lines
    # The flags begin with "d" where interrupts were off, and have an "s" in a softirq.
    flags = [re.search(r"\[\d+\] (\S+)", line)[1] for line in lines]
    assert all(f[0] in "dD" for f in flags), lines
    assert "s" in flags[-1], lines
    assert traced("rmmod lr_refs") == []  # the base is nobody's reference


def test_put_and_exit_tells_its_caller(guest, traced):
    truth.insmod(guest, "lr_threads", "threads=2")
    lines = traced(f"cd {truth.DEBUGFS}/lr_threads; echo leave 1 > control; echo leave 0 > control;"
                   " until grep -q 'outstanding 0' counters; do usleep 10000; done")
    told = [re.sub(r".*: module_soft_put: ", "", line) for line in lines]
    # A call that does not return may be a function's last instruction: the return address is then
    # where the next function begins, and ftrace names that one.
    symbols = guest.check(r"grep -i ' t .*\[lr_threads\]' /proc/kallsyms | sort").splitlines()
    functions = [line.split()[2] for line in symbols]
    at = functions.index("lr_thread_main")
    assert told in [[f"lr_threads call_site={name} [lr_threads] outstanding={n}" for n in (1, 0)]
                    for name in functions[at:at + 2]], (told, functions)
    assert sorted(line.split("-")[0].strip() for line in lines) == ["lr_threads/0", "lr_threads/1"]
    guest.check("rmmod lr_threads")


def test_a_refused_get_is_not_traced(guest, traced):
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 1", "later 1 100 A try")
    lines = traced("rmmod lr_refs; while [ -e /sys/module/lr_refs ]; do usleep 20000; done")
    assert [line for line in lines if "module_soft_get" in line] == []
    assert len(lines) == 1  # the put
    assert "lr_refs: late get=failed" in guest.check("dmesg")
