# SPDX-License-Identifier: GPL-2.0-only
"""lastref refs: who took references and did not give them back. Its table is in tests/unit."""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {}


def soft_refs(module, refs):
    """A document's predicate: the module is there and has so many."""
    return lambda doc: any(m["module"] == module and m["soft"]["refs"] == refs
                           for m in doc["modules"])


def test_a_table_takes_the_place_of_the_one_before_on_a_terminal_only(guest):
    truth.insmod(guest, "lr_refs")
    on_terminal = guest.start(["lastref", "refs", "-i", "0.1", "lr_refs"], terminal=True)
    on_terminal.wait_for(r"\x1b\[\d+F\x1b\[J(?s:.*)\x1b\[\d+F\x1b\[J", "stdout")
    on_terminal.signal("INT")
    assert on_terminal.wait().status == tool.DONE
    piped = guest.start(["lastref", "refs", "-i", "0.1", "lr_refs"])
    piped.wait_for(r"(?s:lr_refs: soft refs 0.*){3}", "stdout")
    assert "\x1b" not in tool.finish(piped).stdout
    guest.check("rmmod lr_refs")


@pytest.fixture(scope="module")
def by_interval(guest):
    """Of lr_refs, with references from before; the last of the tests that follow ends it."""
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "get 5 A")
    return tool.start(guest, "refs -j -i 0.1 lr_refs")


def test_references_from_before_are_unexplained(guest, by_interval):
    """The kernel's counter is the truth; what nobody saw is said to be so."""
    truth.control(guest, "lr_refs", "get 2 B")
    module = tool.only_module(tool.next_document(by_interval, soft_refs("lr_refs", 7)), "lr_refs")
    assert module["loaded_before_tracing"] is True
    soft = module["soft"]
    assert int(truth.sysfs(guest, "lr_refs", "soft_refcnt")) == 7
    assert (soft["explained_min"], soft["explained_max"]) == (2, 2)
    assert (soft["unexplained_min"], soft["unexplained_max"]) == (5, 5)
    assert "lr_get_a" not in tool.sites(module)
    before, = [row for row in module["call_sites"] if row.get("pseudo") == "before_tracing"]
    assert (before["outstanding_min"], before["outstanding_max"]) == (5, 5)
    truth.control(guest, "lr_refs", "put 7")
    guest.check("rmmod lr_refs")


def test_a_new_load_is_a_new_instance(guest, by_interval):
    found = []
    for count in (1, 2):
        truth.insmod(guest, "lr_refs")
        truth.control(guest, "lr_refs", f"get {count} A")
        doc = tool.next_document(by_interval, soft_refs("lr_refs", count))
        found.append(tool.only_module(doc, "lr_refs"))
        truth.control(guest, "lr_refs", f"put {count} B")
        guest.check("rmmod lr_refs")
    assert found[0]["instance_id"] != found[1]["instance_id"]
    assert found[0]["generation"] + 1 == found[1]["generation"]
    assert [m["loaded_before_tracing"] for m in found] == [False, False]
    assert [tool.sites(m)["lr_get_a"]["count"] for m in found] == [1, 2]


def test_a_document_per_interval(guest, by_interval):
    guest.wait_until(lambda: by_interval.stdout_so_far.count("\n") >= 4, 60, "four documents")
    # What was asked for is not loaded at the end.
    docs = tool.documents(tool.finish(by_interval, tool.REFUSED).stdout)
    stamps = [int(doc["ts_ns"]) for doc in docs]
    assert stamps == sorted(stamps)
    assert all(after - before < tool.NEAR_NS for before, after in zip(stamps, stamps[1:]))


def proven_after(module, gets):
    """A document's predicate: nothing was outstanding at a moment after so many gets."""
    def predicate(doc):
        rows = [m for m in doc["modules"] if m["module"] == module and m["proven_zero_ns"]]
        return bool(rows) and rows[0]["soft"]["refs"] == 0 and gets == sum(
            row["count"] for row in rows[0]["call_sites"] if row["kind"] == "get")
    return predicate


@pytest.fixture(scope="module", params=["tracepoint", "fentry", "kprobe"])
def counting(guest, request):
    """Of lr_leak and lr_refs, in each of the ways; what is outstanding is given back in the end."""
    for name in ("lr_leak", "lr_refs"):
        truth.insmod(guest, name)
    job = tool.start(guest, f"refs -j -i 0.2 --attach={request.param} lr_leak lr_refs")
    yield job
    for name, put in (("lr_leak", "release"), ("lr_refs", "put")):
        truth.control(guest, name, f"{put} {truth.counters(guest, name)['outstanding']}")
    tool.finish(job)
    guest.check("rmmod lr_leak lr_refs")


def test_the_leak_is_named_exactly(guest, counting):
    truth.control(guest, "lr_leak", "balanced 1000")
    tool.wait_document(counting, proven_after("lr_leak", 1000))
    truth.control(guest, "lr_leak", "leak 3")
    doc = tool.next_document(counting, soft_refs("lr_leak", 3))
    module = tool.only_module(doc, "lr_leak")
    assert (module["state"], module["loaded_before_tracing"]) == ("live", True)
    assert module["soft"] == {**module["soft"], "refs": 3, "explained_min": 3, "explained_max": 3}

    leaky = tool.sites(module)["get_leaky"]
    # Where the kernel does not count skipped runs, nobody knows that there were none.
    certain = "bounds" if doc["losses"]["missed_unknown"] else "exact"
    assert (leaky["attribution"], leaky["count"]) == (certain, 3)
    assert (leaky["outstanding_min"], leaky["outstanding_max"]) == (3, 3)
    assert leaky["age_min_ns"] <= leaky["age_max_ns"]
    assert leaky["first"]["comm"] == leaky["last"]["comm"] == "sh"
    functions = [frame.split("+")[0] for frame in leaky["stack"]]
    assert leaky["stack"][0] == leaky["call_site"]
    assert functions[:2] == ["get_leaky", "control_write"]
    assert {"vfs_write", "ksys_write"} & set(functions), functions
    assert "entry_SYSCALL_64_after_hwframe" in functions

    balanced = tool.sites(module)["get_balanced"]
    assert (balanced["attribution"], balanced["count"]) == (certain, 1000)
    assert (balanced["outstanding_min"], balanced["outstanding_max"]) == (0, 0)
    assert tool.sites(module, "put")["get_balanced"]["count"] == 1000


def test_references_are_anonymous_so_puts_widen_the_bounds(guest, counting):
    """Of 5 gets here and 4 there, 3 are put: nobody can say whose. The truth is within."""
    truth.control(guest, "lr_refs", "get 5 A", "get 4 B", "put 3 C")
    doc = tool.next_document(counting, soft_refs("lr_refs", 6))
    assert truth.counters(guest, "lr_refs")["outstanding"] == 6
    by_site = {name: (row["outstanding_min"], row["outstanding_max"], row["attribution"])
               for name, row in tool.sites(tool.only_module(doc, "lr_refs")).items()}
    assert by_site == {"lr_get_a": (2, 5, "bounds"), "lr_get_b": (1, 4, "bounds")}
