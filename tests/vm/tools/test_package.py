# SPDX-License-Identifier: GPL-2.0-only
"""The Debian package: it is clean, it needs what it says and nothing else, and it works."""

import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

import truth
import why
from harness import debian
from harness.paths import REPO, run

kernels = ["stock-6.12"]
CONTENTS = ["usr/bin/lastref", "usr/share/man/man8/lastref.8.gz",
            "usr/share/man/man8/lastref-why.8.gz", "usr/share/doc/lastref/copyright",
            "usr/share/bash-completion/completions/lastref",
            "usr/share/zsh/vendor-completions/_lastref", "usr/share/doc/lastref/schema/why.json"]


@pytest.fixture(scope="module")
def package():
    run(REPO / "scripts" / "package")
    package, = (REPO / "build").glob("lastref_*.deb")
    return package


def depends(package):
    """Names of what it depends on, and of what that depends on in turn."""
    found, left = set(), [field.split()[0] for field in
                          run("dpkg-deb", "-f", package, "Depends").split(",")]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += debian.depends(name)
    return sorted(found)


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """A tree with the package and what it depends on, and not a file else."""
    folder = tmp_path_factory.mktemp("package")
    tree = folder / "root"
    for path in (folder, *folder.parents[:2]):  # apt downloads as somebody else
        os.chmod(path, 0o755)
    debian.unpack(depends(package), tree)
    run("dpkg-deb", "-x", package, tree)
    archive = folder / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(tree, arcname=".")
    return archive


@pytest.fixture(scope="module")
def guest(boot, root):
    guest = boot(load=["lr_referee"], lastref=None, smp=1, copies={"root.tar": root})
    guest.check("mkdir /pkg; tar xf /root/root.tar -C /pkg; mkdir -p /pkg/proc /pkg/sys; "
                "mount -t proc none /pkg/proc; mount --rbind /sys /pkg/sys")
    return guest


def test_lintian_finds_no_error(package):
    done = subprocess.run(["lintian", "--fail-on", "error", package], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_in_it(package):
    files = {line.split()[-1].removeprefix("./") for line in
             run("dpkg-deb", "-c", package).splitlines()}
    assert set(CONTENTS) <= files
    assert not {file for file in files if file.startswith("usr/local")}


def test_install_below_a_prefix(tmp_path, package):
    env = {**os.environ, "DESTDIR": str(tmp_path)}
    run("cmake", "--install", REPO / "build" / "release", "--prefix", "/opt/lastref", env=env)
    program = tmp_path / "opt/lastref/bin/lastref"
    assert "lastref" in run(program, "--version")
    assert (tmp_path / "opt/lastref/share/man/man8/lastref.8.gz").exists()
    assert not [path for path in tmp_path.iterdir() if path.name != "opt"]
    unit = (tmp_path / "opt/lastref/lib/systemd/system/lastref.service").read_text()
    assert program_of(unit) == "/opt/lastref/bin/lastref"


def program_of(unit):
    """The program that a unit starts; nothing else in it is left to be filled in."""
    assert "@LASTREF" not in unit
    return re.search("^ExecStart=(.*) serve$", unit, re.M)[1]


def test_the_unit_starts_the_program_of_the_package(package, tmp_path):
    run("dpkg-deb", "-x", package, tmp_path)
    program = program_of((tmp_path / "usr/lib/systemd/system/lastref.service").read_text())
    assert (tmp_path / program.lstrip("/")).stat().st_mode & 0o111


def test_the_manual_can_be_read(package, tmp_path):
    run("dpkg-deb", "-x", package, tmp_path)
    for page in Path(tmp_path, "usr/share/man/man8").iterdir():
        text = subprocess.run(["man", "-l", page], capture_output=True, text=True,
                              env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}, check=True)
        assert "SYNOPSIS" in text.stdout and not text.stderr
        assert max(map(len, text.stdout.splitlines())) <= 80, page.name


def test_it_works_with_nothing_but_what_it_depends_on(guest, keep):
    keep(f"open_r {truth.DEBUGFS}/lr_referee/unloads")
    doc = why.ask(guest, "lr_referee", around="chroot /pkg /usr/bin/{}")
    assert doc["hard"]["explained"] == 1, why.brief(doc)
