# SPDX-License-Identifier: GPL-2.0-only
"""A bounded sample of `make oracle`, lastrefs that are wrong on purpose, and the oracle itself: its
comparison and its shrinker must notice, without any guest."""

import copy
import sys

import pytest

from harness.paths import REPO

sys.path.insert(0, str(REPO / "tests" / "oracle"))
import broken  # noqa: E402
import compare  # noqa: E402
import machine as oracle_machine  # noqa: E402
import model  # noqa: E402
import programs  # noqa: E402
from shrink import shrink  # noqa: E402

kernels = "all"
SAMPLE = 8  # programs
TRIES = 4  # sessions in which a broken lastref must have been caught
GOT_NS = 6000  # when the document below has arrived


@pytest.fixture(scope="module")
def machine(kernel):
    with oracle_machine.Machine(kernel, builds=broken.names()) as one:
        yield one


def session(kernel, seed, count):
    return programs.Maker(seed, not kernel.name.startswith("stock")).session(count)


def test_a_sample(kernel, machine):
    steps = session(kernel, f"sample {kernel.name}", SAMPLE)
    found = machine.run(steps)
    assert found is None, "\n".join([str(found), *(step.text() for step in steps)])
    assert machine.documents > SAMPLE


@pytest.mark.parametrize("name", broken.names())
def test_a_broken_lastref_is_caught(kernel, machine, name):
    machine.use(name)
    try:
        assert any(machine.run(session(kernel, f"{name} {n}", 3)) for n in range(TRIES))
    finally:
        machine.use()


# --- programs ---


def test_a_seed_makes_the_same_programs_again():
    for soft in (True, False):
        made = [programs.Maker(seed, soft).session(seed % 7 + 1) for seed in range(60)]
        assert made == [programs.Maker(seed, soft).session(seed % 7 + 1) for seed in range(60)]
        assert len({tuple(steps) for steps in made}) == len(made)
        for steps in made:
            assert programs.parse_all("\n".join(step.text() for step in steps)) == steps
            assert programs.legal(steps) == steps


def test_every_kind_of_step_is_made():
    kinds = {step.do for seed in range(60) for step in programs.Maker(seed, True).session(5)}
    assert kinds == {"program", "load", "unload", "freed", "failinit", "refs", "unrefs", "record",
                     "unrecord", "get", "put", "hget", "hput", "pairs", "mix", "later"}
    hard = {step.do for seed in range(60) for step in programs.Maker(seed, False).session(5)}
    assert hard == kinds - {"failinit", "get", "put", "pairs", "mix", "later"}


def test_steps_that_cannot_be_are_left_out():
    lines = ["put 0 3 A task A oldest", "load 0", "load 0", "get 0 4 A task",
             "put 0 9 B work A newest", "put 0 1 B work B newest", "get 0 2 B task", "unload 0",
             "load 0"]
    steps = programs.legal(programs.parse_all("\n".join(lines)))
    assert [step.text() for step in steps] == [
        "load 0", "get 0 4 A task", "put 0 4 B work A newest", "get 0 2 B task",
        "later 0 2 20 B B", "unload 0", "freed", "load 0", "unload 0", "freed"]


# --- the shrinker ---


def test_a_failing_session_is_made_small():
    def fails(steps):
        """Some puts from an interrupt, after enough gets, and a tracer that watches."""
        at = {step.do: n for n, step in enumerate(steps)}
        gets = sum(step.n for step in steps if step.do == "get")
        return gets >= 7 and at.get("refs", 999) < max(
            (n for n, step in enumerate(steps) if step.do == "put" and step.context == "softirq"),
            default=-1)

    steps = next(steps for steps in (programs.Maker(seed, True).session(12) for seed in range(99))
                 if fails(steps))
    trials = []
    small = shrink(steps, lambda s: trials.append(s) or fails(s), programs.legal, 1000)
    assert fails(small)
    assert [step.do for step in small if step.do in ("program", "pairs", "mix", "hget")] == []
    assert sum(step.n for step in small if step.do == "get") == 7
    assert [step.n for step in small if step.do == "put"] == [1]
    assert len(small) < 10 < len(steps)
    assert len(trials) == len({tuple(s) for s in trials})


def test_the_shrinker_keeps_to_its_budget():
    steps = programs.Maker(1, True).session(12)
    trials = []
    assert shrink(steps, lambda s: trials.append(s) or True, programs.legal, 5)
    assert len(trials) == 5
    assert shrink(steps, lambda s: False, programs.legal, 50) == steps


# --- the comparison: of what an honest lastref would say, and of the same made wrong ---


def row(counter, kind, function, count, bounds=None):
    made = {"counter": counter, "kind": kind, "call_site": f"{function}+0x14 [lr_ora0]",
            "count": count}
    if bounds:
        low, high = bounds
        made.update(outstanding_min=low, outstanding_max=high, age_min_ns=None, age_max_ns=None,
                    attribution="exact" if low == high else "bounds")
    return made


def watched():
    """A module whose load was seen: 5 gets at A, 4 at B, of whose 3 were put at C."""
    truth = model.Truth()
    answers = [
        ("refs 0 tracepoint held both", {"busy": 0}),
        ("load 0", {"instance": "77", "opened": 1, "counted": {}}),
        ("get 0 5 A task", {"instance": "77", "opened": 3, "counted": {"get.A": 5}}),
        ("get 0 4 B task", {"instance": "77", "opened": 5, "counted": {"get.A": 5, "get.B": 4}}),
        ("put 0 3 C task A oldest", {"instance": "77", "opened": 7, "counted": {
            "get.A": 5, "get.B": 4, "put.C": 3}})]
    for at, (line, answer) in enumerate(answers):
        times = {"t0": 1000 * at, "t1": 1000 * at + 10, "ret": 0}
        truth.feed(programs.parse(line), {**times, **answer})
    truth.seen[0].zero = {"soft": {"A": 0, "B": 0, "C": 0, "files": 0},
                          "hard": {"A": 0, "B": 0, "C": 0, "files": 1}}
    doc = {"ts_ns": "5000", "attach": "tracepoint", "losses": dict(compare.NO_LOSSES), "modules": [{
        "module": "lr_ora0", "instance_id": "77", "generation": 1, "loaded_before_tracing": False,
        "state": "live",
        "soft": {"refs": 6, "explained_min": 6, "explained_max": 6, "unexplained_min": 0,
                 "unexplained_max": 0},
        "hard": {"refs": 0, "explained_min": 0, "explained_max": 0, "unexplained_min": 0,
                 "unexplained_max": 0},
        "call_sites": [row("soft", "get", "lr_get_a", 5, (2, 5)),
                       row("soft", "get", "lr_get_b", 4, (1, 4)),
                       row("soft", "put", "lr_put_c", 3),
                       row("hard", "get", "full_proxy_open", 7, (0, 0)),
                       row("hard", "put", "full_proxy_release", 7),
                       row("hard", "put", "do_init_module", 1)]}]}
    return truth, doc


def mismatches(change):
    truth, doc = watched()
    change(doc, doc["modules"][0], doc["modules"][0]["call_sites"])
    return list(compare.refs(doc, GOT_NS, truth))


def test_an_honest_document_passes():
    assert mismatches(lambda doc, module, rows: None) == []


@pytest.mark.parametrize("change", [
    lambda doc, module, rows: rows[0].update(count=6),
    lambda doc, module, rows: rows[2].update(count=2),
    lambda doc, module, rows: rows.pop(1),
    lambda doc, module, rows: rows[3].update(count=8),
    lambda doc, module, rows: rows.pop(5),
    lambda doc, module, rows: rows.append(row("soft", "get", "lr_get_c", 1, (0, 1))),
    lambda doc, module, rows: rows[0].update(outstanding_min=3),
    lambda doc, module, rows: rows[1].update(outstanding_max=3),
    lambda doc, module, rows: rows[0].update(outstanding_max=6),
    lambda doc, module, rows: rows[0].update(outstanding_min=1),
    lambda doc, module, rows: rows[0].update(attribution="exact"),
    lambda doc, module, rows: rows[3].update(attribution="bounds"),
    lambda doc, module, rows: rows[0].update(age_max_ns=100),
    lambda doc, module, rows: rows[0].update(age_min_ns=4001),
    lambda doc, module, rows: module["soft"].update(refs=5),
    lambda doc, module, rows: module["soft"].update(explained_max=5, unexplained_min=1),
    lambda doc, module, rows: module["soft"].update(explained_min=7, unexplained_max=-1),
    lambda doc, module, rows: module["soft"].update(unexplained_max=1),
    lambda doc, module, rows: module["hard"].update(refs=1),
    lambda doc, module, rows: module.update(generation=2),
    lambda doc, module, rows: module.update(instance_id="78"),
    lambda doc, module, rows: module.update(loaded_before_tracing=True),
    lambda doc, module, rows: module.update(state="going"),
    lambda doc, module, rows: doc["modules"].append({**module, "module": "lr_ora1"}),
    lambda doc, module, rows: doc["modules"].clear(),
    lambda doc, module, rows: doc["losses"].update(events=1),
])
def test_a_wrong_document_does_not(change):
    assert mismatches(change)


@pytest.mark.parametrize("refs, tries, fine", [
    (6, 0, True), (7, 0, False), (7, 1, True), (8, 1, False)])
def test_a_late_get_that_comes_early_is_held_for_a_moment(refs, tries, fine):
    truth, doc = watched()
    truth.going[0] = truth.live.pop(0)
    truth.going[0].tries = tries
    doc["modules"][0].update(state="going")
    doc["modules"][0]["soft"].update(refs=refs)
    assert (list(compare.refs(doc, GOT_NS, truth)) == []) is fine


def test_what_was_missed_may_be_missing_but_is_no_excuse_for_more():
    def lose(missed, said, attribution="bounds", unknown=False):
        def change(doc, module, rows):
            doc["losses"].update(missed_probes=missed, soft_missed=missed > 0,
                                 missed_unknown=unknown)
            rows[0].update(count=said)
            for one in rows[:2]:
                one.update(outstanding_min=0, outstanding_max=6, attribution=attribution)
            module["soft"].update(explained_min=0, unexplained_max=6)
        truth, doc = watched()
        doc["attach"] = "kprobe"
        change(doc, doc["modules"][0], doc["modules"][0]["call_sites"])
        return list(compare.refs(doc, GOT_NS, truth))

    assert lose(1, 4) == lose(2, 4) == []
    assert lose(1, 3)  # two are missing, one was missed
    assert lose(1, 6)  # more than happened
    assert lose(1, 4, "exact")
    assert lose(1, 3, unknown=True) == []  # nobody knows how many were missed
    assert lose(1, 6, unknown=True) and lose(0, 4, "exact", unknown=True)


@pytest.mark.parametrize("at_zero, now, fine", [(1, 1, True), (1, 2, False), (0, 1, False)])
def test_what_was_missed_before_a_zero_is_of_no_matter(at_zero, now, fine):
    """One probe run is missed while 5 are held. All are put, and then 2 are taken at A."""
    truth, doc = watched()
    instance, module = truth.live[0], doc["modules"][0]
    truth.seen[0].zero = {}

    def say(missed, taken):
        instance.held["soft"] = {site: [] for site in "ABC"}
        if taken:
            instance.take("soft", "A", taken, (4000, 4010))
        instance.counted.update({"get.A": taken, "put.C": 6 if not taken else 0})
        doc.update(attach="kprobe")
        doc["losses"].update(missed_probes=missed, soft_missed=missed > 0)
        module["soft"].update(refs=taken, explained_min=taken, explained_max=taken)
        module["call_sites"][:3] = [
            row("soft", "get", "lr_get_a", 5 + taken, (taken, taken)),
            row("soft", "get", "lr_get_b", 4, (0, 0)),
            row("soft", "put", "lr_put_c", 9)]
        return list(compare.refs(doc, GOT_NS, truth))

    assert say(at_zero, 0) == []
    assert (say(now, 2) == []) is fine


def unload(ret=0):
    """One with two references, of which one was put before it returned; and its report."""
    true = model.Unload("lr_ora0", "77", 1000, 2000, ret, [(1, 0, "A"), (1, 90, "B")],
                        ("lr_ora0", 1001, 1999, ret, 9000), 20000)
    freed = {"outcome": "freed", "errno": None, "freed_ns": "9005", "free_delay_ns": 7015,
             "outstanding_at_exit": 2, "outstanding_at_return": 1,
             "puts": [{"ts_ns": "1500"}, {"ts_ns": "5000"}], "puts_omitted": 0,
             "phases": [{"name": "requested", "start_ns": "1002", "duration_ns": 8003}]}
    refused = {"outcome": "refused", "errno": -ret, "freed_ns": None, "phases": []}
    record = {"module": "lr_ora0", "instance_id": "77", "complete": True, "incomplete": [],
              "requested_ns": "1002", "returned_ns": "1990", **(refused if ret else freed)}
    return true, {"attach": "tracepoint", "losses": dict(compare.NO_LOSSES), "unloads": [record]}


def test_an_honest_report_passes():
    for ret in (0, -11):
        true, doc = unload(ret)
        assert list(compare.report(doc, [true])) == []


@pytest.mark.parametrize("change", [
    {"outcome": "refused", "errno": 11}, {"outcome": "waiting"}, {"errno": 5},
    {"complete": False}, {"instance_id": "78"}, {"requested_ns": "999"}, {"returned_ns": "2001"},
    {"freed_ns": None}, {"freed_ns": "9006"}, {"freed_ns": "900"}, {"free_delay_ns": 7014}, {"free_delay_ns": 0},
    {"outstanding_at_exit": 3}, {"outstanding_at_return": 3}, {"outstanding_at_return": 0},
    {"puts": [{}]}, {"puts_omitted": 1}, {"outstanding_at_exit": None},
    {"phases": [{"name": "requested", "start_ns": "1002", "duration_ns": 8002}]},
    {"phases": [{"name": "requested", "start_ns": "1002", "duration_ns": 3},
                {"name": "freeing", "start_ns": "1006", "duration_ns": 7999}]},
])
def test_a_wrong_report_does_not(change):
    true, doc = unload()
    doc["unloads"][0].update(copy.deepcopy(change))
    assert list(compare.report(doc, [true]))


def test_nor_does_one_with_too_few_or_too_many():
    true, doc = unload()
    assert list(compare.report({**doc, "unloads": []}, [true]))
    assert list(compare.report({**doc, "unloads": doc["unloads"] * 2}, [true]))
    assert list(compare.report(doc, []))
    assert list(compare.report({**doc, "losses": {**doc["losses"], "events": 1}}, [true]))
    refused, wrong = unload(-11)
    wrong["unloads"][0]["errno"] = 16
    assert list(compare.report(wrong, [refused]))
