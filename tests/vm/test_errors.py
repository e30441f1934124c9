# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong is told: what, to what, what to do; with the documented exit status."""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {}


def failure(guest, command, status):
    """The message of a command that must fail and print nothing else."""
    result = guest.run(command)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    assert result.stderr.startswith("lastref: ")
    return result.stderr


@pytest.mark.parametrize("arguments, told", [
    ("--no-such-option", "--no-such-option"),
    ("no_such_command", "no_such_command"),
    ("run", "Put it behind two dashes"),
    ("run --", "Put it behind two dashes"),
    ("run rmmod foo", "lastref run -- rmmod foo"),
    ("run --attach=magic -- true", "magic"),
    ("run -d soon -- true", "soon"),
    ("run -d -1 -- true", "-1"),
    ("run -d nan -- true", "'nan' is not a number of seconds from 0 to 1000000000"),
    ("refs -i 0", "'0' is not a number of seconds from 0.01 to 1000000"),
    ("refs -i 0.0000000001", "'0.0000000001' is not a number of seconds"),
    ("refs -n -3", "-3"),
    ("trace -p 0", "'0' is not a whole number from 1 to 4194304"),
    ("serve -i inf", "'inf' is not a number of seconds from 0.1 to 3600"),
    ("report", "FILE"),
    ("record -- true", "--output"),
    ("--color=pink", "pink"),
    ("why", "MODULE"),
    ("why a b", "b"),
    ("why ''", "the name of a module"),
    ("why /lib/modules/", "the name of a module"),
    ("why -n 0 lr_slow", "0"),
    ("-- true", "lastref run -- COMMAND"),
    ("refz --soft", "Did you mean: lastref refs"),
    ("tarce", "Did you mean: lastref trace"),
    ("why --jsn tun", "Did you mean: --json"),
    ("usb_storage", "lastref why usb_storage"),
    ("tun", "Did you mean: lastref run"),
    ("help refz", "Did you mean: lastref help refs"),
    ("report -j --format=text x", "excludes"),
    ("report --format=yaml x", "yaml"),
])
def test_bad_options_are_usage_errors(guest, arguments, told):
    message = failure(guest, f"lastref {arguments}", tool.USAGE)
    assert told in message
    assert guest.run("lastref run --help").status == 0


def test_help_and_version_succeed(guest):
    assert guest.check("lastref --version").startswith("lastref ")
    text = guest.check("lastref --help")
    for command in ("why", "run", "trace", "refs", "record", "report", "doctor"):
        assert f"\n  {command} " in text
        own = guest.check(f"lastref help {command}")
        assert f"Usage: lastref {command} " in own
        assert "\n  3         references are outstanding" in own
    assert guest.check("lastref help") == text


def test_a_command_that_does_not_exist(guest):
    message = failure_after_attach(guest, "lastref run -- no_such_command", 127)
    assert "cannot run no_such_command: No such file or directory" in message


def failure_after_attach(guest, command, status):
    result = guest.run(command)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    return result.stderr


def test_a_command_that_cannot_be_executed(guest):
    guest.put("/root/data", "no program")
    message = failure_after_attach(guest, "lastref run -- ./data", 126)
    assert "cannot run ./data: Permission denied" in message


def test_without_root(guest):
    for arguments in ("", "run -- true", "refs", "trace", "record -o /tmp/x -- true"):
        message = failure(guest, f"su nobody -c 'lastref {arguments}'", tool.UNSUPPORTED)
        assert "root" in message or "privileges" in message
        assert "sudo" in message


def test_what_works_without_root(guest):
    tool.report(guest, "record -j -o /tmp/nobody -- true")
    guest.check("chmod 644 /tmp/nobody")
    assert guest.run("su nobody -c 'lastref report -j /tmp/nobody'").status == tool.DONE
    doctor = guest.run("su nobody -c 'lastref doctor'")
    assert doctor.status == tool.UNSUPPORTED
    assert "sudo" in doctor.stdout


def test_without_btf(guest):
    """Hidden in a mount namespace of the command's own."""
    hide = "mount -t tmpfs none /sys/kernel/btf"
    message = failure(guest, f"unshare -m sh -c '{hide}; lastref run -- true'", tool.UNSUPPORTED)
    assert "/sys/kernel/btf/vmlinux" in message
    assert "CONFIG_DEBUG_INFO_BTF" in message
    doctor = guest.run(f"unshare -m sh -c '{hide}; lastref doctor'")
    assert doctor.status == tool.UNSUPPORTED
    assert "CONFIG_DEBUG_INFO_BTF" in doctor.stdout
    assert guest.run("lastref run -- true").status == tool.DONE  # the control


def test_without_tracing_file_systems(guest):
    """lastref needs neither debugfs nor tracefs: with them gone it works, or says why not."""
    hide = "umount /sys/kernel/debug/tracing; umount /sys/kernel/debug; umount /sys/kernel/tracing"
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    result = guest.run(f"unshare -m sh -c '({hide}) 2> /dev/null; "
                       "ls /sys/kernel/debug /sys/kernel/tracing >&2; "
                       "lastref run -j -- rmmod lr_slow'")
    assert result.status == tool.DONE, result.stderr
    unload, = tool.one_document(result)["unloads"]
    assert unload["outcome"] == "freed"


def test_an_unknown_module(guest):
    result = tool.lastref(guest, "refs -j -d 0.1 no_such_module")
    assert result.status == tool.REFUSED
    assert tool.one_document(result)["not_loaded"] == ["no_such_module"]
    text = tool.lastref(guest, "refs -d 0.1 no_such_module")
    assert text.status == tool.REFUSED
    assert "no_such_module" in text.stdout + text.stderr
    trace = tool.lastref(guest, "trace -d 0.1 no-such-module lr_no_more")
    assert (trace.status, trace.stdout) == (tool.REFUSED, "")
    for name in ("no-such-module", "lr_no_more"):
        assert f"lastref: {name} is not loaded: waiting for its load\n" in trace.stderr
        assert f"lastref: {name} was not loaded at any time\n" in trace.stderr


def test_hostile_names(guest):
    """Neither as an argument nor as what a command asks the kernel for."""
    names = ["x" * 300, "a\033[31mb", "../../etc", "%s%n", "a\nb", "'\"$(reboot)"]
    result = guest.run(["lastref", "refs", "-d", "0.1", *names])
    assert result.status == tool.REFUSED
    assert "\033" not in result.stdout + result.stderr
    asked = guest.run(["lastref", "run", "-j", "--", "sh", "-c",
                       'for name; do busybox rmmod "$name"; done', "sh", *names])
    doc = tool.one_document(asked)
    assert asked.status == tool.REFUSED
    assert [u["errno"] for u in doc["unloads"]] == [2] * len(doc["unloads"])
    assert "a\033[31mb" in {u["module"] for u in doc["unloads"]}
    text = guest.run(["lastref", "run", "--", "busybox", "rmmod", names[1]])
    assert text.status == tool.REFUSED
    assert "\033" not in text.stdout


def test_why_with_hostile_names(guest):
    for name in ["x" * 5000, "a\033[31mb", "../../etc", "%s%n", "a\nb", "'\"$(reboot)"]:
        text = guest.run(["lastref", "why", name])
        assert text.status == tool.REFUSED, name
        assert " ".join(text.stdout.split()).endswith(" is not loaded.")
        assert "\033" not in text.stdout + text.stderr
        result = guest.run(["lastref", "why", "-j", name])
        assert result.status == tool.REFUSED
        assert tool.one_document(result)["state"] == "not_loaded"


def test_why_with_no_name_at_all(guest):
    for name in ("", "/", ".ko.xz x", "\033[31m/"):
        result = guest.run(["lastref", "why", name])
        assert result.status == tool.USAGE and not result.stdout, name
        shown = name.replace("\033", "\\x1b")
        assert f"lastref: '{shown}' is not the name of a module\n" in result.stderr


def test_a_file_that_cannot_be_written(guest):
    message = failure(guest, "lastref record -o /no/such/directory/file -- true", tool.FAILED)
    assert "/no/such/directory/file: No such file or directory" in message


def test_a_full_disk(guest):
    """Half a recording is not told as a whole one."""
    guest.check("mkdir -p /tmp/small && mount -t tmpfs -o size=4k none /tmp/small")
    truth.insmod(guest, "lr_refs")
    result = guest.run("lastref record -o /tmp/small/file -- sh -c "
                       f"'echo pairs 3000 > {truth.DEBUGFS}/lr_refs/control'")
    guest.check("rmmod lr_refs; umount /tmp/small")
    assert result.status == tool.FAILED
    assert "/tmp/small/file" in result.stderr
    assert "No space left on device" in result.stderr


def test_doctor_finds_nothing_wrong(guest):
    text = guest.run("lastref doctor")
    assert text.status == tool.DONE
    assert "soft references: this kernel has them" in text.stdout
    doc = tool.one_document(guest.run("lastref doctor -j"))
    assert (doc["attach"], doc["soft_references"]) == ("tracepoint", True)
    commands = {one["command"]: one for one in doc["commands"]}
    assert commands.pop("serve")["limits"] == "this lastref was built without it"
    assert all(command["works"] for command in commands.values())


def test_a_dry_run_attaches_nothing(guest):
    count = "wc -l < /sys/kernel/debug/kprobes/list"
    before = guest.check(count)
    plan = guest.run("lastref run --dry-run -- rmmod lr_refs")
    assert plan.status == tool.DONE
    for target in ("module_soft_put", "delayed_free_module", "delete_module"):
        assert target in plan.stdout
    assert "attached" not in plan.stderr
    assert guest.check(count) == before
