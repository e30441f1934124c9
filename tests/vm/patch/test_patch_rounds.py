# SPDX-License-Identifier: GPL-2.0-only
"""A thousand times `rmmod a; rmmod b; insmod a.ko`, of modules that never use soft references.

What an unload waits for is the same with the series and without: this file runs on the unpatched
kernels as well (--kernel 6.12-unpatched).
"""

import re

import pytest

import truth
from harness.compiled import compiled
from harness.paths import REPO

kernels = ["6.12", "6.1", "6.12-debug", "6.12-unpatched", "6.1-unpatched"]
TRACING = "/sys/kernel/tracing"
# The first argument of the user, whose registers are the first argument of the function.
NAME = "name=+0(+112(%di)):ustring"
EVENTS = f"{TRACING}/events/kprobes"
# All that can wait for others; what a kernel does not have is left out.
WAITING = ("synchronize_rcu", "synchronize_rcu_expedited", "synchronize_rcu_tasks",
           "synchronize_rcu_tasks_rude", "synchronize_rcu_tasks_trace", "synchronize_srcu",
           "synchronize_srcu_expedited", "rcu_barrier", "rcu_barrier_tasks", "stop_machine")
MEMORY_TYPES = 7  # MOD_MEM_NUM_TYPES in include/linux/module.h
# An unload of the one that depends, of the other, and a load of the other again; and two modules
# that have nothing to do with each other.
DEPENDENT = "-lr_user -lr_base +modules/lr_base.ko +modules/lr_user.ko"
INDEPENDENT = "-lr_slow -lr_base '+modules/lr_slow.ko exit_ms=0' +modules/lr_base.ko"


@pytest.fixture(scope="module")
def guest(boot):
    """With ./rounds, the program that does the rounds."""
    rounds = compiled("rounds", [REPO / "tests" / "soak" / "rounds.c"])
    return boot(lastref=None, copies={"rounds": rounds})


@pytest.fixture(scope="module")
def waits(guest):
    """waits(COMMAND): what each unload of a command waited for, as {(module, calls): unloads}."""
    names = "|".join(WAITING)
    functions = guest.check(f"awk '$2 ~ /^[tT]$/ && $3 ~ /^({names})$/ {{ print $3 }}' "
                            "/proc/kallsyms", timeout=200).split()
    assert "synchronize_rcu" in functions
    events = [f"p:unload __x64_sys_delete_module {NAME}", "r:unloaded __x64_sys_delete_module",
              *(f"p:wait_{f} {f}" for f in functions)]
    for event in events:
        guest.check(f"echo '{event}' >> {TRACING}/kprobe_events")

    def run(command):
        result = guest.run(f"""cd {TRACING} && echo > trace && echo $$ > set_event_pid || exit 99
            echo 1 > {EVENTS}/enable && cd /root && exec {command}""", timeout=500)
        guest.check(f"echo 0 > {EVENTS}/enable")
        lost = re.findall(r"(?:overrun|dropped events): (\d+)", guest.check(
            f"cat {TRACING}/per_cpu/cpu*/stats"))
        assert set(lost) == {"0"}
        counted = guest.check(f"""awk '
            match($0, / unload: .*name="[a-z_]+"/) {{
                name = substr($0, RSTART, RLENGTH - 1); sub(/.*"/, "", name); calls = "" }}
            name && match($0, / wait_[a-z_]+: /) {{
                calls = calls " " substr($0, RSTART + 6, RLENGTH - 8) }}
            / unloaded: / {{ unloads[name calls]++; name = "" }}
            END {{ for (key in unloads) print unloads[key], key }}' {TRACING}/trace""")
        found = {}
        for line in counted.splitlines():
            number, name, *calls = line.split()
            found[name, tuple(calls)] = int(number)
        return result, found

    yield run
    guest.check(f"echo > {TRACING}/set_event_pid; echo > {TRACING}/kprobe_events")


def expected_waits(kernel, module):
    """One before the memory is freed, and one of ftrace's if there are functions that it can trace
    besides init and exit: lr_user has one, a timer's, only where there are soft references. On a
    debug kernel lockdep_free_key_range() waits too, for each kind of a module's memory."""
    has_functions = module == "lr_base" or (module == "lr_user" and kernel.patched)
    of_lockdep = MEMORY_TYPES if kernel.name.endswith("-debug") else 0
    return ("synchronize_rcu",) * (1 + has_functions + of_lockdep)


@pytest.mark.parametrize("steps, rounds", [(DEPENDENT, 1000), (INDEPENDENT, 200)],
                         ids=["dependent", "independent"])
def test_a_thousand_rounds(guest, kernel, waits, steps, rounds):
    if kernel.name.endswith("-debug"):
        rounds //= 10  # there a round takes that much longer
    pair = re.findall(r"-(\w+)", steps)
    for name in reversed(pair):
        truth.insmod(guest, name, "exit_ms=0" if name == "lr_slow" else "")
    result, found = waits(f"./rounds {rounds} {steps}")
    assert (result.status, result.stderr) == (0, "")  # neither EBUSY nor EAGAIN
    assert result.stdout.startswith(f"{rounds} rounds")
    assert found == {(name, expected_waits(kernel, name)): rounds for name in pair}
    guest.check(f"rmmod {' '.join(pair)}")


def test_the_program_stops_at_an_error(guest):
    """The control for EBUSY: a module of that name is there."""
    truth.insmod(guest, "lr_base")
    result = guest.run("./rounds 2 +modules/lr_user.ko +modules/lr_user.ko")
    assert result.status == 1
    assert "round 1, +modules/lr_user.ko: File exists" in result.stderr
    guest.check("rmmod lr_user lr_base")


def test_a_further_wait_would_be_seen(guest, kernel, waits):
    """The control for the waits: this one has used soft references, where there are some."""
    truth.insmod(guest, "lr_refs")
    if kernel.patched:
        truth.control(guest, "lr_refs", "pairs 1")
    result, found = waits("rmmod lr_refs")
    assert result.status == 0
    ((name, calls), unloads), = found.items()
    assert (name, unloads) == ("lr_refs", 1)
    assert calls.count("synchronize_rcu_tasks") == kernel.patched
