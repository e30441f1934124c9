# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels: all that needs no soft references works, and the rest is told."""

import pytest

import tool
import truth

kernels = "stock"
guest_options = {"load": ["lr_referee"]}
PHASES = ["requested", "exit_routine", "teardown", "freeing"]


@pytest.fixture(autouse=True)
def fresh_referee(guest):
    truth.control(guest, "lr_referee", "reset")


@pytest.mark.parametrize("module, command", [
    ("dummy", "rmmod dummy"), ("tun", "modprobe -r tun"), ("loop", "rmmod loop"),
])
def test_real_modules(guest, module, command):
    guest.check(f"modprobe {module}")
    doc = tool.report(guest, f"run -j -- {command}")
    assert doc["attach"] == "kprobe"
    unload = next(u for u in doc["unloads"] if u["module"] == module)
    tool.check_freed(guest, unload, module, PHASES)
    assert (unload["free_delay_ns"], unload["last_put"], unload["puts"]) == (0, None, [])
    assert unload["outstanding_at_return"] is None  # not 0: this kernel does not count


def test_a_slow_exit_routine(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=700")
    unload, = tool.report(guest, "run -j -- rmmod lr_slow")["unloads"]
    tool.check_freed(guest, unload, "lr_slow", PHASES)
    took = tool.phase(unload, "exit_routine")["duration_ns"]
    assert 700_000_000 <= took < 700_000_000 + tool.NEAR_NS


def test_the_text(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=100")
    result = tool.lastref(guest, "run -- rmmod lr_slow")
    assert result.status == tool.DONE
    assert result.stdout.startswith("lr_slow was freed before rmmod returned")
    for phase in ("requested", "exit routine", "teardown", "freeing"):
        assert f"\n  {phase}" in result.stdout


def test_refused_and_not_attempted(guest):
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    refused, = tool.report(guest, "run -j -- busybox rmmod lr_base", tool.REFUSED)["unloads"]
    assert (refused["outcome"], refused["errno"]) == ("refused", 11)
    skipped, = tool.report(guest, "run -j -- rmmod lr_base", tool.REFUSED)["unloads"]
    assert skipped["outcome"] == "not_attempted"
    assert "lr_user" in skipped["reason"]
    assert [u.ret for u in truth.unloads(guest, "lr_base")] == [-11]
    both = tool.report(guest, "run -j -- rmmod lr_user lr_base")["unloads"]
    assert [(u["module"], u["outcome"]) for u in both] == [("lr_user", "freed"),
                                                           ("lr_base", "freed")]


def test_loads_of_one_name_are_instances(guest):
    guest.put("/root/loads.sh", f"for i in $(seq 5); do insmod {truth.MODULES}/lr_slow.ko "
                              "exit_ms=$i; rmmod lr_slow; done")
    doc = tool.report(guest, "run -j -- sh loads.sh", timeout=120)
    assert [u["generation"] for u in doc["unloads"]] == list(range(1, 6))
    assert len({u["instance_id"] for u in doc["unloads"]}) == 5
    for unload in doc["unloads"]:
        assert tool.names(unload) == PHASES
        tool.check_phases(unload)


def test_trace(guest):
    job = tool.start(guest, "trace -j lr_slow")
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check("rmmod lr_slow")
    job.wait_for('"event":"returned"', "stdout")
    events = tool.documents(tool.finish(job).stdout)
    assert [e["event"] for e in events] == ["module_load", "unload_requested", "exit_start",
                                            "exit_done", "freeing", "freed", "returned"]
    assert len({e["instance_id"] for e in events[2:]}) == 1


def test_record_and_report(guest):
    truth.insmod(guest, "lr_slow", "exit_ms=50")
    live = tool.lastref(guest, "record -o /tmp/slow -- rmmod lr_slow")
    assert live.status == tool.DONE
    assert "exit routine" in live.stdout
    assert tool.lastref(guest, "report /tmp/slow").stdout == live.stdout


def test_soft_refs_says_that_there_is_nothing_to_count(guest):
    """No table of zeroes: this kernel has no soft references."""
    result = tool.lastref(guest, "refs --soft -j -d 0.2 lr_referee")
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, "")
    assert "lastref: this kernel has no soft references\n" in result.stderr
    assert "hard references" in result.stderr


def test_refs_of_an_open_tun(guest):
    """Without a flag it is about hard references: the file's, and its socket's."""
    guest.check("modprobe tun")
    job = tool.start(guest, "refs -j -i 0.2 tun")
    tool.wait_document(job, lambda doc: doc["modules"][0]["hard"].get("explained_max") == 0)
    file = truth.OpenFile(guest, "/dev/net/tun")
    held = int(truth.sysfs(guest, "tun", "refcnt"))
    assert held > 0
    tool.wait_document(job, lambda doc: doc["modules"][0]["hard"]["refs"] == held)
    doc = tool.documents(tool.finish(job, tool.OUTSTANDING).stdout)[-1]
    module = tool.only_module(doc, "tun")
    assert module["hard"] == {"refs": held, "explained_min": held, "explained_max": held,
                              "unexplained_min": 0, "unexplained_max": 0}
    rows = tool.sites(module)
    assert sum(row["outstanding_min"] for row in rows.values()) == held
    assert "misc_open" in rows, rows.keys()
    assert all(row["attribution"] == "exact" for row in rows.values() if row["outstanding_max"])
    file.close()
    guest.check("rmmod tun")


def test_tracepoints_cannot_be_forced(guest):
    result = tool.lastref(guest, "run --attach=tracepoint -- true")
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, "")
    assert "tracepoint" in result.stderr


def test_doctor_says_what_is_missing(guest):
    result = tool.lastref(guest, "doctor")
    assert result.status == tool.DONE
    assert "lastref's source has in kernel-patch/" in " ".join(result.stdout.split())
    assert "hard references only" in result.stdout
    lines = result.stdout.splitlines()
    wide = guest.check("COLUMNS=200 lastref doctor")
    assert max(map(len, lines)) <= 80 < max(map(len, wide.splitlines()))
    assert lines == [line.rstrip() for line in lines]
    assert wide.split() == result.stdout.split()


def test_what_doctor_says_is_what_commands_do(guest):
    """Those that are not tried elsewhere in this file."""
    doctor = tool.lastref(guest, "doctor -j")
    commands = {one["command"]: one for one in tool.one_document(doctor)["commands"]}
    assert all(one["works"] for name, one in commands.items() if name != "serve")
    assert (commands["serve"]["works"], commands["serve"]["limits"]) == (
        False, "this lastref was built without it")
    assert tool.lastref(guest, "serve -d 0").status == tool.UNSUPPORTED
    assert commands["refs"]["limits"] == "hard references only"


def test_watching_changes_no_reference_and_loads_no_module(guest):
    guest.check("modprobe dummy")
    before = truth.module_list(guest)
    job = tool.start(guest, "trace -j")
    during = truth.module_list(guest)
    tool.finish(job)
    for arguments in ("-j", "doctor"):
        assert tool.lastref(guest, arguments).status == tool.DONE
    assert before == during == truth.module_list(guest)
    guest.check("rmmod dummy")


def test_the_overview(guest):
    quiet = tool.lastref(guest, "-j")
    assert quiet.status == tool.DONE
    doc = tool.one_document(quiet)
    assert (doc["soft_supported"], doc["modules"]) == (False, [])
    # The last test of the file: the guest ends before this exit routine does.
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    guest.start(["rmmod", "lr_slow"])
    guest.check("until grep -q '^lr_slow .* Unloading ' /proc/modules; do usleep 20000; done")
    result = tool.lastref(guest, "-j")
    assert result.status == tool.EXIT_RUNNING
    entry, = tool.one_document(result)["modules"]
    assert (entry["module"], entry["outcome"], entry["soft"]) == ("lr_slow", "exit_running", None)
