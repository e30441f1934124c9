# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong in a kernel is told: what, to what, what to do; with the documented exit status.
What is told before lastref looks at one is in test_usage.py."""

import tool
import truth
import why

kernels = "patched"
guest_options = {}


def failure(guest, command, status):
    """The message of a command that must fail and print nothing else."""
    result = guest.run(command)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    assert result.stderr.startswith("lastref: ")
    return result.stderr


def failure_after_attach(guest, command, status):
    result = guest.run(command)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    return result.stderr


def test_a_command_that_does_not_exist(guest):
    message = failure_after_attach(guest, "lastref run -- no_such_command", 127)
    assert "cannot run no_such_command: No such file or directory" in message


def test_a_command_that_cannot_be_executed(guest):
    guest.put("/root/data", "no program")
    message = failure_after_attach(guest, "lastref run -- ./data", 126)
    assert "cannot run ./data: Permission denied" in message


def test_without_root(guest):
    for arguments in ("", "run -- true", "refs", "trace", "record -o /tmp/x -- true"):
        message = failure(guest, f"su nobody -c 'lastref {arguments}'", tool.UNSUPPORTED)
        assert "root" in message or "privileges" in message
        assert "sudo" in message


def test_doctor_works_without_root(guest):
    """So do reports: test_record.py makes them here, where lastref has no privileges."""
    doctor = guest.run("su nobody -c 'lastref doctor'")
    assert doctor.status == tool.UNSUPPORTED
    assert "sudo" in doctor.stdout


def test_without_btf(guest):
    """Hidden in a mount namespace of the command's own. The control is the next test, in another."""
    hide = "mount -t tmpfs none /sys/kernel/btf"
    message = failure(guest, f"unshare -m sh -c '{hide}; lastref run -- true'", tool.UNSUPPORTED)
    assert "/sys/kernel/btf/vmlinux" in message
    assert "CONFIG_DEBUG_INFO_BTF" in message
    doctor = guest.run(f"unshare -m sh -c '{hide}; lastref doctor'")
    assert doctor.status == tool.UNSUPPORTED
    assert "CONFIG_DEBUG_INFO_BTF" in doctor.stdout


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


NAMES = ["x" * 300, "a\033[31mb", "../../etc", "%s%n", "a\nb", "'\"$(reboot)"]


def test_a_module_that_trace_waits_for_in_vain(guest):
    trace = tool.lastref(guest, "trace -d 0.1 no-such-module lr_no_more")
    assert (trace.status, trace.stdout) == (tool.REFUSED, "")
    for name in ("no-such-module", "lr_no_more"):
        assert f"lastref: {name} is not loaded: waiting for its load\n" in trace.stderr
        assert f"lastref: {name} was not loaded at any time\n" in trace.stderr


def test_modules_that_are_not_there(guest):
    """Their text, and that of all that follows, is in tests/unit/render_test.cpp."""
    result = guest.run(["lastref", "refs", "-j", "-d", "0.1", "no_such_module", *NAMES])
    assert result.status == tool.REFUSED
    assert sorted(tool.one_document(result)["not_loaded"]) == sorted(["no_such_module", *NAMES])


def test_hostile_names_that_the_kernel_is_asked_for(guest):
    asked = guest.run(["lastref", "run", "-j", "--", "sh", "-c",
                       'for name; do busybox rmmod "$name"; done', "sh", *NAMES])
    doc = tool.one_document(asked)
    assert asked.status == tool.REFUSED
    assert [u["errno"] for u in doc["unloads"]] == [2] * len(NAMES)
    assert "a\033[31mb" in {u["module"] for u in doc["unloads"]}


def test_why_with_hostile_names(guest):
    text = guest.run(["lastref", "why", NAMES[1]])
    assert text.status == tool.REFUSED
    assert " ".join(text.stdout.split()).endswith(" is not loaded.")
    assert "\033" not in text.stdout + text.stderr
    for name in ["x" * 5000, *NAMES[1:]]:
        doc = why.document(guest.run(["lastref", "why", "-j", name]), tool.REFUSED)
        assert doc["state"] == "not_loaded", name


def test_a_file_that_cannot_be_written(guest):
    message = failure(guest, "lastref record -o /no/such/directory/file -- true", tool.FAILED)
    assert "/no/such/directory/file: No such file or directory" in message


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
