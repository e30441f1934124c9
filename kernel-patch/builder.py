# SPDX-License-Identifier: GPL-2.0-only
"""Builds the kernels of configs/kernels: their sources, patches, configurations, and the cache.

The cache entry holds bzImage, config, build/ (what out-of-tree module builds need, with a vmlinux
for their BTF) and root/ (modules, for an initramfs). Its name is a hash of everything that went in,
so that a second call, also from another clone, returns at once.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lastref" / "kernel"
KEPT_PER_KERNEL = 6
TIMESTAMP = "2024-01-01"  # the same for every build, or ccache would see a change where none is


class BuildError(Exception):
    """What is wrong and what to do about it, for the person at the terminal."""


class Progress:
    """One line that says what, how far and for how long; plain lines when nobody watches."""

    def __init__(self, name):
        self.name = name
        self.began = time.monotonic()
        self.shown = -1e9
        self.tty = sys.stderr.isatty()

    def say(self, text, force=False):
        now = time.monotonic()
        if not force and now - self.shown < (0.5 if self.tty else 30):
            return
        self.shown = now
        minutes, seconds = divmod(int(now - self.began), 60)
        line = f"kernel {self.name}: {text} ({minutes}:{seconds:02d})"
        print("\r" + line + "\033[K" if self.tty else line, end="" if self.tty else "\n",
              file=sys.stderr, flush=True)

    def end(self, text):
        self.say(text, force=True)
        if self.tty:
            print(file=sys.stderr)


def kernels():
    """The table of configs/kernels as {name: (series, patch directory, [fragment, ...])}."""
    table = {}
    for line in (HERE / "configs" / "kernels").read_text().splitlines():
        words = line.split()
        if words and not line.startswith("#"):
            fragments = [HERE / "configs" / f"{w}.config" for w in words[3:]]
            table[words[0]] = (words[1], words[2], fragments)
    return table


def source_of(series):
    given = os.environ.get("KERNEL_SRC")
    path = Path(given) if given else Path(f"/usr/src/linux-source-{series}.tar.xz")
    if not path.exists():
        remedy = "set KERNEL_SRC to a kernel tree or tarball" if given else (
            f"install the package linux-source-{series} (make deps does), or set KERNEL_SRC")
        raise BuildError(f"no kernel source at {path}: {remedy}")
    return path.resolve()


def read(paths):
    """{name: text}, read once: what is built must be what was hashed, whoever edits meanwhile."""
    return {path.name: path.read_text() for path in paths}


def patches_for(series, directory):
    """Its *.patch in order; DIRECTORY/SERIES/ replaces those of the same name or adds to them.

    A letter without a patch there says why that series has nothing to change.
    """
    if directory == "-":
        return {}
    chosen = {p.name: p for p in (HERE / directory).glob("*.patch")}
    chosen.update({p.name: p for p in (HERE / directory / series).glob("*.patch")})
    if not chosen:
        raise BuildError(f"there is no patch in {HERE / directory}: the third column of "
                         "configs/kernels names the directory, or is - for none")
    texts = read(chosen[name] for name in sorted(chosen))
    return {name: text for name, text in texts.items() if "\ndiff --git " in text}


def changes(patches):
    """What the patches do to the tree, without the letters above: those build the same kernel."""
    return [text[text.index("\ndiff --git "):] for text in patches.values()]


def fingerprint(path, digest):
    """Of a tarball its bytes; of a tree, where that would take minutes, names, sizes and times."""
    if path.is_file():
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return
    for folder, names, files in os.walk(path):
        names[:] = sorted(n for n in names if n != ".git")
        for name in sorted(files):
            entry = os.lstat(os.path.join(folder, name))
            digest.update(f"{folder}/{name} {entry.st_size} {entry.st_mtime_ns}\n".encode())


def entry_name(name, source, patches, fragments):
    digest = hashlib.sha256()
    fingerprint(source, digest)
    for part in (changes(patches), fragments, read([Path(__file__).resolve()])):
        digest.update(repr(part).encode())
    for tool in ("gcc", "pahole"):
        if not shutil.which(tool):
            raise BuildError(f"{tool} is not installed: run make deps")
        digest.update(subprocess.run([tool, "--version"], capture_output=True, check=True).stdout)
    return f"{name}-{digest.hexdigest()[:16]}"


@contextlib.contextmanager
def locked(path, progress):
    """Two callers never build at once in the same place; the second one waits and finds it done."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.end("another build of it is under way; waiting for that one")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Tree:
    """A source tree being configured and built, with one log for everything that is run in it."""

    def __init__(self, path, log, progress):
        self.path = path
        self.log = log
        self.progress = progress
        self.log.write_text("")

    def run(self, *command, each_line=lambda line: None, stdin=subprocess.DEVNULL):
        """Runs a command in the tree; its output goes to the log, and line by line to each_line."""
        drop = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "CROSS_COMPILE", "KCFLAGS"}
        env = {k: v for k, v in os.environ.items() if k not in drop}
        env.update(LC_ALL="C", KBUILD_BUILD_TIMESTAMP=TIMESTAMP, KBUILD_BUILD_USER="lastref",
                   KBUILD_BUILD_HOST="lastref", CCACHE_DIR=str(CACHE / "ccache"),
                   CCACHE_MAXSIZE="3G", CCACHE_NOHASHDIR="1")
        with self.log.open("a") as log:
            log.write("+ " + " ".join(map(str, command)) + "\n")
            log.flush()
            with subprocess.Popen(command, cwd=self.path, env=env, stdin=stdin, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  errors="replace") as process:
                for line in process.stdout:
                    log.write(line)
                    each_line(line)
        if process.returncode:
            tail = "\n".join("    " + x for x in self.log.read_text().splitlines()[-25:])
            raise BuildError(f"this failed: {' '.join(map(str, command))}\n{tail}\n"
                             f"the whole log: {self.log}")

    def make(self, *targets, each_line=lambda line: None):
        compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
        self.run("make", f"-j{os.cpu_count()}", f"CC={compiler}", "HOSTCC=gcc", "LOCALVERSION=",
                 *targets, each_line=each_line)


def unpack(source, tree):
    tree.progress.say(f"unpacking {source.name}", force=True)
    shutil.rmtree(tree.path, ignore_errors=True)
    tree.path.mkdir(parents=True)
    if source.is_file():
        tree.run("tar", "--extract", f"--file={source}", "--strip-components=1")
    else:
        tree.run("cp", "-a", "--reflink=auto", f"{source}/.", ".")
        shutil.rmtree(tree.path / ".git", ignore_errors=True)
        tree.run("make", "mrproper")


def apply(patches, tree):
    for name, text in patches.items():
        tree.progress.say(f"applying {name}")
        with tempfile.TemporaryFile("w+") as file:
            file.write(text)
            file.seek(0)
            tree.run("patch", "-p1", "--forward", "--batch", "--no-backup-if-mismatch", stdin=file)


def configure(fragments, tree):
    """tinyconfig with the fragments merged in; what neither of them names stays off."""
    tree.progress.say("configuring", force=True)
    tiny = [tree.path / name for name in ("kernel/configs/tiny.config",
                                          "kernel/configs/tiny-base.config",
                                          "arch/x86/configs/tiny.config")]
    merged = tree.path / "merged.config"
    merged.write_text("".join([*(p.read_text() for p in tiny if p.exists()), *fragments.values()]))
    # Appending to a finished tinyconfig would let the defaults of all that depends on us slip in.
    tree.make(f"KCONFIG_ALLCONFIG={merged}", "allnoconfig")
    have = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", (tree.path / ".config").read_text(), re.M))
    lost = []
    for name, text in fragments.items():
        for option, value in re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M):
            if have.get(option, "n") != value:
                lost.append(f"    {option}={value} of {name} became {have.get(option, 'n')}")
    if lost:
        raise BuildError("the kernel's configuration lost options that were asked for (a "
                         "dependency is missing in the fragments):\n" + "\n".join(lost))


def compile_all(name, tree):
    """Builds the kernel and its modules; what is counted last time is what is expected now."""
    count_file = CACHE / f"{name}.objects"
    expected = int(count_file.read_text()) if count_file.exists() else 0
    done = 0

    def count(line):
        nonlocal done
        if re.match(r"  (CC|AS|LD|AR|BTF\w*|OBJCOPY|SORTTAB|CALL|GEN|HOSTCC)\s", line):
            done += 1
            how_far = f"{done} of {max(expected, done)}" if expected else f"{done}"
            tree.progress.say(f"{how_far} objects; {line.strip().replace(f'{tree.path}/', '')[:50]}")

    tree.make("bzImage", "modules", each_line=count)
    count_file.write_text(str(done))


def collect(tree, entry):
    """Copies out of the tree what a boot and a module build need, and no more."""
    tree.progress.say("collecting", force=True)
    build = entry / "build"
    build.mkdir(parents=True)
    tree.run("make", "modules_install", f"INSTALL_MOD_PATH={entry / 'root'}", "LOCALVERSION=",
             "INSTALL_MOD_STRIP=--strip-debug")
    for link in (entry / "root" / "lib" / "modules").glob("*/*"):
        if link.name in ("build", "source"):
            link.unlink()
    shutil.copy(tree.path / "arch/x86/boot/bzImage", entry / "bzImage")
    shutil.copy(tree.path / ".config", entry / "config")
    tree.run("objcopy", "--strip-debug", "vmlinux", build / "vmlinux")
    wanted = [".config", "Makefile", "Module.symvers", "System.map", "scripts", "include",
              "arch/x86/include", "tools/objtool/objtool"]
    wanted += [str(p.relative_to(tree.path)) for pattern in
               ("Kbuild", "arch/x86/Makefile*", "arch/x86/entry/syscalls",
                "tools/bpf/resolve_btfids/resolve_btfids") for p in tree.path.glob(pattern)]
    for path in wanted:
        target = build / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (tree.path / path).is_dir():
            shutil.copytree(tree.path / path, target, symlinks=True,
                            ignore=shutil.ignore_patterns("*.o", ".*.cmd", "dt-bindings"))
        else:
            shutil.copy(tree.path / path, target)


def prune(name):
    """Removes the oldest entries of this kernel: work on the patches makes one after the other."""
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{16}")
    entries = sorted((p for p in CACHE.iterdir() if pattern.fullmatch(p.name)),
                     key=lambda p: p.stat().st_mtime)
    for old in entries[:-KEPT_PER_KERNEL]:
        shutil.rmtree(old)


def build(name, series, directory, fragments):
    """Returns the cache entry, built now if it is not there."""
    progress = Progress(name)
    source, fragments = source_of(series), read(fragments)
    patches = patches_for(series, directory)
    entry = CACHE / entry_name(name, source, patches, fragments)
    if entry.is_dir():
        os.utime(entry)
        return entry
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{name}.lock", progress):
        if entry.is_dir():
            return entry
        # Always the same path, so that ccache recognises what it has compiled before.
        work = CACHE / f"{name}.work"
        shutil.rmtree(work, ignore_errors=True)
        tree = Tree(work / "linux", CACHE / f"{name}.log", progress)
        unpack(source, tree)
        apply(patches, tree)
        configure(fragments, tree)
        compile_all(name, tree)
        collect(tree, work / "entry")
        os.rename(work / "entry", entry)
        shutil.rmtree(work)
        prune(name)
    progress.end(f"built with {len(patches)} patches")
    return entry
