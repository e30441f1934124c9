# SPDX-License-Identifier: GPL-2.0-only
"""Builds of lastref that are wrong on purpose: the controls of the comparison."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import paths

PATCHES = Path(__file__).resolve().parent / "broken"
SOURCES = ("CMakeLists.txt", "cmake", "bpf", "userspace", "tests/unit")
BUILD = "build/release"  # as scripts/build does: what the patch does not change is in ccache


def names():
    return sorted(patch.stem for patch in PATCHES.glob("*.patch"))


def lastref(name):
    """The program with the patch of that name in it, built once and kept in the cache."""
    patch = PATCHES / f"{name}.patch"
    if not patch.exists():
        raise paths.HarnessError(f"no breakage is called {name}; there are {', '.join(names())}")
    key = paths.digest(patch, *(paths.REPO / source for source in SOURCES))

    def make(partial):
        paths.say(f"building the lastref that is broken by {patch.name}")
        with tempfile.TemporaryDirectory() as work:
            _build(patch, Path(work))
            paths.run("strip", "-o", partial / "lastref", Path(work) / BUILD / "lastref")

    return paths.made("broken", name, key, make) / "lastref"


def _build(patch, work):
    for source in SOURCES:
        copy = shutil.copytree if (paths.REPO / source).is_dir() else shutil.copy
        (work / source).parent.mkdir(parents=True, exist_ok=True)
        copy(paths.REPO / source, work / source)
    with open(patch, encoding="utf-8") as file:
        result = subprocess.run(["patch", "-p1", "-s", "-f"], cwd=work, stdin=file,
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        raise paths.HarnessError(f"{patch} does not apply to the sources any more, renew it:\n"
                                 f"{result.stdout}")
    environment = _environment(work)
    paths.run("cmake", "-S", work, "-B", work / BUILD, "-G", "Ninja",
              "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",
              "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_CXX_COMPILER=g++", env=environment)
    paths.run("cmake", "--build", work / BUILD, "--target", "lastref", env=environment)


def _environment(work):
    """As in scripts/build: ccache must not see where the copy lies."""
    return {**os.environ, "CCACHE_BASEDIR": str(work), "CCACHE_NOHASHDIR": "1"}
