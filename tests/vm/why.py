# SPDX-License-Identifier: GPL-2.0-only
"""Asks lastref why a module stays, and reads the answer."""

import os
import re
from pathlib import Path

import pytest

import tool
import truth

SCHEMA = "lastref.why/1"
FIXTURES = os.environ.get("LASTREF_FIXTURES")  # a directory for all that was asked; see run()


def need(guest, module):
    """Loads what not every kernel has; without it the test is skipped."""
    if guest.run(f"modprobe -n {module}").status:
        pytest.skip(f"{guest.kernel.name} has no {module}")
    guest.check(f"modprobe {module}")


def run(guest, module, around="{}", timeout=60):
    """The result of `lastref why -j`, in such a command: "su nobody -c '{}'". With LASTREF_FIXTURES in
    the environment all that was read for it is kept, in KERNEL/TEST-MODULE.census, and the answer
    beside it: tests/fixtures/why has some."""
    if around != "{}":
        return guest.run(around.format(f"lastref why -j {module}"), timeout)
    if not FIXTURES:
        return tool.lastref(guest, f"why -j {module}", timeout)
    saved = "/tmp/lastref.census"
    guest.check(f"rm -f {saved}")
    result = tool.lastref(guest, f"why -j --save {saved} {module}", timeout)
    if result.stdout and not guest.run(f"test -e {saved}").status:
        directory = Path(FIXTURES) / guest.kernel.name
        directory.mkdir(parents=True, exist_ok=True)
        test = re.search(r"test_(?:why_)?(\w+)\.py", os.environ["PYTEST_CURRENT_TEST"])[1]
        stem = f"{test}-{module.split()[0]}".replace("_", "-")
        number = len(list(directory.glob(f"{stem}*.census"))) + 1
        stem += f"-{number}" if number > 1 else ""
        (directory / f"{stem}.census").write_bytes(guest.get(saved))
        (directory / f"{stem}.json").write_text(result.stdout, encoding="utf-8")
    return result


def ask(guest, module, status=tool.OUTSTANDING, around="{}", changes=False, timeout=60):
    """The document of `lastref why`, which must end with that status."""
    return document(run(guest, module, around, timeout), status, changes)


def document(result, status=None, changes=False):
    """That of a command that has ended, with that status unless the caller judges it."""
    came = result.status if hasattr(result, "status") else result.returncode
    assert status is None or came == status, f"{came}: {result.stdout}\n{result.stderr}"
    line, = result.stdout.splitlines()
    doc = parse(line, changes)
    free_ = can_be_unloaded(doc) and not (doc["soft"] or {}).get("refs")
    assert came == tool.DONE if free_ and doc["complete"] else came != tool.DONE or free_, \
        f"{came}: {brief(doc)}"
    return doc


def parse(line, changes=False):
    """A document as lastref has printed it, which is what the schema says, and is in itself right.
    changes: what it tells of changes while lastref looks."""
    doc = tool.parse(line)
    assert doc["schema"] == SCHEMA
    whole(doc, changes)
    for counter in ("hard", "soft"):
        balanced(doc, counter)
    for one in doc["holders"]:
        counts_as_it_says(doc, one)
    assert [h["refs"] for h in doc["holders"]] == sorted((h["refs"] for h in doc["holders"]),
                                                         reverse=True), brief(doc)
    users = {h["path"] for h in holders(doc, kind="dependent")}
    assert users <= set(doc["dependents"]), brief(doc)
    idle = doc["state"] == "live" and doc["hard"]["refs"] == 0
    assert idle or not can_be_unloaded(doc), brief(doc)
    assert can_be_unloaded(doc) or not idle or doc["exit"] or "no exit routine" in doc["verdict"], \
        brief(doc)
    return doc


def brief(doc):
    """A document for a failure's message."""
    first = [{key: h.get(key) for key in ("kind", "refs", "pid", "comm", "fd", "path", "detail")}
             for h in doc["holders"][:8]]
    return (f"{doc['verdict']}\n  hard {doc['hard']} soft {doc['soft']}, {len(doc['holders'])} "
            f"holders: {first}\n  not examined: {doc['not_examined']}")


def whole(doc, changes):
    """It is complete exactly if all was examined, and nothing changed meanwhile."""
    assert not (doc["complete"] and doc["not_examined"]), brief(doc)
    assert changes or doc["complete"] or doc["not_examined"], brief(doc)
    loaded = doc["state"] not in ("not_loaded", "builtin")
    assert loaded == (doc["hard"] is not None) == (doc["instance_id"] is not None), brief(doc)
    assert loaded or not (doc["holders"] or doc["soft"] or doc["exit"]), brief(doc)


def balanced(doc, counter):
    """No more is explained than is counted, nor than holders take; and no less."""
    of_holders = sum(h["refs"] for h in pinning(doc) if h["counter"] == counter)
    refs, explained_, unexplained = (doc[counter] or dict.fromkeys(("refs", "explained", "unexplained"),
                                                                   0)).values()
    assert explained_ + unexplained == refs and min(explained_, unexplained) >= 0, brief(doc)
    assert explained_ == min(of_holders, refs), brief(doc)
    assert of_holders <= refs or not doc["complete"], brief(doc)


def counts_as_it_says(doc, one):
    """Who holds takes references of a counter, and that is proven; who does not takes none. Of those
    who have one partition open the first takes the only one, until 6.1."""
    path = one.get("path") or ""
    shares = path.startswith("/dev/sd") and one["refs"] == 0 and \
        any(h["refs"] > 0 for h in holders(doc, kind=one["kind"], path=path))
    fits = {"yes": one["counter"] != "none" and (one["refs"] > 0 or shares) and one["evidence"] == "proven",
            "no": one["counter"] == "none" and one["refs"] == 0,
            "unknown": one["counter"] != "none"}
    assert fits[one["pins"]], one
    assert bool(one["comm"]) if "pid" in one else not one["shared_by"], one
    assert doc["hard"] is not None, one


def can_be_unloaded(doc):
    return doc["verdict"].startswith(f"{doc['module']} can be unloaded")


def pinning(doc):
    return [h for h in doc["holders"] if h["pins"] == "yes"]


def explained(guest, module, refs):
    """The document for a module of which the kernel counts so many references, all of them
    explained, and no more holders than that."""
    doc = ask(guest, module)
    assert doc["hard"] == {"refs": refs, "explained": refs, "unexplained": 0}, brief(doc)
    assert sum(h["refs"] for h in pinning(doc) if h["counter"] == "hard") == refs, brief(doc)
    assert refs == int(truth.sysfs(guest, module, "refcnt"))
    assert "is not known" not in doc["verdict"]
    return doc


def free(guest, module):
    """The control after the cure: nobody holds it, and nobody is said to."""
    doc = ask(guest, module, tool.DONE)
    assert doc["hard"] == {"refs": 0, "explained": 0, "unexplained": 0}, brief(doc)
    assert pinning(doc) == [], brief(doc)
    return doc


def holders(doc, **wanted):
    """Those of which all that is true, such as kind="open_file", pid=71."""
    return [h for h in doc["holders"] if all(h.get(key) == value for key, value in wanted.items())]


def holder(doc, **wanted):
    """The only one of which all that is true."""
    found = holders(doc, **wanted)
    assert len(found) == 1, f"{len(found)} holders are {wanted}: {brief(doc)}"
    return found[0]


def pids(one):
    """All processes of a holder."""
    return sorted([one["pid"], *(other["pid"] for other in one["shared_by"])])


def wait_unused(guest, module, refs=0):
    """Waits until the kernel counts no more than that: sockets are freed after a grace period."""
    guest.check(f"until [ $(cat /sys/module/{module}/refcnt) -le {refs} ]; do usleep 20000; done")


def unload(guest, *modules):
    """The control after the cure: nobody holds it, as the kernel shows by letting it go."""
    for module in modules:
        wait_unused(guest, module)
        guest.check(f"rmmod {module}")


def unused(guest, module):
    """The control of lastref after the cure: it names nobody who is gone. For each kind of holder
    one module has it."""
    wait_unused(guest, module)
    return free(guest, module)


def all_explained(guest, module, refs):
    """The same, where nothing was left out."""
    doc = explained(guest, module, refs)
    assert not doc["not_examined"], brief(doc)
    return doc
