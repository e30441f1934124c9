# SPDX-License-Identifier: GPL-2.0-only
"""The series' own selftests: builds their programs, and reads the KTAP that these print."""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .paths import REPO, digest, made, run
from .source import extracted

sys.path.append(str(REPO / "kernel-patch"))

import builder  # noqa: E402

SELFTESTS = "tools/testing/selftests"
FOLDER = f"{SELFTESTS}/module/"
HEADERS = [f"{SELFTESTS}/{name}" for name in ("kselftest.h", "kselftest_harness.h")]


def files(series):
    """What the patches for that series add below FOLDER, as {name: text}."""
    found = {}
    for patch in builder.patches_for(series, "patches").values():
        for section in patch.split("\ndiff --git ")[1:]:
            name = section.split("\n", 1)[0].split(" b/", 1)[1]
            if name.startswith(FOLDER):
                added = section.split("\n@@", 1)[1].split("\n")[1:]
                found[name.removeprefix(FOLDER)] = "".join(
                    line[1:] + "\n" for line in added if line.startswith("+"))
    return found


def names(program, series):
    """The tests that a program's source defines, in order."""
    return re.findall(r"^TEST_SOFT\((\w+)\)", files(series)[f"{program}.c"], re.M)


def listed(variable, series):
    """The programs that the selftests' Makefile lists there."""
    return re.search(rf"^{variable} := (.*)$", files(series)["Makefile"], re.M)[1].split()


def _compile(series, texts, target):
    with tempfile.TemporaryDirectory() as work:
        for header in HEADERS:
            shutil.copy(extracted(series, HEADERS) / header, work)
        tests = Path(work) / "module"
        tests.mkdir()
        for name, text in texts.items():
            (tests / name).write_text(text, encoding="utf-8")
        for source in sorted(tests.glob("*.c")):
            run("gcc", "-O2", "-Wall", "-static", "-s", "-o", target / source.stem, source)


def programs(series):
    """All programs, static, as {name: path}; compiled once."""
    texts = files(series)
    key = digest(extracted(series, HEADERS), repr(sorted(texts.items())), Path(__file__))
    folder = made("selftests", series, key, lambda partial: _compile(series, texts, partial))
    return {path.name: path for path in sorted(folder.iterdir())}


@dataclass(frozen=True)
class Result:
    """One line of KTAP, with what was said before it."""

    passed: bool
    skipped: str  # the reason, or ""
    said: str


class KtapError(AssertionError):
    """This is not the report of a program that ran all its tests."""


def parse_ktap(text):
    """{test: Result}; fails when the plan and what was run differ, or when nothing was run.

    The names are those of the lines that announce a test: older kernels leave them out of the
    result when a test is skipped.
    """
    plan = [int(n) for n in re.findall(r"^1\.\.(\d+)$", text, re.M)]
    results = {}
    for part in re.split(r"^#  RUN +", text, flags=re.M)[1:]:
        name = part.split(" ", 1)[0].rpartition(".")[2]
        lines = re.findall(r"^((?:not )?ok) \d+(.*)$", part, re.M)
        if len(lines) != 1:
            raise KtapError(f"{len(lines)} results of {name}:\n{text}")
        (verdict, rest), = lines
        skipped = rest.partition("SKIP")[2].strip() or "no reason" if "# SKIP" in rest else ""
        results[name] = Result(verdict == "ok", skipped, part)
    if plan != [len(results)] or not results:
        raise KtapError(f"the plan was {plan}, {len(results)} tests were run:\n{text}")
    return results
