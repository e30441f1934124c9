# SPDX-License-Identifier: GPL-2.0-only
"""The controls of scripts/test: kernels that are handed down, where the time went, and repeats."""

import subprocess
from pathlib import Path

import pytest

from harness import kernels as harness_kernels
from harness import matrix, stock, usage
from harness import script
from harness.paths import REPO, VM

kernels = []
NOW_AND_THEN = '''
from pathlib import Path
kernels = []
def test_always():
    pass
def test_now_and_then():
    runs = Path(__file__).with_suffix(".runs")
    runs.write_text((runs.read_text() if runs.exists() else "") + ".")
    assert len(runs.read_text()) != 2
'''
EMPTY = "kernels = []\ndef test_it():\n    pass\n"


def plant(file, text):
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


@pytest.fixture
def proof(tmp_path, monkeypatch):
    """scripts/test, for a folder of tests that boot nothing, where all is built."""
    monkeypatch.syspath_prepend(str(REPO / "scripts"))
    module = script.load("scripts/test")
    monkeypatch.setattr(module, "VM", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "log")
    monkeypatch.setattr(module, "BUDGET", module.Budget(tmp_path / "log" / "guests.jsonl"))
    monkeypatch.setattr(module, "step", lambda *command: None)
    monkeypatch.setattr(harness_kernels, "get", lambda name: harness_kernels.Kernel(name, tmp_path))
    monkeypatch.delenv("FILES", raising=False)
    return module


def test_a_test_that_fails_now_and_then_is_found(proof, tmp_path, monkeypatch, capsys):
    plant(tmp_path / "room" / "test_planted.py", NOW_AND_THEN)
    monkeypatch.setenv("N", "3")
    monkeypatch.setattr("sys.argv", ["scripts/test", "repeat"])
    assert proof.main() == 1
    said = capsys.readouterr().out
    assert "failed in 1 of 3: test_planted: test_now_and_then (repeat-2 of " in said
    assert "test_always" not in said
    assert "3 repeats: 1 tests failed in some or all of them" in said
    assert said.splitlines()[-1] == "5 passed, 1 failed, 0 skipped"


def test_files_are_chosen_by_name(proof, tmp_path, monkeypatch, capsys):
    """With their room or without; in another room there is no such file."""
    for name in ("a/test_one.py", "a/test_two.py", "b/test_three.py"):
        plant(tmp_path / name, EMPTY)
    monkeypatch.setenv("FILES", "test_three.py a/test_two.py")
    monkeypatch.setattr("sys.argv", ["scripts/test", "vm"])
    assert proof.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["test_three", "test_two"]
    assert lines[-1] == "2 passed, 0 failed, 0 skipped"
    monkeypatch.setenv("FILES", "test_one.py b/test_two.py test_four.py")
    assert proof.main() == 1
    assert "tests/vm has no b/test_two.py, test_four.py" in capsys.readouterr().err


def test_no_two_files_have_the_same_name():
    names = [file.name for file in matrix.test_files(VM)]
    assert len(set(names)) == len(names) > 60


def test_what_takes_longest_is_begun_first(proof):
    assert {*proof.FIRST} <= {file.stem for file in matrix.test_files(VM)}
    runs = [(Path(f"test_{name}.py"), kernel) for name in ("a", "why_idle", "b", "overload")
            for kernel in ("6.12", "6.1")]
    begun = [f"{file.stem[5:]} {kernel}" for file, kernel in proof.longest_first(runs)]
    assert begun == ["overload 6.12", "overload 6.1", "why_idle 6.12", "why_idle 6.1",
                     "a 6.12", "a 6.1", "b 6.12", "b 6.1"]


def test_a_kernel_that_was_found_is_not_looked_for_again(tmp_path, monkeypatch):
    def must_not(*_):
        raise AssertionError("it was looked for again")

    monkeypatch.setattr(stock, "unpacked", must_not)
    found = [harness_kernels.Kernel(name, tmp_path / name) for name in ("6.12", "stock-6.1")]
    for name, value in harness_kernels.handed_down(found).items():
        monkeypatch.setenv(name, value)
    get = harness_kernels.get.__wrapped__  # without its memory of this process
    assert [get(kernel.name) for kernel in found] == found
    with pytest.raises(AssertionError, match="looked for again"):
        get("stock-6.12")  # which is not among them


def test_what_a_guest_takes_is_told(tmp_path, monkeypatch, capsys, proof):
    file = tmp_path / "guests.jsonl"
    monkeypatch.setenv(usage.FILE, str(file))
    budget = proof.Budget(file)
    budget.files = [proof.Spent("test_a 6.12", 30, 20), proof.Spent("test_b", 5, 5)]
    budget.in_guests = 31
    for boot, total in ((2, 10), (3, 11)):
        usage.keep(usage.Usage("6.12", boot, total))
    budget.show()
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "tests in guests, and their like 31 s 25 s" in rows
    assert "6.12: 2 boots 5 s" in rows
    assert "6.12: in its guests once they are up 16 s" in rows
    assert "beside guests: images, modules, Python 4 s" in rows
    assert rows.index("of the 10 costliest: test_a 6.12 30 s 20 s") < \
        rows.index("of the 10 costliest: test_b 5 s 5 s")


def test_only_a_run_begins_a_new_account(tmp_path, monkeypatch, proof):
    """These tests read scripts/test while it runs, and what its guests have kept must stay."""
    plant(tmp_path / "room" / "test_none.py", EMPTY)
    file = tmp_path / "guests.jsonl"
    monkeypatch.setenv(usage.FILE, str(file))
    usage.keep(usage.Usage("6.12", 2, 10))
    budget = proof.Budget(file)
    assert len(usage.kept(file)) == 1
    monkeypatch.setattr(proof, "BUDGET", budget)
    monkeypatch.setattr("sys.argv", ["scripts/test", "vm"])
    assert proof.main() == 0
    assert usage.kept(file) == []  # the control


def test_processor_seconds_are_those_of_the_command(proof):
    status, spent = proof.timed("busy", ["sh", "-c", "i=0; while [ $i -lt 300000 ]; do "
                                         "i=$((i+1)); done; exit 3"])
    assert status == 3
    assert 0 < spent.processors <= spent.clock + 0.1
    assert usage.processor_seconds(Path("/proc/self").resolve().name) > 0
    assert proof.timed("idle", ["sleep", "0.2"], stdout=subprocess.DEVNULL)[1].processors < 0.2
