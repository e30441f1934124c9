# SPDX-License-Identifier: GPL-2.0-only
"""Turns the name of a kernel into something that boots and that modules can be built for."""

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import stock
from .paths import REPO, HarnessError

FOUND = "LASTREF_KERNELS"  # NAME=DIRECTORY of kernels that an earlier process of this run has found


@dataclass(frozen=True)
class Kernel:
    """One kernel in the cache; the directory's name is a hash of all that went into it."""

    name: str
    directory: Path

    @property
    def image(self):
        return self.directory / "bzImage"

    @property
    def build(self):
        return self.directory / "build"

    @property
    def has_headers(self):
        """Modules can be built for it: Debian's archive keeps images for longer than headers."""
        return self.build.is_dir()

    @property
    def root(self):
        return self.directory / "root"

    @property
    def identity(self):
        return self.directory.name

    @property
    def series(self):
        """"6.12" of "stock-6.12" and of "6.12-debug"."""
        return next(word for word in self.name.split("-") if word[0].isdigit())

    @property
    def stock(self):
        """Debian's own."""
        return self.name in stock.NAMES

    @property
    def patched(self):
        return built_here().get(self.name) == "patches"

    @property
    def slowness(self):
        """How many times longer than elsewhere things may take: a debug kernel checks each access
        to memory and each lock."""
        return 5 if self.name.endswith("-debug") else 1


@functools.lru_cache
def built_here():
    """The kernels that kernel-patch/build makes, with the directory of their patches or "-"."""
    table = REPO / "kernel-patch" / "configs" / "kernels"
    rows = [line.split() for line in table.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")]
    return {row[0]: row[2] for row in rows}


def names():
    return [*built_here(), *stock.NAMES]


def handed_down(found):
    """What an environment says of kernels that have been found already, for processes to come:
    to ask for each anew costs seconds (apt, or the checksum of a source)."""
    return {FOUND: os.pathsep.join(f"{kernel.name}={kernel.directory}" for kernel in found)}


@functools.lru_cache
def get(name):
    """The kernel of that name, built or downloaded first if it is not in the cache."""
    if name not in names():
        raise HarnessError(f"no kernel is called {name!r}; there are {', '.join(names())}")
    found = dict(one.split("=", 1) for one in os.environ.get(FOUND, "").split(os.pathsep) if one)
    if name in found:
        return Kernel(name, Path(found[name]))
    if name in stock.NAMES:
        return Kernel(name, stock.unpacked(name))
    result = subprocess.run([REPO / "kernel-patch" / "build", name], stdout=subprocess.PIPE,
                            text=True, env=os.environ)
    if result.returncode:
        raise HarnessError(f"kernel {name} could not be built")
    return Kernel(name, Path(result.stdout.strip()))
