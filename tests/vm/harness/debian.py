# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages, unpacked without being installed: that could start something on this machine, or
change it."""

import functools
import os
import re
import tempfile
import time
from pathlib import Path

from .paths import CACHE, HarnessError, locked, made, run, say

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Where kernels are that the machine's own suite does not have, and what programs of theirs need.
SUITES = {"trixie": "debian", "trixie-backports": "debian", "trixie-security": "debian-security",
          "bullseye-security": "debian-security"}
STALE = 86400  # seconds: a package list that old is fetched anew


@functools.lru_cache
def other_suites():
    """The options that make apt look at those suites alone, with lists of its own: what the machine
    takes its packages from is nobody's business here."""
    folder = CACHE / "apt"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::Etc::SourceList={folder}/sources.list",
               "-o", "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::Etc::Preferences=/dev/null",
               "-o", "Dir::Etc::PreferencesParts=/dev/null",
               "-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}",
               "-o", "APT::Sandbox::User=root"]
    with locked(folder / "lock"):
        sources = "".join(f"deb [arch=amd64 signed-by={KEYRING}] http://deb.debian.org/{archive} "
                          f"{suite} main\n" for suite, archive in SUITES.items())
        known = folder / "sources.list"
        fetched = folder / "fetched"
        if not known.exists() or known.read_text() != sources:
            known.write_text(sources)
            fetched.unlink(missing_ok=True)
        if not fetched.exists() or fetched.stat().st_mtime < time.time() - STALE:
            say(f"fetching the package lists of {', '.join(SUITES)}")
            try:
                run("apt-get", *options, "update", "-q", "--error-on=any")
                fetched.touch()
            except HarnessError as error:
                if not fetched.exists():
                    raise
                say(f"those of {time.ctime(fetched.stat().st_mtime)} are used: {error}")
    return options


def all_of(pattern, options):
    """The packages whose names match."""
    begin = re.match(r"[a-z-]*", pattern)[0]
    return [name for name in run("apt-cache", *options, "pkgnames", begin).split()
            if re.fullmatch(pattern, name)]


def numbers(name):
    """By these names of packages with versions in them are ordered."""
    return [int(number) for number in re.findall(r"\d+", name)]


def newest(pattern, options):
    """The one with the highest numbers in its name, or none."""
    return max(all_of(pattern, options), key=numbers, default=None)


def depends(package, options=()):
    """What a package depends on, without alternatives; nothing when apt does not know it."""
    output = run("apt-cache", *options, "depends", "--no-recommends", "--no-suggests",
                 "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", package)
    return re.findall(r"^ *\|?Depends: ([^<\s]+)$", output, re.M)


def version(package, options=()):
    """That of today's archive."""
    found = re.search(r"Candidate: (\S+)", run("apt-cache", *options, "policy", package))
    if not found or found[1] == "(none)":
        raise HarnessError(f"apt does not know the package {package}: run apt-get update")
    return found[1]


def unpack(packages, target, options=()):
    """Downloads them, and unpacks all into one tree."""
    with tempfile.TemporaryDirectory(dir=target.parent) as downloads:
        os.chmod(downloads, 0o755)
        run("apt-get", *options, "download", "-q", *packages, cwd=downloads)
        for package in Path(downloads).glob("*.deb"):
            run("dpkg-deb", "-x", package, target)


def unpacked(package):
    """The tree of a package of the machine's own suite and the libraries that it names, in the cache:
    for programs of guests that this machine need not have."""
    def make(folder):
        libraries = [name for name in depends(package) if name.startswith("lib") and name != "libc6"]
        unpack([package, *libraries], folder)

    return made("packages", package, "tree", make)
