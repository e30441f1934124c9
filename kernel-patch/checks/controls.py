# SPDX-License-Identifier: GPL-2.0-only
"""Planted faults: a checker that does not catch its own proves nothing about the series."""

import re

import builder
from checks import cocci, objects, readers
from checks.stages import CONTROL, PROBE, after


def planted(source, stages):
    """The last stage with control/faults.patch on top, and what git said of that."""
    patch = (CONTROL / "faults.patch").read_text()
    try:
        return after(source, stages[-1], "faults.patch", patch)
    except builder.BuildError as error:
        raise builder.BuildError(f"{CONTROL / 'faults.patch'} has to follow the series: {error}") from error


def compiled(source, name, stages, stage):
    """The verdict in this configuration on what uses the interface, and on the faults."""
    configuration = next(c for c in objects.configurations(source.series) if c.name == name)
    return objects.Compiler(source, configuration, stages, PROBE).verdict(stage)


def fuzzy(source, stages):
    """The first patch with a context line that is not in the tree: patch(1) would take it."""
    patch = stages[1].patch
    lines = patch.split("\n")
    hunk = next(i for i, x in enumerate(lines) if x.startswith("@@"))
    context = next(i for i in range(hunk + 1, len(lines)) if len(lines[i].strip()) > 3 and
                   lines[i].startswith(" "))
    lines[context] += " /* not in the tree */"
    try:
        after(source, stages[0], "fuzz", "\n".join(lines))
    except builder.BuildError as error:
        return str(error)
    return "it applied"


def lost_option(source, stages):
    """A configuration that asks for an option which there is not."""
    configuration = next(c for c in objects.configurations(source.series) if c.name == "normal")
    source.put(stages[-1].files)
    tree = objects.Objects(source, configuration, source.progress)
    try:
        tree.configure("", "CONFIG_SOFT_CHECK_CONTROL=y\n")
    except builder.BuildError as error:
        return str(error)
    return "it was not missed"


def run(source, stages, faults, record):
    """Every checker on what planted() gave; each must say what is named here."""
    source.progress.say("planted faults", force=True)
    stage, said = faults
    last, paths = stages[-1], stage.touched
    faulty = compiled(source, "normal", stages, stage)
    stub = compiled(source, "no-unload", stages, stage)
    unused = readers.unused({("CONTROL", "none")}, set())
    caught = {
        "a patch that needs fuzz": (fuzzy(source, stages), "does not apply without fuzz"),
        "white space at the end of a line": (said, "trailing whitespace"),
        "checkpatch --strict": (readers.checkpatch(source, last, stage), "POINTER_LOCATION"),
        "a reason for checkpatch that nothing needs": (unused, "CONTROL"),
        "W=1": (faulty["gcc"], "unused-but-set-variable"),
        "sparse": (faulty["sparse"], "noderef|different address spaces"),
        "a stub with another signature": (stub["failure"], "static assertion failed"),
        "coccinelle": (cocci.coccinelle(source, [stage], paths)[0], "NULL check before"),
        "kernel-doc": (readers.kernel_doc(source, stage, paths), "'value' not described"),
        "Sphinx": (readers.sphinx(source, stage, paths), "underline too short"),
        "Documentation/ABI": (readers.abi(source, stage) - readers.abi(source, last),
                              "soft_check_control"),
        "an option that is lost": (lost_option(source, stages), "CONFIG_SOFT_CHECK_CONTROL=y"),
    }
    for name, (what, expected) in caught.items():
        text = str(sorted(what) if isinstance(what, set) else what)
        record("planted faults are caught", name, [] if re.search(expected, text) else
               [f"this says nothing of {expected!r}: {text[:500]}"])
