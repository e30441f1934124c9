# SPDX-License-Identifier: GPL-2.0-only
"""tests/kernels/check: content with the tree, it finds whatever a kernel lacks of what is needed."""

import subprocess
import sys
import time

import pytest

from harness.paths import REPO

FOLDER = REPO / "tests" / "kernels"
sys.path.append(str(FOLDER))

import needs  # noqa: E402
import table  # noqa: E402

kernels = []
# What kernels have changed: the member, and the first kernel of the table without it.
BREAKS = [("mount", "mnt_instance", "6.18"), ("mount", "mnt_next_for_sb", "6.1"),
          ("mnt_namespace", "seq", "6.18"), ("mutex", "wait_list", "7.1"),
          ("task_struct", "blocked_on", "6.1"), ("io_file_table", "files", "6.16")]
PROGRAM = """
struct mutex { long wait_list; } __attribute__((preserve_access_index));
__attribute__((section("raw_tp"), used)) int look(struct mutex **locks)
{
    struct mutex *lock = *locks;
    return lock->wait_list;
}
"""


@pytest.fixture(scope="module", autouse=True)
def programs():
    subprocess.run(["scripts/deps", "build"], cwd=REPO, check=True)
    subprocess.run(["scripts/build", "release"], cwd=REPO, check=True)


def check(*files):
    return subprocess.run([FOLDER / "check", *files], capture_output=True, text=True)


def kernels_without(facts, need):
    return [kernel for kernel in facts.kernels if facts.has(need, kernel) == "-"]


def test_nothing_is_lacking_and_it_takes_seconds():
    began = time.monotonic()
    result = check()
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("structure, member, first", BREAKS)
def test_what_is_needed_everywhere_is_missed(tmp_path, structure, member, first):
    """As if the mending were not there: without its condition."""
    wanted = needs.read()
    need = needs.Need("-", structure, member)
    assert wanted[need].when or not wanted[need].must, f"{need} was no alternative"
    wanted[need] = needs.Asked(True)
    needs.write(wanted, tmp_path / "needs.tsv")
    result = check(tmp_path / "needs.tsv")
    line, = result.stdout.splitlines()
    assert result.returncode == 1
    prefix, _, missing = line.partition(" is not in ")
    assert prefix == f"why: {need}"
    assert missing.split(", ") == kernels_without(table.Facts.read(), need)
    assert missing.startswith(first)


def test_each_fact_counts(tmp_path):
    """A kernel of tomorrow, which lacks one thing: that is what is named."""
    facts = table.Facts.read()
    need = needs.Need("-", "file", "f_op")
    facts.signs[need] = facts.signs[need][:-1] + "-"
    facts.write(tmp_path / "facts.tsv")
    result = check(needs.TABLE, tmp_path / "facts.tsv")
    assert (result.returncode, result.stdout) == (1, f"why: {need} is not in {facts.kernels[-1]}\n")


def test_a_structure_of_which_nothing_is_known_is_named(tmp_path):
    wanted = needs.read() | {needs.Need("-", "no_such", "member"): needs.Asked(True)}
    needs.write(wanted, tmp_path / "needs.tsv")
    result = check(tmp_path / "needs.tsv")
    assert result.returncode == 1 and "struct no_such.member: nothing is known of it" in result.stdout


def test_a_program_tells_what_it_needs(tmp_path):
    (tmp_path / "a.c").write_text(PROGRAM)
    subprocess.run(["clang", "-target", "bpf", "-O2", "-g", "-c", "a.c", "-o", "a.o"], cwd=tmp_path,
                   check=True)
    wanted = needs.of_object(tmp_path / "a.o")
    need = needs.Need("-", "mutex", "wait_list")
    assert wanted == {need: needs.Asked(True)}
    assert kernels_without(table.Facts.read(), need)[0].startswith("7.1")
