# SPDX-License-Identifier: GPL-2.0-only
"""A build that is configured before all is installed goes on when it is."""

import os
import shutil
import subprocess

import pytest

from harness.paths import REPO

kernels = []


def programs_of(*purposes):
    """Those that the table of scripts/deps has for these purposes."""
    table = (REPO / "scripts" / "deps").read_text().split("table='")[1].split("'")[0]
    rows = [line.split() for line in table.splitlines() if line.strip()]
    return {row[2] for row in rows if row[0] in purposes and row[2][0] != "/" and ":" not in row[2]}


@pytest.fixture(scope="module", autouse=True)
def installed():
    subprocess.run(["scripts/deps", "build", "package"], cwd=REPO, check=True)


def path_without(folder, hidden):
    """A PATH with all of this one's programs but those."""
    folder.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for program in os.scandir(directory) if os.path.isdir(directory) else []:
            if program.name not in hidden and not (folder / program.name).exists():
                os.symlink(program.path, folder / program.name)
    return str(folder)


def test_what_a_later_target_needs_may_be_installed_later(tmp_path):
    """As in `make demo`, then `make deb`, on a machine that had nothing."""
    later = programs_of("package") - programs_of("build", "kernel", "vm")
    assert "pandoc" in later
    bare = path_without(tmp_path / "bare", later)
    assert not shutil.which("pandoc", path=bare)
    build = tmp_path / "build"

    def cmake(*arguments, path):
        return subprocess.run(["cmake", *arguments], env={**os.environ, "PATH": path}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    configured = cmake("-S", REPO, "-B", build, "-G", "Ninja", "-DLASTREF_HTML=OFF", path=bare)
    assert configured.returncode == 0, configured.stdout
    refused = cmake("--build", build, "--target", "manual", path=bare)
    assert refused.returncode != 0 and "pandoc" in refused.stdout
    made = cmake("--build", build, "--target", "manual", path=os.environ["PATH"])
    assert made.returncode == 0, made.stdout
    assert (build / "man" / "lastref.8.gz").exists()
