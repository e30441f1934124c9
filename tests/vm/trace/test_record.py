# SPDX-License-Identifier: GPL-2.0-only
"""Recordings: the same events give the same words, in the guest and on this machine."""

import json

import pytest

import chrome_trace
import tool
import truth
from tool import here

kernels = "patched"
guest_options = {"load": ["lr_referee"]}


@pytest.fixture(scope="module")
def recorded(guest, tmp_path_factory):
    """A deferred unload with gets and puts before it: the live report as text, the recording
    here."""
    guest.put("/root/story.sh", f"""
        insmod {truth.MODULES}/lr_leak.ko release_ms=100
        echo balanced 20 > {truth.DEBUGFS}/lr_leak/control
        echo leak 2 > {truth.DEBUGFS}/lr_leak/control
        rmmod lr_leak
        busybox rmmod no_such_module; true""")
    live = tool.lastref(guest, "record -o /tmp/story -- sh story.sh")
    assert live.status == tool.REFUSED, live.stderr
    file = tmp_path_factory.mktemp("recording") / "story"
    file.write_bytes(guest.get("/tmp/story"))
    return live.stdout, file


@pytest.fixture(scope="module")
def recorded_json(guest, tmp_path_factory):
    truth.insmod(guest, "lr_threads", "threads=2 linger_ms=300")
    live = tool.lastref(guest, "record -j -o /tmp/threads -- rmmod lr_threads")
    assert live.status == tool.DONE, live.stderr
    tool.one_document(live)
    file = tmp_path_factory.mktemp("recording") / "threads"
    file.write_bytes(guest.get("/tmp/threads"))
    return live.stdout, file


@pytest.mark.parametrize("command", ["report FILE", "report --replay FILE"])
def test_the_report_is_the_live_one(guest, recorded, command):
    live, file = recorded
    assert "\nlr_leak was freed " in live
    there = tool.lastref(guest, command.replace("FILE", "/tmp/story"))
    assert (there.status, there.stdout) == (tool.REFUSED, live)
    mine = here(*command.replace("FILE", str(file)).split())
    assert (mine.returncode, mine.stdout) == (tool.REFUSED, live)


def test_and_so_is_its_json(guest, recorded_json):
    live, file = recorded_json
    there = tool.lastref(guest, "report -j /tmp/threads")
    assert (there.status, there.stdout) == (tool.DONE, live)
    mine = here("report", "-j", file)
    assert (mine.returncode, mine.stdout) == (tool.DONE, live)


def test_the_chrome_trace_says_what_the_json_says(recorded_json):
    file = recorded_json[1]
    result = here("report", "--format=chrome-trace", file)
    assert result.returncode == tool.DONE, result.stderr
    events = chrome_trace.parse(result.stdout)
    unload, = tool.parse(here("report", "--format=json", file).stdout)["unloads"]
    edges = {ph: {e["name"]: e["ts"] for e in events if e["ph"] == ph} for ph in "be"}
    for phase in unload["phases"]:
        name = phase["name"].replace("_", " ")
        assert abs((edges["e"][name] - edges["b"][name]) * 1000 - phase["duration_ns"]) < 2
    puts = [e for e in events if e["ph"] == "i"]
    assert [e["args"]["call_site"] for e in puts] == [p["call_site"] for p in unload["puts"]]
    assert len(puts) == 2
    assert [e["args"]["outstanding"] for e in events if e["ph"] == "C"] == [2, 1, 0]


def test_the_picture_fits_and_is_of_the_characters_that_the_locale_has(recorded):
    file = recorded[1]
    for columns in (80, 200):
        text = here("report", file, COLUMNS=str(columns)).stdout
        assert columns * 0.8 < max(map(len, text.splitlines())) <= columns
        assert "██" in text
    plain = here("report", file, LC_ALL="C").stdout
    assert plain.isascii() and "===" in plain
    assert len(plain.splitlines()) == len(recorded[0].splitlines())


def test_another_unload_gives_another_report(guest, recorded, recorded_json):
    """The control: the comparison is not of two empty or constant texts."""
    assert recorded[0] != here("report", recorded_json[1]).stdout
    assert len(recorded[0].splitlines()) > 5


def test_trace_replays_every_get_and_put(guest, recorded):
    there = tool.lastref(guest, "trace -j --replay /tmp/story lr_leak")
    mine = here("trace", "-j", "--replay", recorded[1], "lr_leak")
    assert mine.stdout == there.stdout
    events = tool.documents(mine.stdout)
    kinds = [event["event"] for event in events]
    assert (kinds.count("soft_get"), kinds.count("soft_put")) == (22, 22)
    for kind in ("module_load", "unload_requested", "exit_start", "exit_done", "returned",
                 "queued", "freed"):
        assert kinds.count(kind) == 1, kind


def test_refs_replays_too(guest, tmp_path):
    truth.insmod(guest, "lr_refs")
    job = tool.start(guest, "record -o /tmp/counted")
    truth.control(guest, "lr_refs", "mix 50")
    tool.finish(job)
    file = tmp_path / "counted"
    file.write_bytes(guest.get("/tmp/counted"))
    tool.check_counted(guest, tool.parse(here("refs", "-j", "--replay", file).stdout))
    guest.check("rmmod lr_refs")


def test_a_live_trace_and_its_replay_agree(guest):
    """Two that watch the same: what one prints as it happens, the other keeps."""
    truth.insmod(guest, "lr_refs")
    live = tool.start(guest, "trace -j lr_refs")
    kept = tool.start(guest, "record -o /tmp/kept")
    truth.control(guest, "lr_refs", "get 3 A", "put 2 B softirq", "put 1 C work")
    guest.check("rmmod lr_refs")
    tool.finish(kept)
    printed = tool.finish(live).stdout
    replayed = tool.lastref(guest, "trace -j --replay /tmp/kept lr_refs").stdout

    def story(text):
        return [(e["event"], e.get("call_site"), e.get("outstanding"), e["comm"])
                for e in map(json.loads, text.splitlines())]

    assert len(story(printed)) >= 6 + 4
    assert sorted(map(str, story(printed))) == sorted(map(str, story(replayed)))


def test_a_cut_recording_is_read_up_to_the_cut(recorded, tmp_path):
    whole = recorded[1].read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:len(whole) * 2 // 3])
    result = here("report", cut)
    assert result.returncode == tool.FAILED
    assert "is damaged at byte" in result.stderr
    kept = here("trace", "-j", "--replay", cut).stdout
    all_of_it = here("trace", "-j", "--replay", recorded[1]).stdout
    assert kept and all_of_it.startswith(kept) and kept != all_of_it


def test_a_changed_byte_is_noticed(recorded, tmp_path):
    whole = bytearray(recorded[1].read_bytes())
    whole[len(whole) // 2] ^= 0x40
    bad = tmp_path / "bad"
    bad.write_bytes(whole)
    result = here("report", bad)
    assert result.returncode == tool.FAILED
    assert "is damaged at byte" in result.stderr


def test_what_is_no_recording_is_told(tmp_path):
    file = tmp_path / "text"
    file.write_text("this is no recording\n" * 10)
    result = here("report", file)
    assert result.returncode == tool.FAILED
    assert (result.stdout, str(file) in result.stderr) == ("", True)
    missing = here("report", tmp_path / "missing")
    assert missing.returncode == tool.FAILED
    assert "No such file or directory" in missing.stderr
