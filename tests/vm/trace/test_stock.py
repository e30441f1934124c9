# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels: all that needs no soft references works, and the rest is told."""

import pytest

import tool
import truth

kernels = "stock"
guest_options = {"load": ["lr_referee"]}
PHASES = ["requested", "exit_routine", "teardown", "freeing"]
LOADS = 5
# One recording has them all.
STORY = f"""
    cd {truth.MODULES}
    rmmod dummy; modprobe -r tun; rmmod loop
    insmod lr_slow.ko exit_ms=700; rmmod lr_slow
    for i in $(seq {LOADS}); do insmod lr_slow.ko exit_ms=$i; rmmod lr_slow; done
    insmod lr_base.ko; insmod lr_user.ko
    busybox rmmod lr_base
    rmmod lr_user lr_base
"""


@pytest.fixture(scope="module")
def recorded(guest, tmp_path_factory):
    """The live document, as it was printed, and the recording here."""
    guest.check("for m in dummy tun loop; do modprobe $m; done")
    guest.put("/root/story.sh", STORY)
    live = tool.lastref(guest, "record -j -o /tmp/story -- sh story.sh", timeout=120)
    assert live.status == tool.REFUSED, live.stderr
    file = tmp_path_factory.mktemp("recording") / "story"
    file.write_bytes(guest.get("/tmp/story"))
    return live.stdout, file


@pytest.fixture
def unloads(recorded):
    doc = tool.parse(recorded[0])
    assert (doc["attach"], doc["command_status"]) == ("kprobe", 0)

    def of(module):
        return [u for u in doc["unloads"] if u["module"] == module]
    return of


@pytest.mark.parametrize("module", ["dummy", "tun", "loop"])
def test_real_modules(guest, unloads, module):
    unload, = unloads(module)
    tool.check_freed(guest, unload, module, PHASES)
    assert (unload["free_delay_ns"], unload["last_put"], unload["puts"]) == (0, None, [])
    assert unload["outstanding_at_return"] is None  # not 0: this kernel does not count


def test_a_slow_exit_routine(guest, unloads):
    unload = unloads("lr_slow")[0]
    tool.check_freed(guest, unload, "lr_slow", PHASES, nth=0)
    took = tool.phase(unload, "exit_routine")["duration_ns"]
    assert 700_000_000 <= took < 700_000_000 + tool.NEAR_NS


def test_loads_of_one_name_are_instances(guest, unloads):
    seen = unloads("lr_slow")
    assert [u["generation"] for u in seen] == list(range(1, LOADS + 2))
    assert len({u["instance_id"] for u in seen}) == LOADS + 1
    for nth, unload in enumerate(seen):
        tool.check_freed(guest, unload, "lr_slow", PHASES, nth)


def test_refused_and_then_freed(guest, unloads):
    refused, freed = unloads("lr_base")
    assert (refused["outcome"], refused["errno"]) == ("refused", 11)
    assert [u["outcome"] for u in (*unloads("lr_user"), freed)] == ["freed"] * 2
    assert [u.ret for u in truth.unloads(guest, "lr_base")] == [-11, 0]


def test_a_report_is_the_live_one(recorded):
    """Its text is in tests/streams/expected/stock.report.txt; here is that it has one."""
    live, file = recorded
    assert tool.here("report", "-j", file).stdout == live
    text = tool.here("report", file)
    assert text.returncode == tool.REFUSED
    assert "\nlr_slow was freed before rmmod returned" in text.stdout
    for phase in ("requested", "exit routine", "teardown", "freeing"):
        assert f"\n  {phase}" in text.stdout


def test_not_attempted(guest):
    before = truth.unloads(guest, "lr_base")
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    skipped, = tool.report(guest, "run -j -- rmmod lr_base", tool.REFUSED)["unloads"]
    assert skipped["outcome"] == "not_attempted"
    assert "lr_user" in skipped["reason"]
    assert truth.unloads(guest, "lr_base") == before
    guest.check("rmmod lr_user lr_base")


def test_soft_refs_says_that_there_is_nothing_to_count(guest):
    """No table of zeroes: this kernel has no soft references."""
    result = tool.lastref(guest, "refs --soft -j -d 0.2 lr_referee")
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, "")
    assert "lastref: this kernel has no soft references\n" in result.stderr
    assert "hard references" in result.stderr


def test_tracepoints_cannot_be_forced(guest):
    result = tool.lastref(guest, "run --attach=tracepoint -- true")
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, "")
    assert "tracepoint" in result.stderr


def test_doctor_says_what_is_missing(guest):
    before = truth.module_list(guest)
    result = tool.lastref(guest, "doctor")
    assert result.status == tool.DONE
    assert "lastref's source has in kernel-patch/" in " ".join(result.stdout.split())
    assert "hard references only" in result.stdout
    lines = result.stdout.splitlines()
    wide = guest.check("COLUMNS=200 lastref doctor")
    # A remedy is not folded: it may be a command.
    assert max(len(line) for line in lines if "→" not in line) <= 80 < \
        max(map(len, wide.splitlines()))
    assert lines == [line.rstrip() for line in lines]
    assert wide.split() == result.stdout.split()
    assert truth.module_list(guest) == before


def test_what_doctor_says_is_what_commands_do(guest):
    """Those that are not tried elsewhere in this file."""
    doctor = tool.lastref(guest, "doctor -j")
    commands = {one["command"]: one for one in tool.one_document(doctor)["commands"]}
    assert all(one["works"] for name, one in commands.items() if name != "serve")
    assert (commands["serve"]["works"], commands["serve"]["limits"]) == (
        False, "this lastref was built without it")
    assert tool.lastref(guest, "serve -d 0").status == tool.UNSUPPORTED
    assert commands["refs"]["limits"] == "hard references only"


def test_trace_and_that_it_changes_no_reference_and_loads_no_module(guest):
    guest.check("modprobe dummy")
    before = truth.module_list(guest)
    job = tool.start(guest, "trace -j lr_slow")
    during = truth.module_list(guest)
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check("rmmod lr_slow")
    job.wait_for('"event":"returned"', "stdout")
    events = tool.documents(tool.finish(job).stdout)
    assert [e["event"] for e in events] == ["module_load", "unload_requested", "exit_start",
                                            "exit_done", "freeing", "freed", "returned"]
    assert len({e["instance_id"] for e in events[2:]}) == 1
    assert before == during == truth.module_list(guest)
    guest.check("rmmod dummy")


def test_the_overview(guest):
    before = truth.module_list(guest)
    quiet = tool.lastref(guest, "-j")
    assert quiet.status == tool.DONE
    doc = tool.one_document(quiet)
    assert (doc["soft_supported"], doc["modules"]) == (False, [])
    assert truth.module_list(guest) == before
    # The last test of the file: the guest ends before this exit routine does.
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    guest.start(["rmmod", "lr_slow"])
    guest.check("until grep -q '^lr_slow .* Unloading ' /proc/modules; do usleep 20000; done")
    result = tool.lastref(guest, "-j")
    assert result.status == tool.EXIT_RUNNING
    entry, = tool.one_document(result)["modules"]
    assert (entry["module"], entry["outcome"], entry["soft"]) == ("lr_slow", "exit_running", None)
