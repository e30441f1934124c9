# SPDX-License-Identifier: GPL-2.0-only
"""lastref refs --hard: the references that keep a module from being unloaded, on any kernel.

One lastref watches all: lr_refs, and lr_referee, which is held from before it starts.
"""

import pytest

import tool
import truth
from harness.paths import REPO

kernels = "all"
guest_options = {"load": ["lr_referee", "lr_refs"]}
FILE = f"{truth.DEBUGFS}/lr_refs/counters"  # open, it takes a hard reference
ALL_EXPLAINED = {"explained_min": 1, "explained_max": 1, "unexplained_min": 0, "unexplained_max": 0}


def hard_refs(module, refs):
    """A document's predicate: the module is there and has so many."""
    return lambda doc: any(m["module"] == module and m["hard"]["refs"] == refs
                           for m in doc["modules"])


def hard_rows(module, kind):
    return [row for row in module["call_sites"]
            if (row["counter"], row["kind"]) == ("hard", kind)]


def test_a_recording_has_them_when_asked(guest, tmp_path):
    recorded = tool.lastref(guest, f"record --hard -o /tmp/hard -- sh -c 'exec 5< {FILE}'")
    assert recorded.status == tool.DONE, recorded.stderr
    file = tmp_path / "hard"
    file.write_bytes(guest.get("/tmp/hard"))
    replayed = tool.here("refs", "--hard", "-j", "--replay", file, "lr_refs")
    module = tool.only_module(tool.parse(replayed.stdout), "lr_refs")
    assert module["hard"]["refs"] == 0
    assert [row for row in hard_rows(module, "get") if row["count"] >= 1]
    refused = tool.here("refs", "--hard", "--replay",
                        REPO / "tests" / "fixtures" / "deferred-1.lastref")
    assert refused.returncode == tool.FAILED
    assert "record --hard" in refused.stderr


@pytest.fixture(scope="module")
def watching(guest, keep, kernel):
    keep(f"open_r {truth.DEBUGFS}/lr_referee/unloads")
    soft = "--soft" if kernel.patched else ""  # which is refused elsewhere
    job = tool.start(guest, f"refs {soft} --hard -j -i 0.2 lr_refs lr_referee")
    yield job
    tool.finish(job, tool.OUTSTANDING)


def test_who_took_them_and_who_gave_them_back(guest, keep, kernel, watching):
    doc = tool.next_document(watching, hard_refs("lr_refs", 0))
    assert tool.only_module(doc, "lr_refs")["hard"]["explained_max"] == 0
    first, second = keep(f"open_r {FILE}"), keep(f"open_r {FILE}")
    tool.next_document(watching, hard_refs("lr_refs", 2))
    first.end()
    doc = tool.next_document(watching, hard_refs("lr_refs", 1))
    second.end()
    module = tool.only_module(doc, "lr_refs")
    assert module["hard"] == {"refs": 1, **ALL_EXPLAINED}
    assert (module["soft"] is not None) == kernel.patched
    assert sum(row["count"] for row in hard_rows(module, "put")) == 1
    row, = [row for row in hard_rows(module, "get") if row["count"] == 2]
    assert (row["outstanding_min"], row["outstanding_max"]) == (1, 1)
    assert row["attribution"] == "exact"
    assert any("open" in frame for frame in row["stack"]), row["stack"]
    assert row["first"]["comm"] == "keeper"


def test_one_from_before_is_not_blamed_on_anybody(guest, keep, watching):
    after = keep(f"open_r {truth.DEBUGFS}/lr_referee/losses")
    doc = tool.next_document(watching, hard_refs("lr_referee", 2))
    after.end()
    module = tool.only_module(doc, "lr_referee")
    assert (module["hard"]["explained_max"], module["hard"]["unexplained_min"]) == (1, 1)
    pseudo, = [row for row in module["call_sites"] if "before tracing" in row["call_site"]]
    assert pseudo["counter"] == "hard"
    assert pseudo["outstanding_min"] <= 1 <= pseudo["outstanding_max"]


def test_the_reference_of_the_load_is_nobodys(guest, keep, watching):
    """A load puts a reference whose get nobody saw; the sums are right all the same."""
    guest.check("rmmod lr_refs")
    truth.insmod(guest, "lr_refs")
    file = keep(f"open_r {FILE}")
    doc = tool.next_document(watching, hard_refs("lr_refs", 1))
    file.end()
    module = tool.only_module(doc, "lr_refs")
    assert not module["loaded_before_tracing"]
    assert module["hard"] == {"refs": 1, **ALL_EXPLAINED}
    assert tool.sites(module, "put")["do_init_module"]["count"] == 1
