# SPDX-License-Identifier: GPL-2.0-only
"""What code may rely on between its module's exit routine and the free, and that it ends there.

Each test does the same before the unload, which is its control, and after it, through a file that
was opened before; then the file is closed and everything must have vanished.
"""

import re

import pytest

import truth
from harness import modules

kernels = "patched"
TRACING = "/sys/kernel/tracing"
KPROBES = "/sys/kernel/debug/kprobes/list"
FUNCTION = "lr_late_traced"
# Behind the call of the tracer that every function begins with: a breakpoint, where a probe of
# the entry uses that call.
PROBES = {"entry": FUNCTION, "inside": f"{FUNCTION}+5"}


@pytest.fixture(scope="module")
def guest(boot, kernel):
    guest = boot(lastref=None, load=["lr_referee"],
                 extra_modules=modules.built(kernel, truth.PATCH_MODULES))
    guest.allow_splat(r"^WARNING: .*\blr_late_warn\+\S+ \[lr_late\]", "the module is told to warn")
    return guest


class Late:
    """lr_late with an open file, through which it is given commands."""

    def __init__(self, guest):
        self.guest = guest
        truth.control(guest, "lr_referee", "reset")
        truth.insmod(guest, "lr_late")
        # A shell: it not only has files open, it reads and writes them.
        self.job = guest.start("""exec 5<> /dev/lr_late || exit
            exec 6> /sys/module/lr_late/parameters/value || exit
            echo ready
            while read -r fd text; do
                if ! echo "$text" >&$fd; then echo refused
                elif [ $fd = 5 ]; then read -r answer <&5; echo "$answer"
                else echo written; fi
            done""", stdin=b"")
        self.job.wait_for("^ready$", "stdout")
        self.answers = 1
        self.freed = False

    def _tell(self, descriptor, text):
        self.job.write(f"{descriptor} {text}\n".encode())
        self.answers += 1
        self.job.wait_for(rf"\A(.*\n){{{self.answers}}}", "stdout")
        return self.job.stdout_so_far.splitlines()[-1]

    def do(self, command):
        """The answer of the module's own code."""
        return self._tell(5, command)

    def set_parameter(self, text):
        """Through a file of the parameter that was opened before the unload."""
        return self._tell(6, text)

    def unload(self):
        self.guest.check("rmmod lr_late")
        assert truth.proc_modules(self.guest, "lr_late")[4] == "Unloading"
        assert truth.sysfs(self.guest, "lr_late", "soft_refcnt") == "1"

    def free(self):
        self.job.close_stdin()
        self.job.wait()
        unload, = truth.wait_freed(self.guest, "lr_late")
        assert unload.freed_ns > unload.returned_ns > 0
        self.freed = True


def traces_of_it(guest):
    """The places where the kernel still knows the module."""
    return guest.check(f"""grep -c '\\[lr_late\\]' /proc/kallsyms
        grep -c '\\[lr_late\\]' {TRACING}/available_filter_functions
        grep -c '^lr_late ' /proc/modules
        ls -d /sys/module/lr_late 2> /dev/null | wc -l""").split()


@pytest.fixture
def late(guest):
    """Loaded and open; after the test closed, freed, and without a trace."""
    late = Late(guest)
    assert "0" not in traces_of_it(guest)
    yield late
    if not late.freed:
        assert "0" not in traces_of_it(guest)  # the test has unloaded it; all stays until the free
        late.free()
    assert traces_of_it(guest) == ["0"] * 4


@pytest.fixture
def probes(guest, late):
    """Counts the hits of kprobes that were attached before the unload."""
    for name, where in PROBES.items():
        guest.check(f"echo 'p:late_{name} lr_late:{where}' >> {TRACING}/kprobe_events")
    guest.check(f"echo 1 > {TRACING}/events/kprobes/enable")

    def hits():
        lines = guest.check(f"cat {TRACING}/kprobe_profile").splitlines()
        return {line.split()[0]: int(line.split()[1]) for line in lines}

    yield hits
    guest.check(f"echo 0 > {TRACING}/events/kprobes/enable; echo > {TRACING}/kprobe_events")
    assert not re.search(f"GONE|{FUNCTION}", guest.check(f"cat {KPROBES}"))


def test_a_fault_that_its_exception_table_mends(guest, late):
    assert truth.sysfs(guest, "lr_late", "sections/__ex_table")  # its own, not the kernel's
    assert late.do("fault") == "-14 faul"
    late.unload()
    assert late.do("fault") == "-14 faul"


def test_a_warning_with_a_symbolised_unwind(guest, late):
    def warn():
        guest.check("dmesg -c > /dev/null")
        assert late.do("warn") == "warned"
        log = guest.check("dmesg")
        assert log.count("lr_late was told to warn") == 1
        assert re.search(r"WARNING: .* at \S*lr_late\.c:\d+ lr_late_warn\+\S+ \[lr_late\]", log)
        # A line that the unwinder is sure of: no question mark before the name.
        assert re.search(r"\]  lr_late_write\+\S+ \[lr_late\]$", log, re.M), log
        return log

    assert "lr_late(O)" in warn()
    late.unload()
    assert "lr_late(O-)" in warn()


def test_its_per_cpu_data(guest, late):
    cpus = int(guest.check("nproc"))
    assert [late.do("percpu") for _ in range(2)] == [f"{cpus}", f"{2 * cpus}"]
    late.unload()
    assert [late.do("percpu") for _ in range(2)] == [f"{3 * cpus}", f"{4 * cpus}"]


def test_its_static_key(late):
    assert [late.do("key") for _ in range(3)] == ["0 1", "1 0", "0 1"]
    late.unload()
    assert [late.do("key") for _ in range(2)] == ["1 0", "0 1"]


def test_kprobes_that_were_there_before(guest, late, probes):
    for _ in range(3):
        late.do("traced")
    assert probes() == {"late_entry": 3, "late_inside": 3}
    late.unload()
    for _ in range(4):
        late.do("traced")
    assert probes() == {"late_entry": 7, "late_inside": 7}
    listed = [line for line in guest.check(f"cat {KPROBES}").splitlines() if FUNCTION in line]
    assert len(listed) == 2 and not any("GONE" in line for line in listed)


def test_kprobes_end_with_the_module(guest, late, probes):
    late.do("traced")
    late.unload()
    late.free()
    # The events wait for another module of that name; what they had probed is marked as gone.
    assert probes() == {"late_entry": 1, "late_inside": 1}
    assert guest.check(f"grep -c '\\[GONE\\]' {KPROBES}").strip() == "2"
    assert FUNCTION not in guest.check(f"cat {KPROBES}")


def test_no_new_kprobe_once_the_exit_routine_has_returned(guest, late):
    command = f"echo 'p:late_new lr_late:{FUNCTION}' > {TRACING}/kprobe_events"
    guest.check(f"{command}; echo > {TRACING}/kprobe_events")
    late.unload()
    assert guest.run(command).status != 0
    assert guest.check(f"cat {TRACING}/kprobe_events") == ""


def test_the_function_tracer_that_was_there_before(guest, late):
    guest.check(f"cd {TRACING} && echo > trace && echo {FUNCTION} > set_ftrace_filter && "
                "echo function > current_tracer")

    def calls():
        return guest.check(f"grep -c '{FUNCTION} <-lr_late_write' {TRACING}/trace || :").strip()

    for _ in range(3):
        late.do("traced")
    assert calls() == "3"
    late.unload()
    for _ in range(4):
        late.do("traced")
    assert calls() == "7"
    guest.check(f"cd {TRACING} && echo nop > current_tracer && echo > set_ftrace_filter")


def test_its_parameter_can_no_longer_be_written(guest, late):
    path = "/sys/module/lr_late/parameters/value"
    guest.check(f"echo 5 > {path}")
    assert late.set_parameter("6") == "written"
    assert late.do("sets") == "2 6"
    late.unload()
    assert late.set_parameter("7") == "refused"
    assert guest.run(f"echo 8 > {path}").status != 0
    assert late.do("sets") == "2 6"
