# SPDX-License-Identifier: GPL-2.0-only
"""Builds out-of-tree modules for a kernel: the test modules into the cache, others in place."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .paths import REPO, VM, HarnessError, digest, made, say

TEST_MODULES = REPO / "tests" / "modules"
WARN_MODULE = VM / "tools" / "warn_module"


def build_in_place(kernel, directory):
    """make -C BUILD M=DIRECTORY; returns what the compiler said."""
    directory = Path(directory).resolve()
    if not any((directory / name).exists() for name in ("Kbuild", "Makefile")):
        raise HarnessError(f"{directory} has no Kbuild or Makefile: nothing to build")
    # A make above us must not hand its flags and its idea of CC down to the kernel's.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    result = subprocess.run(
        ["make", "-C", str(kernel.build), f"M={directory}", f"-j{os.cpu_count()}", "modules"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=env)
    if result.returncode:
        raise HarnessError(f"the modules in {directory} do not build for {kernel.name}:\n"
                           f"{result.stdout[-6000:]}")
    return result.stdout


def built(kernel, source):
    """The .ko files of a source directory for that kernel, out of the cache when possible."""
    sources = sorted(p for p in source.rglob("*") if p.is_file() and
                     (p.suffix in (".c", ".h") or p.name in ("Kbuild", "Makefile"))
                     and not p.name.endswith(".mod.c"))
    def build(partial):
        say(f"building {source.name} for {kernel.name}")
        with tempfile.TemporaryDirectory() as work:
            for file in sources:
                copy = Path(work) / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
            build_in_place(kernel, work)
            for module in Path(work).rglob("*.ko"):
                shutil.copy(module, partial)

    key = f"{kernel.identity.removeprefix(kernel.name + '-')}-{digest(*sources)}"
    return sorted(made("modules", f"{source.name}-{kernel.name}", key, build).glob("*.ko"))
