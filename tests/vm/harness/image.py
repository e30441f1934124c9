# SPDX-License-Identifier: GPL-2.0-only
"""Makes the initramfs: a base that is the same for every boot of a kernel, and this boot's files."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import debian
from .compiled import compiled
from .cpio import Archive
from .paths import CACHE, HARNESS, REPO, HarnessError, digest, locked, run, used

# Whatever in busybox starts other programs runs its own applets first, whatever the PATH says:
# under its shell, or its timeout, rmmod would be busybox's. Those come from Debian's essential
# packages instead, or not at all.
REAL = ("chroot", "env", "nice", "nohup", "timeout", "find", "xargs", "chrt", "flock",
        "nsenter", "setpriv", "setsid", "taskset", "unshare")
# dash loses a SIGINT that arrives while it forks. Static, since each command of a test starts one, and
# to load shared libraries takes an emulated processor 80 ms.
SHELL = "bash-static"
NOT_FROM_BUSYBOX = {
    "busybox", "sh", "ash", "cttyhack", "getty", "hush", "ionice", "linux32", "linux64", "login",
    "openvt", "run-parts", "runsv", "setarch", "setuidgid", "softlimit", "start-stop-daemon",
    "tcpsvd", "time", "udpsvd", "watch"}
KMOD = ("insmod", "rmmod", "modprobe", "lsmod", "modinfo", "depmod")
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/os-release": "PRETTY_NAME=\"lastref test guest\"\nID=lastref-guest\n",
}


def program(name):
    """A program of the host, looked for where root's PATH would, whoever calls."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin:" + os.environ["PATH"])
    if not found:
        raise HarnessError(f"{name} is not installed: run make deps")
    return found


LIBRARIES = "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"  # where any program looks for them


def shared_libraries(binary, tree=Path("/")):
    """What a program needs to start; nothing for a static one. Those of its package come first."""
    path = ":".join(str(tree / folder) for folder in LIBRARIES)
    listed = subprocess.run(["ldd", str(binary)], capture_output=True, text=True,
                            env={**os.environ, "LD_LIBRARY_PATH": path})
    if listed.returncode:
        return []
    if missing := re.findall(r"(\S+) => not found", listed.stdout):
        raise HarnessError(f"{binary} needs {', '.join(missing)}, which this machine lacks")
    return sorted(set(re.findall(r"(?:=> )?(/\S+) \(0x", listed.stdout)))


def base(kernel):
    """The archive with busybox, kmod and the kernel's own modules, kept in the cache."""
    init = compiled("agent", HARNESS.glob("agent*.[ch]"))  # the guest's first process
    ids = compiled("bpf-ids", [HARNESS / "bpf_ids.c"])
    programs = [ids, *(Path(program(name)) for name in ("busybox", "kmod", SHELL, *REAL))]
    archive_file = CACHE / "image" / (
        f"{kernel.name}-{digest(kernel.identity, init, *programs, Path(__file__))}.cpio")
    with locked(CACHE / "image" / f"{kernel.name}.lock"):
        if archive_file.exists():
            return used(archive_file)
        with open(archive_file.with_suffix(".partial"), "wb") as file:
            _write_base(Archive(file), kernel, init, *programs)
        archive_file.with_suffix(".partial").rename(archive_file)
        return used(archive_file)


def _write_base(archive, kernel, init, ids, busybox, kmod, shell, *others):
    # No /dev/console: the console's interrupt is then free for the port that shares its line.
    for path in ("dev", "proc", "sys", "run", "tmp", "root", "mnt", "var", "usr/local/bin"):
        archive.directory(path)
    for path, text in ACCOUNTS.items():
        archive.data(path, text.encode())
    archive.copy("init", init)
    archive.copy("usr/local/bin/bpf-ids", ids)
    archive.copy("bin/busybox", busybox)
    for applet in run(busybox, "--list-full").split():
        if os.path.basename(applet) not in NOT_FROM_BUSYBOX.union(KMOD, REAL):
            archive.link(applet, "/bin/busybox")
    archive.copy("usr/bin/kmod", kmod)
    for name in KMOD:
        archive.link(f"usr/sbin/{name}", "/usr/bin/kmod")
    for other in others:
        archive.copy(f"bin/{other.name}", other)
    archive.copy("bin/bash", shell)
    archive.link("bin/sh", "bash")
    for library in sorted({lib for p in (kmod, *others) for lib in shared_libraries(p)}):
        archive.copy(library, library)
    archive.tree("lib", kernel.root / "lib")
    archive.close()


def lastref_binary(name="lastref"):
    """The lastref under test, or "lastref-static", built first if need be."""
    folder = Path(os.environ.get("LASTREF_BUILD") or REPO / "build" / "release")
    if not os.environ.get("LASTREF_BUILD"):
        variant = "static" if name == "lastref-static" else "release"
        result = subprocess.run([REPO / "scripts" / "build", variant], stdin=subprocess.DEVNULL)
        if result.returncode:
            raise HarnessError(f"{name} could not be built")
    binary = folder / name
    if not binary.exists():
        raise HarnessError(f"there is no lastref at {binary}")
    return binary


def _add_program(archive, source, target):
    """A program with the libraries it needs, without its debugging information."""
    with tempfile.NamedTemporaryFile() as stripped:
        run("strip", "-o", stripped.name, source)
        archive.data(target, Path(stripped.name).read_bytes(), 0o755)
    for library in shared_libraries(source):
        archive.copy(library, library)


def _add_package(archive, package):
    """Its programs, with the libraries that they need."""
    tree = debian.unpacked(package)
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin"):
        for binary in sorted(file for file in tree.glob(f"{folder}/*") if not file.is_symlink()):
            archive.copy(f"usr/local/bin/{binary.name}", binary)
            for library in map(Path, shared_libraries(binary, tree)):
                inside = library.relative_to(tree if library.is_relative_to(tree) else "/")
                archive.copy(str(inside), library)


def write(target, kernel, lastref, modules, copies, programs, packages):
    """This boot's initramfs. copies maps names below /root to files of the host, packages are those of
    Debian's whose programs it has."""
    with open(target, "wb") as file:
        with open(base(kernel), "rb") as first:
            shutil.copyfileobj(first, file, 1 << 20)
        archive = Archive(file)
        archive.copy("usr/local/bin/keeper", compiled("keeper", (HARNESS / "keeper").glob("*.[ch]")))
        if lastref:
            _add_program(archive, lastref, "usr/local/bin/lastref")
        for name in programs:
            _add_program(archive, program(name), f"usr/local/bin/{name}")
        for package in packages:
            _add_package(archive, package)
        for module in modules:
            archive.copy(f"root/modules/{module.name}", module)
        for name, source in copies.items():
            archive.copy(f"root/{name}", source)
        archive.close()
