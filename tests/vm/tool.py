# SPDX-License-Identifier: GPL-2.0-only
"""Runs lastref in a guest and takes its documents apart, after they have met their schema."""

import functools
import json
import os
import re
import subprocess

import jsonschema

import truth
from harness import image
from harness.paths import REPO

READY = r"^lastref: attached \((tracepoint|fentry|kprobe)\)$"
DONE, FAILED, USAGE, OUTSTANDING, EXIT_RUNNING, UNSUPPORTED, REFUSED = 0, 1, 2, 3, 4, 5, 6

# How far apart two stamps of one moment, or a timer and its handler, may be on an emulated machine
# whose host is busy. The exact comparison is in test_delay_exact.py.
NEAR_NS = 1_000_000_000

DEFERRED = ["requested", "exit_routine", "waiting", "queued", "grace_period", "freeing"]


@functools.lru_cache
def schemas():
    """The schemas of docs/schema by the name that their documents bear."""
    found = {}
    for file in (REPO / "docs" / "schema").glob("*.json"):
        schema = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.validators.validator_for(schema).check_schema(schema)
        found[schema["properties"]["schema"]["const"]] = schema
    return found


def validate(doc):
    assert doc.get("schema") in schemas(), f"docs/schema has no schema for {doc.get('schema')!r}"
    jsonschema.validate(doc, schemas()[doc["schema"]])
    for unload in doc.get("unloads", []):  # of which something is missing, it is said what
        assert unload["complete"] != bool(unload["incomplete"]), unload
    return doc


def parse(line):
    return validate(json.loads(line))


def documents(text):
    """NDJSON, a document a line."""
    return [parse(line) for line in text.splitlines()]


def one_document(result):
    """The only document of a command, as its stdout: not a byte more."""
    docs = documents(result.stdout)
    assert len(docs) == 1, f"{result.stdout}\n{result.stderr}"
    return docs[0]


def lastref(guest, arguments, timeout=60):
    """Runs it to its end, in place of its shell: dash would keep open what it redirects for it.

    The status is for the caller to judge.
    """
    return guest.run(f"exec lastref {arguments}", timeout)


def here(*arguments, **environment):
    """Runs it on the machine that runs the tests: whatever is asked, it has no privileges with which
    it could load anything into that kernel."""
    bare = ["setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
    settings = {"LC_ALL": "C.UTF-8", "COLUMNS": "",
                "PATH": f"{image.lastref_binary().parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [*(bare if os.geteuid() == 0 else []), "lastref", *map(str, arguments)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
        env=os.environ | settings | environment)


def as_nobody(*capabilities):
    """Words before a command that is to run as nobody, with these capabilities alone."""
    plus = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={plus}",
            f"--ambient-caps={plus}", f"--bounding-set={plus}"]


def report(guest, arguments, status=DONE, timeout=60):
    """The document of a `run` or a `record`, which must end with that status."""
    result = lastref(guest, arguments, timeout)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    assert re.search(READY, result.stderr, re.M), result.stderr
    return one_document(result)


def start(guest, arguments):
    """Starts a command that stays, and waits until it has attached.

    The job is lastref itself, so that a signal reaches nobody else.
    """
    job = guest.start(["lastref", *arguments.split()])
    job.wait_for(READY)
    return job


def finish(job, status=DONE, timeout=60):
    """Ctrl-C; returns the result."""
    job.signal("INT")
    result = job.wait(timeout)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    return result


def wait_document(job, wanted, timeout=60):
    """Waits for a document of a running command for which wanted(doc) is true."""
    def latest():
        lines = job.stdout_so_far.split("\n")[:-1]
        return next((doc for doc in map(json.loads, lines) if wanted(doc)), None)

    return validate(job.guest.wait_until(latest, timeout, f"a document of {job}"))


def next_document(job, wanted, timeout=60):
    """The same, of those that are made from now on: the one that comes next may have been begun."""
    begun = job.stdout_so_far.count("\n") + 1

    def latest():
        lines = job.stdout_so_far.split("\n")[begun:-1]
        return next((doc for doc in map(json.loads, lines) if wanted(doc)), None)

    return validate(job.guest.wait_until(latest, timeout, f"a new document of {job}"))


def complete_documents(job):
    """Those of a running command, without one that has not arrived in full."""
    return documents(job.stdout_so_far.rpartition("\n")[0])


def names(unload):
    return [phase["name"] for phase in unload["phases"]]


def check_phases(unload):
    """Contiguous, and their sum is the time from the request to the free."""
    phases = unload["phases"]
    assert phases, unload
    for phase, following in zip(phases, phases[1:]):
        assert int(phase["start_ns"]) + phase["duration_ns"] == int(following["start_ns"]), phases
    total = sum(phase["duration_ns"] for phase in phases)
    begin = int(unload["requested_ns"] or phases[0]["start_ns"])
    assert int(phases[0]["start_ns"]) == begin
    assert total == int(unload["freed_ns"]) - begin
    assert not any(phase["ongoing"] for phase in phases)


def phase(unload, name):
    return next(phase for phase in unload["phases"] if phase["name"] == name)


def check_freed(guest, unload, module, expected_phases, nth=-1):
    """A completed unload against its module's own count and the referee's stamps: of the last
    unload of that module, or of the nth."""
    assert (unload["module"], unload["outcome"]) == (module, "freed")
    assert unload["complete"] is True, unload["incomplete"]
    assert names(unload) == expected_phases
    check_phases(unload)
    seen = truth.wait_freed(guest, module)[nth]
    assert unload["free_delay_ns"] == max(0, int(unload["freed_ns"]) - int(unload["returned_ns"]))
    for mine, theirs in ((unload["requested_ns"], seen.requested_ns),
                         (unload["returned_ns"], seen.returned_ns),
                         (unload["freed_ns"], seen.freed_ns)):
        assert abs(int(mine) - theirs) < NEAR_NS, (unload, seen)


def sites(module, kind="get"):
    """The rows of a refs document's module by function name, such as lr_get_a."""
    return {row["call_site"].split("+")[0]: row for row in module["call_sites"]
            if row["kind"] == kind}


def only_module(doc, name):
    module, = [m for m in doc["modules"] if m["module"] == name]
    return module


def check_counted(guest, doc):
    """A refs document has the counts of gets and puts that lr_refs has, and nothing was lost."""
    counted = truth.counters(guest, "lr_refs")
    for kind in ("get", "put"):
        seen = sites(only_module(doc, "lr_refs"), kind)
        assert {name: row["count"] for name, row in seen.items()} == {
            f"lr_{kind}_{letter}": counted[f"{kind}.{letter.upper()}"] for letter in "abc"}
    assert counted["get"] > 0
    assert not any(doc["losses"].values()), doc["losses"]
