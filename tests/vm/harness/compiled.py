# SPDX-License-Identifier: GPL-2.0-only
"""Programs for the guest that are compiled here: static, and once for each state of their sources."""

from .paths import CACHE, digest, locked, run, used


def compiled(name, sources, libraries=()):
    """The program made of these C files; headers may be among them, to be noticed when they change."""
    sources = sorted(sources)
    binary = CACHE / "image" / f"{name}-{digest(*sources)}"
    with locked(CACHE / "image" / f"{name}.lock"):
        if not binary.exists():
            partial = binary.with_suffix(".partial")
            run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-static", "-s", "-o",
                partial, *(source for source in sources if source.suffix == ".c"),
                *(f"-l{library}" for library in libraries))
            partial.rename(binary)
        return used(binary)
