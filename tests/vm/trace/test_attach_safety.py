# SPDX-License-Identifier: GPL-2.0-only
"""A function that cannot be probed is named, with what is lost; nothing is half-attached in silence.

Functions are taken away in the files that lastref looks at. tests/unit/targets_test.cpp has all the
ways in which one can be unfit.
"""

import pytest

import tool
import truth

kernels = ["6.12", "stock-6.12", "stock-7.3"]
guest_options = {"smp": 2}
KALLSYMS = "/proc/kallsyms"
BLACKLIST = "/sys/kernel/debug/kprobes/blacklist"
TRACEABLE = "/sys/kernel/tracing/available_filter_functions"
ENTRY_32 = "__ia32_sys_delete_module"
OF_32_BIT = "unloads by 32-bit tasks, and their refusals"
UNLOAD = "run -j -- rmmod lr_slow"


@pytest.fixture(autouse=True)
def nothing_stays(guest):
    """Neither what a test has loaded nor what lastref has attached."""
    before = truth.attached(guest)
    yield
    guest.run("rmmod lr_slow 2> /dev/null")
    truth.wait_detached(guest, before)


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


def end_of_exit(guest):
    """The function by which the end of the exit routine is seen: required."""
    return "module_soft_drop_base" if guest.kernel.patched else "blocking_notifier_call_chain"


def doctor(guest):
    result = tool.lastref(guest, "doctor -j")
    doc = tool.one_document(result)
    # What this build lacks is no fault of the kernel's.
    works = {one["command"]: one["works"] for one in doc["commands"]
             if one["limits"] != "this lastref was built without it"}
    assert result.status == (tool.DONE if all(works.values()) else tool.UNSUPPORTED)
    return ({f"{one['kind']} {one['target']}": one for one in doc["probes"]},
            {one["what"]: one for one in doc["findings"]}, works)


def refused(guest, *told):
    """run refuses before the command is started, and says why."""
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    result = tool.lastref(guest, UNLOAD)
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, ""), result.stderr
    assert "attached (" not in result.stderr
    assert guest.run("[ -d /sys/module/lr_slow ]").status == 0
    for words in told:
        assert words in result.stderr, result.stderr


def test_everything_is_there(guest):
    """The control: of a whole kernel nothing is said to be missing."""
    probes, findings, works = doctor(guest)
    assert {one["state"] for one in probes.values()} == {"present"}
    assert f"kprobe {end_of_exit(guest)}" in probes and "fexit free_module" in probes
    assert all(works.values()) and not set(findings) & set(probes)


def test_functions_of_a_module_with_the_same_names(guest):
    """The kernel attaches to neither by name, which is the control, or in later versions to its own;
    lastref goes by address."""
    truth.insmod(guest, "lr_namesake")
    events = "/sys/kernel/tracing/kprobe_events"
    control = guest.run(f"echo 'p:lr_control free_module' > {events}")
    refuses = guest.kernel.series in ("6.12", "6.18")
    assert (control.status != 0) == refuses, "the kernel was to refuse a name that two have"
    if not refuses:
        guest.check(f"echo -:lr_control >> {events}")
    doc = tool.report(guest, "run -j -- rmmod lr_namesake")
    unload, = doc["unloads"]
    assert unload["outcome"] == "freed" and unload["complete"], unload["incomplete"]
    assert doc["not_watched"] == []


def test_doctor_names_what_cannot_be_probed(guest, change):
    required = f"kprobe {end_of_exit(guest)}"
    change(BLACKLIST, f"1s/.*/&\\n0x1-0x2\t{end_of_exit(guest)}/")
    change(TRACEABLE, "/^find_module$/d")
    probes, findings, works = doctor(guest)
    unfit = {name: (one["state"], one["required"]) for name, one in probes.items()
             if one["state"] != "present"}
    assert unfit == {required: ("blacklisted", True),
                     "kretprobe find_module": ("untraceable", False)}
    assert probes[required]["lost_without"] == "when the exit routine has ended"
    assert findings[required]["level"] == "absent"
    assert findings["kretprobe find_module"]["level"] == "limit"
    for name in unfit:
        assert probes[name]["why"] in findings[name]["detail"]
        assert probes[name]["lost_without"] in findings[name]["detail"]
    assert works["why"] and not works["run"] and not works["record"]
    refused(guest, required, "blacklist", "nobody knows when the exit routine has ended")


def test_one_of_two_that_tell_the_same_is_enough(guest, change):
    """fexit still tells of the free; without that too, nobody does."""
    change(BLACKLIST, "1s/.*/&\\n0x1-0x2\tfree_module/")
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    doc = tool.report(guest, UNLOAD)
    unload, = doc["unloads"]
    assert unload["outcome"] == "freed" and unload["complete"], unload["incomplete"]
    one, = doc["not_watched"]
    assert one["why"].startswith("kretprobe free_module: ") and "end of frees" in one["what"]
    change(KALLSYMS, "/ free_module$/d")
    refused(guest, "free_module", "nobody knows when the memory was free")


def test_every_output_says_what_is_not_watched(guest, change, tmp_path):
    """One function is missing; another one, of two probes, the kernel refuses: no code is there."""
    change(KALLSYMS, f"/ find_module_all$/d; s/^[0-9a-f]*\\( . {ENTRY_32}\\)$/fffffffffffff000\\1/")
    result = tool.lastref(guest, "record -d 0.1 -o /tmp/without")
    assert result.status == tool.DONE
    told = [line for line in result.stderr.splitlines() if "not watched" in line]
    assert len(told) == 3 and OF_32_BIT in told[2], result.stderr
    file = tmp_path / "without"
    file.write_bytes(guest.get("/tmp/without"))
    guest.check("rm /tmp/without")
    for arguments in ("report -j", "refs -j --replay"):
        doc = tool.parse(tool.here(*arguments.split(), file).stdout)
        _, missing, other = doc["not_watched"]
        assert missing["why"].startswith("kretprobe find_module_all: this kernel has no function")
        assert other["what"] == OF_32_BIT and other["why"].startswith(f"kprobe {ENTRY_32}: ")
    for arguments in ("report", "report --format=html", "refs --replay", "trace --replay"):
        assert OF_32_BIT in tool.here(*arguments.split(), file).stdout, arguments
    lines = tool.documents(tool.here("trace", "-j", "--replay", file).stdout)
    assert [line["detail"] for line in lines if line["event"] == "not_watched"] == [
        f"{one['what']} ({one['why']})" for one in doc["not_watched"]]


def test_the_kernel_itself_refuses_what_is_required(guest, change):
    function = end_of_exit(guest)
    change(KALLSYMS, f"s/^[0-9a-f]*\\( . {function}\\)$/fffffffffffff000\\1/")
    refused(guest, f"cannot attach a kprobe to {function}", "when the exit routine has ended")
