# SPDX-License-Identifier: GPL-2.0-only
"""A function that cannot be probed is named, with what is lost; nothing is half-attached in silence.

Functions are taken away in the files that lastref looks at, and in the kernel's own ways.
"""

import json
import re

import pytest

import tool
import truth

kernels = ["6.12", "stock-6.12"]
guest_options = {"load": ["lr_referee"]}
KALLSYMS = "/proc/kallsyms"
BLACKLIST = "/sys/kernel/debug/kprobes/blacklist"
TRACEABLE = "/sys/kernel/tracing/available_filter_functions"
ENTRY_32 = "__ia32_sys_delete_module"
OPTIONAL = "requests of unloads by 32-bit tasks"


@pytest.fixture
def change(guest):
    """Has a file of /proc or /sys other lines until the test has ended."""
    changed = []

    def by(path, script):
        guest.put("/tmp/script", script)
        guest.check(f"sed -f /tmp/script {path} > /tmp/changed.{len(changed)}; "
                    f"mount --bind /tmp/changed.{len(changed)} {path}")
        changed.append(path)
    yield by
    for path in changed:
        guest.check(f"umount {path}")


def run(guest, module="lr_slow"):
    truth.insmod(guest, module)
    result = tool.lastref(guest, f"run -j -- rmmod {module}")
    guest.run(f"rmmod {module} 2> /dev/null")
    return result


def refused(guest, *told):
    """run refuses, says so, and leaves nothing attached."""
    result = run(guest)
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, ""), result.stderr
    assert "attached (" not in result.stderr
    for words in told:
        assert words in result.stderr, result.stderr
    assert guest.run("grep -c . /sys/kernel/debug/kprobes/list").stdout.strip() == "0"


def goes_on(guest, what, why):
    """run goes on without something, and every output of it says without what."""
    result = run(guest)
    assert result.status == tool.DONE, result.stderr
    doc = tool.one_document(result)
    said = [line for line in result.stderr.splitlines() if "not watched" in line]
    assert len(said) == len(doc["not_watched"])
    assert any(what in line and why in line for line in said), result.stderr
    assert [one for one in doc["not_watched"] if one["what"] == what and why in one["why"]], doc
    return doc


def doctor(guest):
    result = tool.lastref(guest, "doctor -j")
    doc = tool.one_document(result)
    works = {one["command"]: one["works"] for one in doc["commands"]}
    assert result.status == (tool.DONE if all(works.values()) else tool.UNSUPPORTED)
    return {(one["kind"], one["target"]): one for one in doc["probes"]}, works


def end_of_exit(guest):
    """The function by which the end of the exit routine is seen."""
    soft = guest.run("grep -q ' module_soft_drop_base$' /proc/kallsyms").status == 0
    return "module_soft_drop_base" if soft else "blocking_notifier_call_chain"


def test_everything_is_there(guest):
    """The control: of a whole kernel nothing is said to be missing."""
    probes, works = doctor(guest)
    assert {one["state"] for one in probes.values()} == {"present"}
    assert all(works.values())
    assert ("kprobe", end_of_exit(guest)) in probes and ("fexit", "free_module") in probes
    result = run(guest)
    assert tool.one_document(result)["not_watched"] == []
    assert "not watched" not in result.stderr


@pytest.mark.parametrize("script, state", [
    ("/ {}$/d", "missing"),
    ("s/ {}$/&.isra.0/", "split"),
    ("s/\\(.*\\) {}$/&\\n\\1 {}.part.0/", "split"),
    ("s/\\(.*\\)\\(.\\) {}$/&\\nffffffff81000000 t {}/", "ambiguous"),
])
def test_a_required_function_that_kallsyms_has_otherwise(guest, change, script, state):
    function = end_of_exit(guest)
    change(KALLSYMS, script.replace("{}", function))
    probe = doctor(guest)[0]["kprobe", function]
    assert (probe["state"], probe["required"]) == (state, True)
    assert probe["lost_without"] == "when the exit routine has ended" and probe["why"]
    assert not doctor(guest)[1]["run"]
    refused(guest, f"kprobe {function}", probe["why"])


def test_a_required_function_on_the_blacklist(guest, change):
    function = end_of_exit(guest)
    change(BLACKLIST, f"1s/.*/&\\n0x1-0x2\t{function}/")
    probe = doctor(guest)[0]["kprobe", function]
    assert (probe["state"], probe["required"]) == ("blacklisted", True)
    refused(guest, f"kprobe {function}", "blacklist")


def test_a_required_function_that_ftrace_does_not_know(guest, change):
    function = end_of_exit(guest)
    change(TRACEABLE, f"/^{function}$/d")
    probes, works = doctor(guest)
    assert probes["kprobe", function]["state"] == "untraceable"
    assert not works["run"]


def test_one_of_two_that_tell_the_same(guest, change):
    """fexit still tells of the free; without that too, nobody does."""
    change(BLACKLIST, "1s/.*/&\\n0x1-0x2\tfree_module/")
    probe = doctor(guest)[0]["kretprobe", "free_module"]
    assert (probe["state"], probe["required"]) == ("blacklisted", False)
    doc = goes_on(guest, probe["lost_without"], "kretprobe free_module: ")
    unload, = doc["unloads"]
    assert unload["outcome"] == "freed" and unload["complete"], unload["incomplete"]
    change(KALLSYMS, "/ free_module$/d")
    probes, works = doctor(guest)
    assert all(probes[kind, "free_module"]["required"] for kind in ("kretprobe", "fexit"))
    assert not works["run"] and not works["serve"]
    refused(guest, "free_module")


def test_an_optional_function(guest, change):
    change(KALLSYMS, f"/ {ENTRY_32}$/d")
    probe = doctor(guest)[0]["kprobe", ENTRY_32]
    assert (probe["state"], probe["required"], probe["lost_without"]) == (
        "missing", False, OPTIONAL)
    assert doctor(guest)[1]["run"]
    goes_on(guest, OPTIONAL, ENTRY_32)


def test_a_kernel_that_needs_no_such_function_lacks_nothing(guest, change):
    change(KALLSYMS, "/ __ia32_sys_/d")
    assert ("kprobe", ENTRY_32) not in doctor(guest)[0]
    assert tool.one_document(run(guest))["not_watched"] == []


def test_every_output_says_it(guest, change):
    """Also a recording that is replayed elsewhere, later."""
    change(KALLSYMS, f"/ {ENTRY_32}$/d")
    expected = goes_on(guest, OPTIONAL, ENTRY_32)["not_watched"]
    tool.finish(tool.start(guest, "record -o /tmp/without"))
    for arguments in ("report -j /tmp/without", "refs -j --replay /tmp/without"):
        assert tool.one_document(tool.lastref(guest, arguments))["not_watched"] == expected
    assert f"Not watched: {OPTIONAL} (" in tool.lastref(guest, "report /tmp/without").stdout
    lines = tool.documents(tool.lastref(guest, "trace -j --replay /tmp/without").stdout)
    told = [line["detail"] for line in lines if line["event"] == "not_watched"]
    assert len(told) == len(expected) and OPTIONAL in " ".join(told)
    guest.check("rm /tmp/without")


def test_the_kernel_itself_refuses(guest, change):
    """What nobody foretold: the kernel has nothing at the address that kallsyms tells."""
    wrong = "s/^[0-9a-f]*\\( . {}\\)$/fffffffffffff000\\1/"
    change(KALLSYMS, wrong.replace("{}", ENTRY_32))
    assert doctor(guest)[0]["kprobe", ENTRY_32]["state"] == "present"
    goes_on(guest, OPTIONAL, f"kprobe {ENTRY_32}: ")
    function = end_of_exit(guest)
    change(KALLSYMS, wrong.replace("{}", function))
    refused(guest, f"cannot attach a kprobe to {function}", "when the exit routine has ended")


def test_functions_of_a_module_with_the_same_names(guest):
    """The kernel attaches to neither by name, which is the control; lastref goes by address."""
    truth.insmod(guest, "lr_namesake")
    control = guest.run("echo 'p:lr_control free_module' > /sys/kernel/tracing/kprobe_events")
    assert control.status != 0, "the kernel was to refuse a name that two have"
    assert {one["state"] for one in doctor(guest)[0].values()} == {"present"}
    doc = tool.report(guest, "run -j -- rmmod lr_namesake")
    unload, = doc["unloads"]
    assert doc["not_watched"] == []
    assert unload["outcome"] == "freed" and unload["complete"], unload["incomplete"]


def test_doctor_in_words(guest, change):
    change(KALLSYMS, f"/ {ENTRY_32}$/d")
    text = tool.lastref(guest, "doctor").stdout
    assert re.search(rf"\n  missing     kprobe {ENTRY_32}: an unload is requested by a 32-bit task\n"
                     rf".*\n *> not known: {OPTIONAL}\n", text), text
    assert f"present     kprobe {end_of_exit(guest)}: the exit routine has ended" in text
    assert json.loads(tool.lastref(guest, "doctor -j").stdout)["schema"] == "lastref.doctor/1"
