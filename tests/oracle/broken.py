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
            paths.run("strip", "-o", partial / "lastref", Path(work) / "build" / "lastref")

    return paths.made("broken", name, key, make) / "lastref"


def _build(patch, work):
    for source in SOURCES:
        copy = shutil.copytree if (paths.REPO / source).is_dir() else shutil.copy
        (work / source).parent.mkdir(parents=True, exist_ok=True)
        copy(paths.REPO / source, work / source)
    with open(patch, encoding="utf-8") as file:
        result = subprocess.run(["patch", "-p1", "-s", "-f", "-F0"], cwd=work, stdin=file,
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        raise paths.HarnessError(f"{patch} does not apply to the sources any more, renew it:\n"
                                 f"{result.stdout}")
    paths.run("cmake", "-S", work, "-B", work / "build", "-G", "Ninja",
              "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",
              "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_CXX_COMPILER=g++",
              env=_environment(work))
    paths.run("cmake", "--build", work / "build", "--target", "lastref", env=_environment(work))


def _environment(work):
    """As in scripts/build: what is not changed by the patch has been compiled before."""
    return {**os.environ, "CCACHE_BASEDIR": str(work), "CCACHE_NOHASHDIR": "1"}
