# SPDX-License-Identifier: GPL-2.0-only
"""lastref refs --hard: the references that keep a module from being unloaded, on any kernel."""

import pytest

import tool
import truth

kernels = "all"
guest_options = {}
FILE = f"{truth.DEBUGFS}/lr_refs/counters"  # open, it takes a hard reference


def hard(doc):
    return tool.only_module(doc, "lr_refs")["hard"]


@pytest.fixture
def refs(guest):
    truth.insmod(guest, "lr_refs")
    yield
    guest.check("rmmod lr_refs")


def test_who_took_them_and_who_gave_them_back(guest, refs):
    job = tool.start(guest, "refs --hard -j -i 0.2 lr_refs")
    tool.wait_document(job, lambda doc: hard(doc).get("explained_max") == 0)
    first, second = truth.OpenFile(guest, FILE), truth.OpenFile(guest, FILE)
    tool.wait_document(job, lambda doc: hard(doc)["refs"] == 2)
    first.close()
    tool.wait_document(job, lambda doc: hard(doc)["refs"] == 1)
    doc = tool.documents(tool.finish(job, tool.OUTSTANDING).stdout)[-1]
    second.close()
    module = tool.only_module(doc, "lr_refs")
    assert module["hard"] == {"refs": 1, "explained_min": 1, "explained_max": 1,
                              "unexplained_min": 0, "unexplained_max": 0}
    gets = [row for row in module["call_sites"] if row["kind"] == "get" and row["count"] == 2]
    puts = [row for row in module["call_sites"] if row["kind"] == "put"]
    assert sum(row["count"] for row in puts) == 1
    row, = gets
    assert (row["counter"], row["outstanding_min"], row["outstanding_max"]) == ("hard", 1, 1)
    assert row["attribution"] == "exact"
    assert any("open" in frame for frame in row["stack"]), row["stack"]
    assert row["first"]["comm"] == "sh"


def test_one_from_before_is_not_blamed_on_anybody(guest, refs):
    before = truth.OpenFile(guest, FILE)
    job = tool.start(guest, "refs --hard -j lr_refs")
    after = truth.OpenFile(guest, FILE)
    doc = tool.one_document(tool.finish(job, tool.OUTSTANDING))
    before.close()
    after.close()
    module = tool.only_module(doc, "lr_refs")
    assert module["hard"]["refs"] == 2
    assert (module["hard"]["explained_max"], module["hard"]["unexplained_min"]) == (1, 1)
    pseudo, = [row for row in module["call_sites"] if "before tracing" in row["call_site"]]
    assert pseudo["counter"] == "hard"
    assert pseudo["outstanding_min"] <= 1 <= pseudo["outstanding_max"]


def test_the_reference_of_the_load_is_nobodys(guest):
    """A load puts a reference whose get nobody saw; the sums are right all the same."""
    job = tool.start(guest, "refs --hard -j lr_refs")
    truth.insmod(guest, "lr_refs")
    file = truth.OpenFile(guest, FILE)
    doc = tool.one_document(tool.finish(job, tool.OUTSTANDING))
    file.close()
    module = tool.only_module(doc, "lr_refs")
    assert not module["loaded_before_tracing"]
    assert module["hard"] == {"refs": 1, "explained_min": 1, "explained_max": 1,
                              "unexplained_min": 0, "unexplained_max": 0}
    assert tool.sites(module, "put")["do_init_module"]["count"] == 1
    guest.check("rmmod lr_refs")


def test_a_recording_has_them_when_asked(guest, refs):
    guest.put("/root/open.sh", f"exec 5< {FILE}\nlastref refs -q -d 0.1 lr_refs > /dev/null\n")
    assert tool.lastref(guest, "record --hard -o /tmp/hard -- sh open.sh").status == tool.DONE
    doc = tool.one_document(tool.lastref(guest, "refs --hard -j --replay /tmp/hard lr_refs"))
    module = tool.only_module(doc, "lr_refs")
    assert module["hard"]["refs"] == 0
    opened = [row for row in module["call_sites"] if row["kind"] == "get" and row["count"] >= 1]
    assert opened
    assert tool.lastref(guest, "record -o /tmp/soft -- true").status == tool.DONE
    refused = tool.lastref(guest, "refs --hard --replay /tmp/soft")
    assert refused.status == tool.FAILED
    assert "record --hard" in refused.stderr


def test_both_counters_at_once(guest, refs):
    result = tool.lastref(guest, "refs --soft --hard -d 0.2 lr_refs")
    assert "hard refs 0" in result.stdout
