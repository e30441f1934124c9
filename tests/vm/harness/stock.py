# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels, unpacked from their packages and never installed.

The packages are found through the metapackages, since a pinned name vanishes with the next update.
"""

import re
import shutil

from . import debian
from .paths import CACHE, HarnessError, locked, run, say

METAPACKAGES = {"stock-6.12": "linux-image-6.12-cloud-amd64", "stock-6.1": "linux-image-cloud-amd64"}


def _packages(name):
    """The image package of today, and all that a module build for it needs."""
    depends = debian.depends(METAPACKAGES[name])
    image = next((p for p in depends if p.startswith("linux-image-")), None)
    if not image:
        raise HarnessError(f"apt does not know {METAPACKAGES[name]}: run apt-get update, on "
                           "Debian 12 with its security archive")
    headers = image.replace("linux-image-", "linux-headers-")
    needed = [p for p in debian.depends(headers) if re.match(r"linux-(headers|kbuild)-", p)]
    return [image, headers, *needed]


def _arrange(target):
    """Gives the unpacked packages the layout of a kernel-patch/build entry."""
    kernel = next((target / "boot").glob("vmlinuz-*"))
    release = kernel.name.removeprefix("vmlinuz-")
    kernel.rename(target / "bzImage")
    (target / "root" / "lib").mkdir(parents=True)
    (target / "lib" / "modules").rename(target / "root" / "lib" / "modules")
    for link in ("build", "source"):
        (target / "root" / "lib" / "modules" / release / link).unlink(missing_ok=True)
    run("/sbin/depmod", "-b", target / "root", release)
    headers = target / "usr" / "src" / f"linux-headers-{release}"
    (target / "build").symlink_to(headers.relative_to(target))
    shutil.rmtree(target / "usr" / "share")


def _relocate(target, home):
    """The headers' makefiles name /usr/src and /usr/lib; here they lie somewhere else."""
    for makefile in (target / "usr" / "src").glob("linux-headers-*/*"):
        if makefile.name in ("Makefile", ".kernelvariables") and not makefile.is_symlink():
            text = makefile.read_text()
            makefile.write_text(re.sub(r"(?<![\w/])/usr/(src|lib)/linux-", rf"{home}/usr/\1/linux-",
                                       text))


def unpacked(name):
    """The cache entry of a stock kernel, downloaded now if this version is not there."""
    packages = _packages(name)
    folder = CACHE / "kernel"
    image = packages[0]
    entry = folder / f"{name}-{image.removeprefix('linux-image-')}-{debian.version(image)}"
    if entry.is_dir():
        return entry
    with locked(folder / f"{name}.lock"):
        if not entry.is_dir():
            say(f"{name}: downloading {', '.join(packages)}")
            partial = folder / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            debian.unpack(packages, partial)
            _arrange(partial)
            _relocate(partial, entry)
            partial.rename(entry)
    return entry
