# SPDX-License-Identifier: GPL-2.0-only
"""What every other VM test relies on: commands, streams, signals and the splat gate in a guest."""

import re
import time

import pytest

from harness import modules, wire
from harness.guest import GuestTimeout, SplatError

kernels = "all"
guest_options = {"lastref": False, "smp": 2}


def test_status_and_streams_are_the_commands(guest):
    result = guest.run("echo out; echo err >&2; exit 7")
    assert (result.status, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_a_command_that_does_not_exist(guest):
    result = guest.run(["no-such-command"])
    assert result.status == 127
    assert "no-such-command: No such file or directory" in result.stderr


def test_every_byte_gets_through_both_ways(guest):
    every = bytes(range(256)) * 80  # in more than one piece
    assert len(every) > wire.MAX_INPUT
    guest.put("/tmp/bytes", every)
    assert guest.get("/tmp/bytes") == every
    assert guest.run("cat; printf end >&2", stdin=every).raw == every


def test_root_works_in_its_directory(guest):
    assert guest.check("pwd; id -u") == "/root\n0\n"


def test_the_machine_is_as_on_debian(guest):
    mounts = guest.check("cat /proc/mounts")
    for where in ("/proc", "/sys", "/dev", "/sys/kernel/debug", "/sys/kernel/tracing",
                  "/sys/fs/bpf", "/sys/fs/cgroup"):
        assert f" {where} " in mounts
    assert guest.check("cat /proc/sys/kernel/kptr_restrict") == "0\n"
    guest.check("test -s /sys/kernel/btf/vmlinux")
    assert "jiffies" not in guest.check("cat /sys/devices/system/clocksource/*/current_clocksource")


def test_the_module_tools_are_kmods(guest):
    for command in ("rmmod", "timeout 5 rmmod", "env rmmod", "setsid -w rmmod"):
        result = guest.run(f"{command} no_such_module")
        assert result.stderr == "rmmod: ERROR: Module no_such_module is not currently loaded\n"


def test_jobs_run_at_the_same_time(guest):
    waiting = guest.start("read line; echo got $line", stdin=b"")
    assert guest.check("echo meanwhile") == "meanwhile\n"
    waiting.write(b"a line\n")
    assert waiting.wait().stdout == "got a line\n"


def test_a_job_can_be_interrupted(guest):
    # The loop starts no program: where one that bash waits for ends by itself, and not of the SIGINT
    # (it had only been forked), bash takes it that the program wanted it, and drops its own.
    job = guest.start("trap 'echo caught >&2; exit 3' INT; echo ready >&2; while :; do :; done")
    job.wait_for("ready")
    job.signal("INT")
    assert job.wait().status == 3
    assert "caught" in job.stderr_so_far


def test_a_signal_reaches_what_the_command_started(guest):
    job = guest.start("echo ready >&2; sleep 1000; echo not reached")
    job.wait_for("ready")
    job.signal("INT")
    result = job.wait()
    assert result.status == 130
    assert result.stdout == ""


def test_waiting_ends_at_the_deadline(guest):
    job = guest.start("sleep 1000")
    began = time.monotonic()
    with pytest.raises(GuestTimeout, match=f"did not come within {guest.kernel.slowness} s"):
        job.wait(timeout=1)
    assert time.monotonic() - began < 20
    job.signal("KILL")
    assert job.wait().status == 137


def test_waiting_for_text_that_never_comes_says_so(guest):
    job = guest.start("echo something else >&2")
    with pytest.raises(AssertionError, match="ended without 'attached'"):
        job.wait_for("attached")


def test_output_after_the_commands_end_is_not_lost(guest):
    job = guest.start("(sleep 0.3; echo late) & echo early")
    job.wait()
    guest.wait_until(lambda: job.stdout_so_far == "early\nlate\n", 60, "the late line")


def test_a_splat_fails_the_guest(boot, kernel):
    """The gate's control: a module that warns is loaded, and the guest must not close quietly."""
    control = boot(lastref=None,
                   extra_modules=modules.built(kernel, modules.WARN_MODULE))
    assert control.splats() == []
    control.check("insmod /root/modules/warn.ko")
    found = control.splats()
    assert len(found) == 1
    assert re.match(r"WARNING: .*\bwarn_init\b", found[0].line)
    control.allow_splat("warn_init", "the control warns on purpose")
    assert control.splats() == []
    control.allowed.clear()
    with pytest.raises(SplatError, match="warn_init"):
        control.close()
