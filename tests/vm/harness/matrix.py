# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels a test file is for, and which of those are wanted now.

A file says so in a module variable: kernels = "all", "patched", "stock", or a list of names; an
empty list means that it boots nothing and is run once.
"""

import ast
import os
import re

from . import kernels, stock

DEFAULT = ["6.12", "stock-6.12", "stock-6.1", "stock-7.3"]
# By default only what kernels change for lastref is run there.
BY_DEFAULT = {"stock-7.3": {
    "test_why", "test_why_mounts", "test_why_files", "test_why_block", "test_why_exit", "test_why_net",
    "test_attach_safety", "test_stock", "test_refs_hard", "test_why_core"}}
TOO_OLD = ["stock-5.10"]  # only files that name them are run there
ALL = ["6.12", "6.1", "6.12-debug", "stock-6.12", "stock-6.1", "stock-6.18", "stock-7.3",
       *TOO_OLD]  # the others are for comparisons


def wanted(text=None):
    """The kernels asked for by --kernel or KERNELS, in the order of the whole matrix."""
    words = (text or os.environ.get("KERNELS") or " ".join(DEFAULT)).replace(",", " ").split()
    if words == ["all"]:
        return ALL
    if unknown := set(words) - set(kernels.names()):
        raise ValueError(f"no kernel is called {', '.join(sorted(unknown))}; there are "
                         f"{', '.join(kernels.names())}, or all")
    return words


def test_files(folder):
    """Those of a folder with rooms, by the room and the name. No two have the same name, whatever
    their rooms: it is what they are asked for by, and what their logs are called."""
    return sorted(folder.glob("*/test_*.py"))


def claim_of(path):
    """The value of a test file's variable `kernels`, without importing the file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "kernels":
            return ast.literal_eval(node.value)
    raise ValueError(f"{path.name} does not say which kernels it is for (a variable `kernels`)")


def loads_test_modules(path):
    """Whether a test file takes any of tests/modules."""
    return re.search(r"\blr_\w+|\bwarn_module", path.read_text(encoding="utf-8"), re.I) is not None


def covers(claim, kernel):
    if isinstance(claim, str):
        is_meant = claim == "all" or (claim == "stock") == (kernel in stock.NAMES)
        return is_meant and kernel not in TOO_OLD
    return kernel in claim


def is_run(path, kernel, asked_for):
    """Whether a file that is for a kernel is run on it, when these kernels are asked for."""
    return asked_for != DEFAULT or path.stem in BY_DEFAULT.get(kernel, {path.stem})


def apart(claim):
    """The kernels of a claim that are not in the matrix: files that name them need them alone."""
    return [] if isinstance(claim, str) else [kernel for kernel in claim if kernel not in ALL]
