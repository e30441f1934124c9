# SPDX-License-Identifier: GPL-2.0-only
"""The project's own scripts, as modules whose parts a test can try."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from harness.paths import REPO


def load(path):
    """The Python program at that path from the top, which has no ending to tell that it is one."""
    loader = SourceFileLoader(path.replace("/", "_"), str(REPO / path))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
