# SPDX-License-Identifier: GPL-2.0-only
"""lastref refs: who took references and did not give them back."""

import pytest

import tool
import truth

kernels = "patched"
guest_options = {}
every = pytest.mark.parametrize("attach", ["tracepoint", "fentry", "kprobe"])


@pytest.fixture
def leak(guest):
    truth.insmod(guest, "lr_leak")
    yield
    left = truth.counters(guest, "lr_leak")["outstanding"]
    truth.control(guest, "lr_leak", f"release {left}")
    guest.check("rmmod lr_leak")


@pytest.fixture
def refs(guest):
    truth.insmod(guest, "lr_refs")
    yield
    left = truth.counters(guest, "lr_refs")["outstanding"]
    truth.control(guest, "lr_refs", f"put {left}")
    guest.check("rmmod lr_refs")


def proven_after(module, gets):
    """A document's predicate: nothing was outstanding at a moment after so many gets."""
    def predicate(doc):
        rows = [m for m in doc["modules"] if m["module"] == module and m["proven_zero_ns"]]
        return bool(rows) and rows[0]["soft"]["refs"] == 0 and gets == sum(
            row["count"] for row in rows[0]["call_sites"] if row["kind"] == "get")
    return predicate


@every
def test_the_leak_is_named_exactly(guest, leak, attach):
    job = tool.start(guest, f"refs -j -i 0.2 --attach={attach} lr_leak")
    truth.control(guest, "lr_leak", "balanced 1000")
    tool.wait_document(job, proven_after("lr_leak", 1000))
    truth.control(guest, "lr_leak", "leak 3")
    doc = tool.documents(tool.finish(job, tool.OUTSTANDING).stdout)[-1]
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


def test_the_text_says_it_too(guest, leak):
    job = tool.start(guest, "refs -k lr_leak")
    truth.control(guest, "lr_leak", "leak 2")
    text = tool.finish(job, tool.OUTSTANDING).stdout
    assert "get_leaky+0x" in text and "control_write+0x" in text
    assert max(map(len, text.splitlines())) <= 80


@every
def test_references_are_anonymous_so_puts_widen_the_bounds(guest, refs, attach):
    """Of 5 gets here and 4 there, 3 are put: nobody can say whose. The truth is within."""
    job = tool.start(guest, f"refs -j --attach={attach} lr_refs")
    truth.control(guest, "lr_refs", "get 5 A", "get 4 B", "put 3 C")
    doc = tool.one_document(tool.finish(job, tool.OUTSTANDING))
    module = tool.only_module(doc, "lr_refs")
    assert module["soft"]["refs"] == truth.counters(guest, "lr_refs")["outstanding"] == 6
    by_site = {name: (row["outstanding_min"], row["outstanding_max"], row["attribution"])
               for name, row in tool.sites(module).items()}
    assert by_site == {"lr_get_a": (2, 5, "bounds"), "lr_get_b": (1, 4, "bounds")}


def test_references_from_before_are_unexplained(guest, refs):
    """The kernel's counter is the truth; what nobody saw is said to be so."""
    truth.control(guest, "lr_refs", "get 5 A")
    job = tool.start(guest, "refs -j lr_refs")
    truth.control(guest, "lr_refs", "get 2 B")
    doc = tool.one_document(tool.finish(job, tool.OUTSTANDING))
    module = tool.only_module(doc, "lr_refs")
    assert module["loaded_before_tracing"] is True
    soft = module["soft"]
    assert soft["refs"] == 7 == int(truth.sysfs(guest, "lr_refs", "soft_refcnt"))
    assert (soft["explained_min"], soft["explained_max"]) == (2, 2)
    assert (soft["unexplained_min"], soft["unexplained_max"]) == (5, 5)
    assert "lr_get_a" not in tool.sites(module)
    before, = [row for row in module["call_sites"] if row.get("pseudo") == "before_tracing"]
    assert (before["outstanding_min"], before["outstanding_max"]) == (5, 5)


def test_a_new_load_is_a_new_instance(guest):
    job = tool.start(guest, "refs -j -i 0.2 lr_refs")
    found = []
    for count in (1, 2):
        truth.insmod(guest, "lr_refs")
        truth.control(guest, "lr_refs", f"get {count} A")
        doc = tool.wait_document(job, lambda doc, n=count: any(
            m["soft"]["refs"] == n and m["generation"] == n for m in doc["modules"]))
        found.append(tool.only_module(doc, "lr_refs"))
        truth.control(guest, "lr_refs", f"put {count} B")
        guest.check("rmmod lr_refs")
    tool.finish(job, tool.REFUSED)  # what was asked for is not loaded at the end
    assert found[0]["instance_id"] != found[1]["instance_id"]
    assert [m["loaded_before_tracing"] for m in found] == [False, False]
    assert [tool.sites(m)["lr_get_a"]["count"] for m in found] == [1, 2]


def test_a_document_per_interval(guest, refs):
    job = tool.start(guest, "refs -j -i 0.1")
    guest.wait_until(lambda: job.stdout_so_far.count("\n") >= 3, 60, "three documents")
    docs = tool.documents(tool.finish(job).stdout)
    stamps = [int(doc["ts_ns"]) for doc in docs]
    assert len(stamps) >= 4 and stamps == sorted(stamps)


def test_a_table_takes_the_place_of_the_one_before_on_a_terminal_only(guest, refs):
    on_terminal = guest.start(["lastref", "refs", "-i", "0.1", "lr_refs"], terminal=True)
    on_terminal.wait_for(r"\x1b\[\d+F\x1b\[J(?s:.*)\x1b\[\d+F\x1b\[J", "stdout")
    on_terminal.signal("INT")
    assert on_terminal.wait().status == tool.DONE
    piped = guest.start(["lastref", "refs", "-i", "0.1", "lr_refs"])
    piped.wait_for(r"(?s:lr_refs: soft refs 0.*){3}", "stdout")
    assert "\x1b" not in tool.finish(piped).stdout


def test_the_duration_ends_it(guest, refs):
    result = tool.lastref(guest, "refs -j -d 0.5 lr_refs")
    assert result.status == tool.DONE
    assert tool.only_module(tool.one_document(result), "lr_refs")["soft"]["refs"] == 0
