# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages, unpacked without being installed: that could start something on this machine, or
change it."""

import os
import re
import tempfile
from pathlib import Path

from .paths import HarnessError, run


def depends(package):
    """What a package depends on, without alternatives; nothing when apt does not know it."""
    output = run("apt-cache", "depends", "--no-recommends", "--no-suggests", "--no-conflicts",
                 "--no-breaks", "--no-replaces", "--no-enhances", package)
    return re.findall(r"^ *\|?Depends: ([^<\s]+)$", output, re.M)


def version(package):
    """That of today's archive."""
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", package))
    if not found or found[1] == "(none)":
        raise HarnessError(f"apt does not know the package {package}: run apt-get update")
    return found[1]


def unpack(packages, target):
    """Downloads them, and unpacks all into one tree."""
    with tempfile.TemporaryDirectory(dir=target.parent) as downloads:
        os.chmod(downloads, 0o755)
        run("apt-get", "download", "-q", *packages, cwd=downloads)
        for package in Path(downloads).glob("*.deb"):
            run("dpkg-deb", "-x", package, target)
