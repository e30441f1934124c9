# SPDX-License-Identifier: GPL-2.0-only
"""Files of a kernel's own source, for tests that need them as they were released."""

import os
from pathlib import Path

from .paths import HarnessError, digest, made, run, say


def series_of(kernel_name):
    """6.12 for 6.12-unpatched: the series that a kernel of kernel-patch/build belongs to."""
    return kernel_name.split("-")[0]


def extracted(series, paths):
    """A directory that holds these files and directories of the unpatched source, all or fail.

    Unpacking reads the whole tarball, so the result is kept in the cache.
    """
    given = os.environ.get("KERNEL_SRC")
    # tar complains of a member that another one has brought along.
    paths = sorted(path for path in set(paths)
                   if not any(path.startswith(f"{other}/") for other in paths))
    source = Path(given or f"/usr/src/linux-source-{series}.tar.xz").resolve()
    if not source.exists():
        raise HarnessError(f"no kernel source at {source}: run scripts/deps source-{series}, or "
                           "set KERNEL_SRC to a tree or tarball of that series")
    if source.is_dir():
        key = digest(source.name, *paths, *(source / path for path in paths))
    else:
        stat = source.stat()
        key = digest(source.name, stat.st_size, stat.st_mtime_ns, *paths)
    return made("source", series, key, lambda partial: _copy(source, paths, partial))


def _copy(source, paths, target):
    if source.is_dir():
        run("cp", "-a", "--parents", *paths, target, cwd=source)
        return
    say(f"unpacking {len(paths)} parts of {source.name}")
    # The name of the tarball's top directory is not known without reading all of it.
    run("tar", "--extract", f"--file={source}", f"--directory={target}", "--strip-components=1",
        "--wildcards", "--no-wildcards-match-slash", *(f"*/{path}" for path in paths))
