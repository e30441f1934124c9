# SPDX-License-Identifier: GPL-2.0-only
"""The controls of scripts/lint: each check is content with good sources and finds what is planted."""

import json
import shutil
import subprocess

import pytest

from harness import script
from harness.paths import REPO

kernels = []
SPDX = "SPDX-License-Identifier: GPL-2.0-only\n"
GOOD = {
    "format": ("a.c", "// " + SPDX + "int a;\n"),
    "shell": ("a.sh", "#!/bin/sh\n# " + SPDX + 'echo "$1"\n'),
    "python": ("a.py", "# " + SPDX + "import os\nprint(os.name)\n"),
    "spdx": ("a.txt", SPDX),
    "tidy": ("userspace/a.cpp", "// " + SPDX + "const char *text() { return nullptr; }\n"),
    "cppcheck": ("userspace/a.cpp", "// " + SPDX + "int second() { int a[2] = {}; return a[1]; }\n"),
}
PLANTED = {
    "format": ("int a;", "int  a;"),
    "shell": ('"$1"', "$1"),
    "python": ("print(os.name)\n", ""),
    "spdx": (SPDX, "\n"),
    "tidy": ("nullptr", "0"),
    "cppcheck": ("a[1]", "a[2]"),
}


@pytest.fixture(scope="module", autouse=True)
def tools():
    subprocess.run(["scripts/deps", "build", "lint"], cwd=REPO, check=True)


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """scripts/lint, for a project of one file."""
    module = script.load("scripts/lint")
    monkeypatch.setattr(module, "REPO", tmp_path)
    monkeypatch.setattr(module, "TIDY_CACHE", tmp_path / "tidy")
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(REPO / name, tmp_path)
    (tmp_path / "build" / "clang" / "include-roots").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return module


def write(project, check, text):
    file = project / GOOD[check][0]
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    (project / "build" / "clang" / "compile_commands.json").write_text(json.dumps([
        {"directory": str(project), "file": str(file), "command": f"clang++ -o a.o -c {file}"}]))


def test_all_checks_have_a_control(lint):
    assert set(lint.CHECKS) == set(GOOD) == set(PLANTED)


@pytest.mark.parametrize("check", GOOD)
def test_what_is_planted_is_found(lint, tmp_path, check):
    good = GOOD[check][1]
    write(tmp_path, check, good)
    assert lint.CHECKS[check]() == ""
    right, wrong = PLANTED[check]
    assert right in good
    write(tmp_path, check, good.replace(right, wrong))
    assert lint.CHECKS[check]() != ""


def test_sources_that_are_compiled_at_once_are_judged_one_by_one(lint, tmp_path):
    folder = tmp_path / "userspace"
    folder.mkdir()
    for name in ("a.cpp", "b.cpp"):
        (folder / name).write_text(f"int {name[0]}() {{ return 1; }}\n")
    unit = tmp_path / "build" / "clang" / "unity_0_cxx.cxx"
    unit.write_text("".join(f'#include "{folder / name}"\n' for name in ("a.cpp", "b.cpp")))
    (tmp_path / "build" / "clang" / "compile_commands.json").write_text(json.dumps([
        {"directory": str(tmp_path), "file": str(unit), "command": f"clang++ -o a.o -c {unit}"}]))
    assert lint.check_tidy() == ""
    assert len(list((tmp_path / "tidy").iterdir())) == 2
    (folder / "b.cpp").write_text("int b(const int *) { const int *none = nullptr; return *none; }\n")
    assert "userspace/b.cpp:1:" in lint.check_tidy()
