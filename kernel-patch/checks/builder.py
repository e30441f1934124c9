# SPDX-License-Identifier: GPL-2.0-only
"""kernel-patch/build as a module: what it knows of sources, patches and configurations."""

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def _load():
    loader = SourceFileLoader("kernel_patch_build", str(HERE / "build"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


build = _load()
BuildError = build.BuildError
CACHE = build.CACHE.parent / "check"
