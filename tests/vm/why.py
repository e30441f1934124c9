# SPDX-License-Identifier: GPL-2.0-only
"""Asks lastref why a module stays, and takes the answer apart."""

import json

import tool
import truth

SCHEMA = "lastref.why/1"


def ask(guest, module, status=tool.OUTSTANDING, timeout=60):
    """The document of `lastref why`, which must end with that status."""
    result = tool.lastref(guest, f"why -j {module}", timeout)
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    line, = result.stdout.splitlines()
    doc = json.loads(line)
    if SCHEMA in tool.schemas():
        tool.validate(doc)
    return doc


def pinning(doc):
    return [h for h in doc["holders"] if h["pins"] == "yes"]


def explained(guest, module, refs):
    """The document for a module of which the kernel counts so many references, all of them
    explained, and no more holders than that."""
    doc = ask(guest, module)
    assert doc["hard"] == {"refs": refs, "explained": refs, "unexplained": 0}, doc
    assert sum(h["refs"] for h in pinning(doc) if h["counter"] == "hard") == refs, doc
    assert refs == int(truth.sysfs(guest, module, "refcnt"))
    return doc


def free(guest, module):
    """The control after the cure: nobody holds it, and nobody is said to."""
    doc = ask(guest, module, tool.DONE)
    assert doc["hard"] == {"refs": 0, "explained": 0, "unexplained": 0}, doc
    assert pinning(doc) == [], doc
    return doc


def holders(doc, **wanted):
    """Those of which all that is true, such as kind="open_file", pid=71."""
    return [h for h in doc["holders"] if all(h.get(key) == value for key, value in wanted.items())]


def holder(doc, **wanted):
    """The only one of which all that is true."""
    found = holders(doc, **wanted)
    assert len(found) == 1, f"{len(found)} holders are {wanted}: {doc}"
    return found[0]
