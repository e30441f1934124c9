# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels, unpacked from their packages and never installed.

The packages are found through metapackages, or by the pattern of their names, since a pinned name
vanishes with the next update.
"""

import re
import shutil

from . import debian, toolchain
from .paths import CACHE, HarnessError, locked, run, say

# Of the machine's own suite, Debian 12, by their metapackages.
METAPACKAGES = {"stock-6.12": "linux-image-6.12-cloud-amd64", "stock-6.1": "linux-image-cloud-amd64"}
# Of other suites, by what the names of their packages begin with.
OF_OTHER_SUITES = {"stock-7.3": "7.3", "stock-6.18": "6.18", "stock-5.10": "5.10.0"}
NAMES = [*METAPACKAGES, *OF_OTHER_SUITES]


def parts(image, options):
    """The packages that an image is in: since 6.19 the image itself has next to nothing."""
    release = image.removeprefix("linux-image-")
    return [image, *(p for p in debian.depends(image, options)
                     if p in (f"linux-{part}-{release}" for part in ("binary", "modules", "base")))]


def _headers(image, options):
    """What a module build needs. The image is kept in the archive for longer: then there is none."""
    headers = image.replace("linux-image-", "linux-headers-")
    if not debian.newest(re.escape(headers), options):
        return []
    return [headers, *(p for p in debian.depends(headers, options)
                       if re.match(r"linux-(headers|kbuild)-", p))]


def _packages(name):
    """The image package of today, with all that is to be unpacked, and how apt is asked for it."""
    if name in METAPACKAGES:
        options = []
        image = next((p for p in debian.depends(METAPACKAGES[name]) if p.startswith("linux-image-")),
                     None)
        if not image:
            raise HarnessError(f"apt does not know {METAPACKAGES[name]}: run apt-get update, on "
                               "Debian 12 with its security archive")
    else:
        options = debian.other_suites()
        begin = re.escape(OF_OTHER_SUITES[name])
        image = debian.newest(rf"linux-image-{begin}[-.]\d[-.+\w]*-cloud-amd64", options)
        if not image:
            return None, [], options
    return image, [*parts(image, options), *_headers(image, options)], options


def _arrange(target):
    """Gives the unpacked packages the layout of a kernel-patch/build entry."""
    if (target / "usr" / "lib" / "modules").is_dir():  # of a suite where /lib is a link to it
        (target / "lib").mkdir(exist_ok=True)
        (target / "usr" / "lib" / "modules").rename(target / "lib" / "modules")
    release = next((target / "lib" / "modules").iterdir()).name
    images = [target / "lib" / "modules" / release / "vmlinuz", target / "boot" / f"vmlinuz-{release}"]
    next(image for image in images if image.exists()).rename(target / "bzImage")
    (target / "root" / "lib").mkdir(parents=True)
    (target / "lib" / "modules").rename(target / "root" / "lib" / "modules")
    for link in ("build", "source"):
        (target / "root" / "lib" / "modules" / release / link).unlink(missing_ok=True)
    run("/sbin/depmod", "-b", target / "root", release)
    headers = target / "usr" / "src" / f"linux-headers-{release}"
    if headers.is_dir():
        (target / "build").symlink_to(headers.relative_to(target))
        # With the kernel's types there, a module gets some of its own, made by the pahole of the
        # kernel's suite. Test modules do without on other kernels.
        (headers / "vmlinux").unlink(missing_ok=True)
    shutil.rmtree(target / "usr" / "share")


def _relocate(target, home):
    """The headers' makefiles name /usr/src and /usr/lib; here they lie somewhere else."""
    for makefile in (target / "usr" / "src").glob("linux-headers-*/*"):
        if makefile.name in ("Makefile", ".kernelvariables") and not makefile.is_symlink():
            text = makefile.read_text()
            makefile.write_text(re.sub(r"(?<![\w/])/usr/(src|lib)/linux-", rf"{home}/usr/\1/linux-",
                                       text))


def _newest_kept(name):
    """What was fetched of that kernel before, or none."""
    return max((CACHE / "kernel").glob(f"{name}-*/"), key=lambda entry: entry.stat().st_mtime,
               default=None)


def unpacked(name):
    """The cache entry of a stock kernel, downloaded now if this version is not there."""
    image, packages, options = _packages(name)
    folder = CACHE / "kernel"
    if not image:
        if kept := _newest_kept(name):
            return kept
        raise HarnessError(f"no suite of Debian ({', '.join(debian.SUITES)}) has a cloud kernel "
                           f"{OF_OTHER_SUITES[name]} any more")
    entry = folder / f"{name}-{image.removeprefix('linux-image-')}-{debian.version(image, options)}"
    if entry.is_dir():
        return entry
    with locked(folder / f"{name}.lock"):
        if not entry.is_dir():
            say(f"{name}: downloading {', '.join(packages)}")
            partial = folder / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            debian.unpack(packages, partial, options)
            _arrange(partial)
            _relocate(partial, entry)
            if name in OF_OTHER_SUITES:
                toolchain.adapt(partial, entry, options)
            partial.rename(entry)
    return entry
