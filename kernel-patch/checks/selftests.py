# SPDX-License-Identifier: GPL-2.0-only
"""Builds the selftests that a patch touches, which have a build of their own."""

import os
import re
import shutil

import builder
from checks.objects import Objects, configurations, remarks

FOLDER = "tools/testing/selftests"
# kselftest_harness.h itself leaves parameters unused, and uses vfork() and longjmp() in one function.
WARNINGS = "-Wall -Wextra -Wno-unused-parameter -Wno-clobbered"


def targets(stage):
    found = {m[1] for p in stage.touched if (m := re.match(rf"{FOLDER}/([^/]+)/", p))}
    return sorted(found)


def build_selftests(source, stage):
    """What the compiler says of them; a failure of the build is also something said."""
    source.put(stage.files)
    configuration = next(c for c in configurations(source.series) if c.name == "normal")
    tree = Objects(source, configuration, source.progress)
    lines = []
    try:
        tree.configure("", "")
        tree.make("headers")
        for target in targets(stage):
            # What lib.mk finds built it would not build, and say nothing of.
            shutil.rmtree(tree.path / "kselftest" / target, ignore_errors=True)
        tree.run("env", f"CFLAGS={WARNINGS}", "make", "-C",
                 str(source.path / FOLDER), f"O={tree.path}", f"-j{os.cpu_count()}",
                 f"TARGETS={' '.join(targets(stage))}", "FORCE_TARGETS=1", each_line=lines.append)
    except builder.BuildError as error:
        return [str(error)]
    return sorted(f"{path}: {said}" for path, _, said in remarks(lines, source))
