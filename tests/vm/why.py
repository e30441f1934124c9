# SPDX-License-Identifier: GPL-2.0-only
"""Asks lastref why a module stays, and has processes in the guest hold things."""

import os
import re
from pathlib import Path

import pytest

import tool
import truth
from harness.compiled import compiled
from harness.paths import VM

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
    """Who holds takes references of a counter, and that is proven; who does not takes none."""
    fits = {"yes": one["counter"] != "none" and one["refs"] > 0 and one["evidence"] == "proven",
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
    assert "lastref cannot name" not in doc["verdict"] and "is not known" not in doc["verdict"]
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


class Keeper:
    """Has processes in the guest hold things until they are ended; see keeper/keeper.h."""

    NAME = "keeper"

    def __init__(self, guest):
        self.job = guest.start([f"/root/{self.NAME}"], stdin=b"")
        self.answers = 0

    def try_to(self, action):
        """The answer to a line."""
        self.job.write(f"{action}\n".encode())
        self.answers += 1
        wanted = rf"\A(?:.*\n){{{self.answers - 1}}}(.*)\n"
        return self.job.wait_for(wanted, "stdout")[1]

    def __call__(self, action):
        """The same for what must succeed, as {"pid": 71, "fd": 3}; pid is the one to end."""
        answer = self.try_to(action)
        assert answer.startswith("ok"), f"{action}: {answer}"
        found = {}
        for name, value in re.findall(r"(\w+)=(\S+)", answer):
            numbers = [int(n) for n in value.split(",")]
            found[name] = numbers if len(numbers) > 1 else numbers[0]
        return found

    def end(self, kept):
        """Ends all processes of an action and waits until they are gone."""
        pid = kept["pid"]
        self(f"end {pid[0] if isinstance(pid, list) else pid}")

    def close(self):
        """Ends all, and waits until they are gone."""
        self.job.close_stdin()
        self.job.wait()


def keeper_program():
    """For a guest's copies."""
    return {Keeper.NAME: compiled(Keeper.NAME, (VM / "keeper").glob("*.[ch]"))}
