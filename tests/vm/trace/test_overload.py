# SPDX-License-Identifier: GPL-2.0-only
"""More than there is room for: what was seen and what was lost is what happened, to the last one,
and whatever a loss touches says that it is incomplete."""

import json
import re

import pytest

import tool
import truth
from harness import modules, paths
from harness.compiled import compiled

kernels = "patched"
ORACLE = paths.REPO / "tests" / "oracle"
FLOOD = 40_000  # pairs: their records take more than the 8 MiB of the ring buffer
A_SECOND = 200_000  # gets and puts
SLOTS = 32_768  # for call sites of gets, see bpf/tables.h
COPIES = 600  # modules; 510 can be told apart when their call sites have found no place
PATIENCE = 600

REFS = f"{truth.DEBUGFS}/lr_refs"
STOP, CONTINUE = "kill -STOP $PPID", "kill -CONT $PPID"  # lastref, whose command the script is


def recorded(guest, name, *script):
    """The report of what a script does, which is kept as /tmp/NAME. Its status tells of losses."""
    guest.put(f"/root/{name}.sh", "\n".join(["set -e", *script, ""]))
    result = tool.lastref(guest, f"record -j -o /tmp/{name} -- sh {name}.sh", PATIENCE)
    doc = tool.one_document(result)
    assert doc["command_status"] == 0, result.stderr
    lossy = doc["losses"]["events"] > 0
    no_answer = lossy and not doc["unloads"]  # nobody knows whether there were any
    assert result.status == (tool.FAILED if no_answer else tool.DONE), result.stderr
    assert ("the ring buffer was full" in result.stderr) == lossy
    return doc


def fetched(guest, name, tmp_path):
    """That recording on this machine, where it is replayed in no time."""
    file = tmp_path / name
    file.write_bytes(guest.get_large(f"/tmp/{name}"))
    return file


def replayed(recording):
    """Of a recording's stream of events: gets and puts, and what it says itself of losses."""
    events = [json.loads(line) for line in tool.here("trace", "-j", "--replay", recording).stdout
              .splitlines()]
    return (sum(one["event"].startswith("soft_") for one in events),
            sum(one["lost"] for one in events if one["event"] == "lost"))


@pytest.fixture
def refs(guest):
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")


def check_all_accounted_for(guest, recording, doc):
    """Seen + lost = happened. What counts by call site has lost nothing."""
    counted = truth.counters(guest, "lr_refs")
    happened = counted["get"] + counted["put"]
    seen, lost = replayed(recording)
    assert seen + lost == happened
    assert lost == doc["losses"]["events"]
    result = tool.here("refs", "-j", "--replay", recording, "lr_refs")
    module = tool.only_module(tool.one_document(result), "lr_refs")
    assert tool.sites(module)["lr_get_a"]["count"] == counted["get"]
    assert tool.sites(module, "put")["lr_put_a"]["count"] == counted["put"]
    return happened


def test_a_full_ring_buffer(guest, refs, tmp_path):
    doc = recorded(guest, "full", f"echo pairs 1 A > {REFS}/control", STOP,
                   f"echo pairs {FLOOD} A > {REFS}/control", CONTINUE)
    assert doc["losses"]["events"] > 0
    assert check_all_accounted_for(guest, fetched(guest, "full", tmp_path), doc) == 2 * FLOOD + 2


def test_one_that_is_not_full(guest, refs, tmp_path):
    """The control: nothing is called lost that was not."""
    doc = recorded(guest, "room", f"echo pairs {FLOOD // 40} A > {REFS}/control")
    assert doc["losses"]["events"] == 0
    assert check_all_accounted_for(guest, fetched(guest, "room", tmp_path), doc) == FLOOD // 20


def unload_of_lr_file(guest, name, *meanwhile):
    """Its request is seen; its last put and its free come when lastref has stopped reading."""
    truth.insmod(guest, "lr_file")
    return recorded(guest, name, "exec 5< /dev/lr_file", "rmmod lr_file", STOP, *meanwhile,
                    "exec 5<&-", "while [ -e /sys/module/lr_file ]; do usleep 20000; done",
                    CONTINUE)


def test_an_unload_in_the_flood_is_called_incomplete(guest, refs, tmp_path):
    doc = unload_of_lr_file(guest, "gone", f"echo pairs {FLOOD} A > {REFS}/control")
    assert doc["losses"]["events"] > 0
    unload, = doc["unloads"]
    assert unload["module"] == "lr_file"
    assert unload["complete"] is False and unload["incomplete"]
    happened = sum(truth.counters(guest, "lr_refs")[kind] for kind in ("get", "put"))
    seen = replayed(fetched(guest, "gone", tmp_path))[0] - len(unload["puts"])
    assert seen < happened <= seen + doc["losses"]["events"]


def test_and_without_a_flood_it_is_complete(guest, refs):
    doc = unload_of_lr_file(guest, "calm", f"echo pairs 10 A > {REFS}/control")
    assert doc["losses"]["events"] == 0
    unload, = doc["unloads"]
    assert (unload["complete"], unload["incomplete"], len(unload["puts"])) == (True, [], 1)


def test_at_200_000_a_second(boot, tmp_path):
    """On the clock of the guest's own instructions, so that no host is too slow for it."""
    guest = boot(icount=True)
    truth.insmod(guest, "lr_refs")
    doc = recorded(guest, "fast", "read begin rest < /proc/uptime",
                   f"echo pairs {A_SECOND // 4} A > {REFS}/control",
                   "read end rest < /proc/uptime", "echo $begin $end > /tmp/times")
    happened = check_all_accounted_for(guest, fetched(guest, "fast", tmp_path), doc)
    begin, end = map(float, guest.check("cat /tmp/times").split())
    assert happened == A_SECOND // 2
    assert happened / (end - begin) >= A_SECOND
    guest.check("rmmod lr_refs")


class Counting:
    """`lastref refs`, whose document stays in the guest until it is complete."""

    def __init__(self, guest):
        self.guest = guest
        self.job = guest.start("exec lastref refs -q -j > /tmp/many")
        self.job.wait_for(tool.READY, timeout=PATIENCE)

    def finish(self):
        """The document. Its schema is that of small ones: to check it would take a minute."""
        self.job.signal("INT")
        assert self.job.wait(PATIENCE).status == tool.OUTSTANDING
        return json.loads(self.guest.get_large("/tmp/many"))


def gets(module):
    """Those that were taken while it counted."""
    return [row for row in module["call_sites"]
            if row["kind"] == "get" and row.get("pseudo") != "before_tracing"]


def total(rows):
    return sum(row["count"] for row in rows)


def without_call_site(doc):
    return total(row for module in doc["modules"] for row in gets(module)
                 if row.get("pseudo") == "other")


@pytest.fixture(scope="module")
def crowded(boot, kernel):
    """A guest with more call sites than slots, taken once each, and then more modules."""
    program = compiled("load_copies", [ORACLE / "overload" / "load_copies.c"])
    guest = boot(extra_modules=modules.built(kernel, ORACLE / "modules"),
                 copies={"load_copies": program})
    truth.insmod(guest, "lr_many")
    return guest


def test_more_call_sites_than_slots(crowded):
    counting = Counting(crowded)
    crowded.check(f"echo 1 > {truth.DEBUGFS}/lr_many/get", PATIENCE)
    doc = counting.finish()
    happened = int(crowded.check(f"cat {truth.DEBUGFS}/lr_many/get"))
    assert happened > SLOTS
    assert total(row for module in doc["modules"] for row in gets(module)) == happened
    assert happened - SLOTS <= without_call_site(doc) == doc["losses"]["map_full"] < happened


def test_more_modules_than_can_be_told_apart(crowded):
    """The last resort counts without the module: what is missing there, no module may explain."""
    counting = Counting(crowded)
    before = int(crowded.check(f"cat {truth.DEBUGFS}/lr_many/get"))
    crowded.check(f"echo 1 > {truth.DEBUGFS}/lr_many/get", PATIENCE)
    crowded.check(f"./load_copies {truth.MODULES}/lr_leak.ko lr_leak {COPIES} && for d in "
                  f"{truth.DEBUGFS}/lr_l[0-9]*; do echo leak 1 > $d/control || exit; done",
                  PATIENCE)
    doc = counting.finish()
    happened = int(crowded.check(f"cat {truth.DEBUGFS}/lr_many/get")) - before + COPIES
    nowhere = doc["losses"]["map_full"] - without_call_site(doc)
    assert nowhere > 0
    assert total(row for module in doc["modules"] for row in gets(module)) + nowhere == happened
    copies = [module for module in doc["modules"] if re.match("lr_l[0-9]", module["module"])]
    assert len(copies) == COPIES
    assert sum(not gets(module) for module in copies) == nowhere
    for module in copies:
        assert module["soft"]["explained_min"] <= total(gets(module)), module
