# SPDX-License-Identifier: GPL-2.0-only
"""What every test of lastref why holds an answer against, itself: all that was ever kept passes, and
whatever is made wrong does not."""

import json
from types import SimpleNamespace

import jsonschema
import pytest

import tool
import why
from harness.paths import REPO

kernels = []
KEPT = sorted((REPO / "tests" / "fixtures" / "why").glob("*/*.json"))
# Sockets of two processes, and a module that depends on it.
HELD = REPO / "tests" / "fixtures" / "why" / "stock-6.12" / "net-sockets-af-alg.json"
FREE = {"module": "lr", "state": "live", "verdict": "lr can be unloaded: nothing holds it.",
        "holders": [], "dependents": [], "next": [], "hard": {"refs": 0, "explained": 0, "unexplained": 0}}


def held(change=None):
    doc = json.loads(HELD.read_text(encoding="utf-8"))
    if change:
        change(doc)
    return json.dumps(doc)


def ended(status, doc):
    return SimpleNamespace(status=status, stdout=doc + "\n", stderr="")


def test_what_was_kept_passes():
    assert len(KEPT) > 50
    for file in KEPT:
        why.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("change", [
    lambda doc: doc.pop("verdict"),
    lambda doc: doc.update(schema="lastref.refs/1"),
    lambda doc: doc["hard"].update(refs=doc["hard"]["refs"] + 1),
    lambda doc: doc["hard"].update(explained=doc["hard"]["explained"] - 1, unexplained=1),
    lambda doc: doc["hard"].update(explained=doc["hard"]["refs"] + 1, unexplained=-1),
    lambda doc: doc["holders"].pop(),
    lambda doc: doc["holders"].append(doc["holders"][-1]),
    lambda doc: doc["holders"].reverse(),
    lambda doc: doc["holders"][0].update(evidence="sampled"),
    lambda doc: doc["holders"][0].update(counter="none"),
    lambda doc: doc["holders"][0].update(pins="no"),
    lambda doc: doc["holders"][0].update(pins="unknown", counter="none"),
    lambda doc: doc["holders"].append({**doc["holders"][-1], "refs": 0}),
    lambda doc: doc["holders"][0].update(comm=""),
    lambda doc: doc.update(dependents=[]),
    lambda doc: doc.update(complete=False),
    lambda doc: doc.update(not_examined=[{"what": "mounts", "why": "none"}]),
    lambda doc: doc.update(state="not_loaded"),
    lambda doc: doc.update(hard=None),
    lambda doc: doc.update(verdict=f"{doc['module']} can be unloaded: nothing holds it."),
])
def test_what_is_wrong_does_not(change):
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        why.parse(held(change))


def test_what_changes_is_incomplete_and_nothing_may_be_missing():
    why.parse(held(lambda doc: doc.update(complete=False)), changes=True)


@pytest.mark.parametrize("status, fits", [(tool.DONE, False), (tool.OUTSTANDING, True)])
def test_the_status_fits_the_answer(status, fits):
    for text, is_right in ((held(), fits), (held(lambda doc: doc.update(FREE)), not fits)):
        if is_right:
            why.document(ended(status, text), status)
            continue
        with pytest.raises(AssertionError):
            why.document(ended(status, text))
    with pytest.raises(AssertionError):
        why.document(ended(status, held()), tool.FAILED)


def test_there_is_one_answer():
    with pytest.raises(ValueError):
        why.document(ended(tool.OUTSTANDING, held() + "\n" + held()))
