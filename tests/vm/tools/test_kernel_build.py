# SPDX-License-Identifier: GPL-2.0-only
"""How far the build of a kernel says that it is, with a builder that compiles nothing."""


import pytest

from harness import script
from harness.paths import REPO

kernels = []


@pytest.fixture
def command(tmp_path, monkeypatch):
    """kernel-patch/build, with an empty cache and with 6.12 known to have 100 objects."""
    monkeypatch.syspath_prepend(str(REPO / "kernel-patch"))
    module = script.load("kernel-patch/build")
    (tmp_path / "objects").write_text("# a comment\n6.12-debug 7\n6.12  100\n")
    monkeypatch.setattr(module, "OBJECTS", tmp_path / "objects")
    monkeypatch.setattr(module.builder, "CACHE", tmp_path / "cache")
    return module


def built(command, monkeypatch, name, objects):
    """The total that the builder found to be expected, when it then counts so many objects."""
    counted, seen = command.builder.CACHE / f"{name}.objects", []

    def builder_build(*_):
        seen.append(counted.read_text() if counted.exists() else None)
        command.builder.CACHE.mkdir(exist_ok=True)
        counted.write_text(str(objects))
        return "entry"

    monkeypatch.setattr(command.builder, "build", builder_build)
    assert command.build(name, "6.12", "patches", []) == "entry"
    return seen[0]


def test_the_first_build_knows_how_many_objects_there_are(command, monkeypatch, capsys):
    assert built(command, monkeypatch, "6.12", 101) == "100"
    assert built(command, monkeypatch, "6.12", 101) == "101", "the last count is nearer"
    assert capsys.readouterr().err == ""


def test_a_total_that_is_wrong_is_told(command, monkeypatch, capsys):
    built(command, monkeypatch, "6.12", 120)
    assert "6.12: 120 objects, but configs/objects has 100" in capsys.readouterr().err
    built(command, monkeypatch, "6.12", 120)
    assert capsys.readouterr().err == "", "nothing was built"


def test_of_another_kernel_no_total_is_known(command, monkeypatch, capsys):
    assert built(command, monkeypatch, "6.1", 50) is None
    assert capsys.readouterr().err == ""


def test_each_total_is_of_a_kernel_that_there_is(command):
    rows = (REPO / "kernel-patch" / "configs" / "objects").read_text().splitlines()
    assert {row.split()[0] for row in rows if row[0] != "#"} <= set(command.builder.kernels())
