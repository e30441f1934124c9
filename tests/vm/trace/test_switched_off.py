# SPDX-License-Identifier: GPL-2.0-only
"""A machine on which somebody has switched off what lastref needs, before it starts or meanwhile."""

import pytest

import tool
import truth
import why

kernels = ["stock-6.12"]
guest_options = {}

KPROBES = "/sys/kernel/debug/kprobes/enabled"
FTRACE = "/proc/sys/kernel/ftrace_enabled"
SLOW = "/root/modules/lr_slow.ko exit_ms=0"
KPTR = "/proc/sys/kernel/kptr_restrict"
TRACING = "record --attach=kprobe -o /tmp/none -d 0.1"
HIDE = "umount -l /sys/kernel/debug"
COUNTED = "awk '{ print $1, $2 }' /sys/kernel/tracing/enabled_functions | wc -l"


@pytest.fixture(autouse=True)
def as_it_was(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    before = guest.check(COUNTED)
    yield
    guest.check(f"echo 1 > {KPROBES}; echo 1 > {FTRACE}; echo 0 > {KPTR}; rmmod lr_slow; "
                "rm -f /tmp/none /tmp/switched")
    guest.check(f'until [ "$({COUNTED})" = {before.strip()} ]; do usleep 20000; done')
    assert guest.splats() == []


def kprobes(guest, around="{}"):
    doctor = guest.run(around.format("lastref doctor -j"))
    finding, = [f for f in tool.one_document(doctor)["findings"] if f["what"] == "kprobes"]
    return finding


def refused(guest, *told, around="{}"):
    """Nothing attached, nothing printed, and told why and what to do."""
    result = guest.run(around.format(f"lastref {TRACING}"))
    assert result.status == tool.UNSUPPORTED, f"{result.stdout}\n{result.stderr}"
    assert result.stdout == "" and "attached" not in result.stderr
    for words in told:
        assert words in result.stderr
    assert guest.run("[ -e /tmp/none ]").status != 0


def answers(guest):
    """What needs none of this answers."""
    why.ask(guest, "lr_slow", tool.DONE)


def hidden(command):
    return f"unshare -m sh -c '{HIDE}; [ ! -e {KPROBES} ] && {command}'"


def reported(guest, recording, tmp_path):
    """The report, made here, of a recording of the guest's."""
    (tmp_path / "recording").write_bytes(guest.get(recording))
    return tool.parse(tool.here("report", "-j", tmp_path / "recording").stdout)


def test_all_switched_on(guest, tmp_path):
    """The control."""
    assert kprobes(guest) == {"what": "kprobes", "level": "good", "detail": "available",
                              "remedy": ""}
    result = tool.lastref(guest, TRACING)
    assert result.status == tool.DONE, result.stderr
    assert "switched off" not in result.stderr
    assert reported(guest, "/tmp/none", tmp_path)["losses"]["missed_unknown"] is False


def test_kprobes(guest):
    guest.check(f"echo 0 > {KPROBES}")
    refused(guest, "kprobes: switched off", f"echo 1 > {KPROBES}")
    assert kprobes(guest)["level"] == "absent"
    answers(guest)


def test_kprobes_without_debugfs(guest):
    """The kernel attaches them as if nothing was the matter, and runs none."""
    guest.check(f"echo 0 > {KPROBES}")
    refused(guest, "kprobes: switched off", "mount -t debugfs", around=hidden("{}"))
    assert kprobes(guest, hidden("{}"))["level"] == "absent"
    guest.check(f"echo 1 > {KPROBES}")
    assert guest.run(hidden("lastref run -- true")).status == tool.DONE


def test_ftrace(guest):
    guest.check(f"echo 0 > {FTRACE}")
    refused(guest, "ftrace, which they use, is switched off", "sysctl kernel.ftrace_enabled=1")


@pytest.mark.parametrize("switch, what", [(KPROBES, "kprobes: switched off"),
                                          (FTRACE, "ftrace, which they use, is switched off")])
def test_while_it_records(guest, switch, what, tmp_path):
    """It says so at once; what was measured before and after is kept and the rest not vouched for."""
    job = tool.start(guest, "record -o /tmp/switched")
    guest.check("rmmod lr_slow")
    guest.check(f"echo 0 > {switch}")
    job.wait_for(what)
    guest.check(f"insmod {SLOW}; rmmod lr_slow; echo 1 > {switch}; insmod {SLOW}; "
                f"rmmod lr_slow; insmod {SLOW}")
    result = tool.finish(job)
    assert result.stderr.count(what) == 1
    doc = reported(guest, "/tmp/switched", tmp_path)
    assert doc["losses"]["missed_unknown"] is True
    assert [u["complete"] for u in doc["unloads"] if u["outcome"] == "freed"].count(True) == 2


@pytest.mark.parametrize("lacks, remedy", [
    ("", "sysctl kernel.kptr_restrict=1\n"),
    ("setpriv --bounding-set=-syslog --inh-caps=-all ", "CAP_SYSLOG")])
def test_addresses_hidden_from_all(guest, lacks, remedy):
    guest.check(f"echo 2 > {KPTR}")
    refused(guest, "kernel.kptr_restrict is 2", remedy, around=f"{lacks}{{}}")
    result = why.run(guest, "lr_slow", f"{lacks}{{}}")
    doc = why.document(result, tool.UNSUPPORTED)
    assert doc["hard"]["refs"] == 0  # sysfs still tells that much
    assert remedy.strip() in result.stderr
    guest.check(f"echo 1 > {KPTR}")
    result = guest.run(f"{lacks}lastref run -- true")
    assert result.status == (tool.UNSUPPORTED if lacks else tool.DONE)
    assert "kptr_restrict" not in result.stderr


def told(guest):
    """What doctor and why say, but for what is of the moment."""
    result = why.run(guest, "lr_slow")
    doc = why.document(result, tool.DONE)
    del doc["ts_ns"]
    return tool.one_document(guest.run("lastref doctor -j")), doc, result.stderr


def test_what_makes_no_difference(guest):
    """/proc read-only, no bpffs, hardened JIT, BPF for root alone."""
    before = told(guest)
    guest.check("echo 2 > /proc/sys/net/core/bpf_jit_harden; umount /sys/fs/bpf; "
                "[ $(cat /proc/sys/kernel/unprivileged_bpf_disabled) != 0 ]; "
                "mount -o remount,ro /proc")
    try:
        assert guest.run(f"echo 0 > {FTRACE}").status != 0  # the control
        assert guest.run("grep -q ' /sys/fs/bpf ' /proc/mounts").status != 0
        assert told(guest) == before
        unload, = tool.report(guest, "run -j -- rmmod lr_slow")["unloads"]
        assert unload["complete"] is True and unload["outcome"] == "freed"
    finally:
        truth.insmod(guest, "lr_slow", "exit_ms=0")
        guest.check("mount -o remount,rw /proc; mount -t bpf bpf /sys/fs/bpf; "
                    "echo 0 > /proc/sys/net/core/bpf_jit_harden")
