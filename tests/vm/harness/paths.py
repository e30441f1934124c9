# SPDX-License-Identifier: GPL-2.0-only
"""Where things are, the cache, and how programs of the host are run."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lastref"
HARNESS = Path(__file__).resolve().parent
VM = HARNESS.parent  # the tests in guests, in their rooms, and what they share


class HarnessError(Exception):
    """Something outside the guest went wrong; the text says what to do about it."""


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


def run(*command, **options):
    """Runs a program of the host and returns its output; a failure shows what it said."""
    try:
        result = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    except FileNotFoundError as error:
        raise HarnessError(f"{command[0]} is not installed: run make deps") from error
    if result.returncode:
        said = (result.stdout + result.stderr)[-3000:]
        raise HarnessError(f"this failed: {' '.join(map(str, command))}\n{said}")
    return result.stdout


def digest(*parts):
    """A short name for content: bytes, text, files and whole directories."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path) and part.is_dir():
            for file in sorted(p for p in part.rglob("*") if p.is_file()):
                sha.update(str(file.relative_to(part)).encode() + file.read_bytes())
        elif isinstance(part, Path):
            sha.update(part.read_bytes())
        else:
            sha.update(part if isinstance(part, bytes) else str(part).encode())
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def used(entry):
    """Marks a cache entry as used now, and removes its neighbours that nobody has used for two days.

    By age and not by name: another clone with other sources may be using its own at this moment.
    """
    os.utime(entry)
    for old in entry.parent.iterdir():
        if old.stat().st_mtime > time.time() - 2 * 86400:
            continue
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
    return entry


@contextlib.contextmanager
def locked(path):
    """Two test files that start together must not build the same thing twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made(kind, name, key, make):
    """The directory KIND/NAME-KEY of the cache; make(partial) has filled it, now or earlier."""
    folder = CACHE / kind / f"{name}-{key}"
    with locked(CACHE / kind / f"{name}.lock"):
        if not folder.is_dir():
            partial = folder.with_name(folder.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            make(partial)
            partial.rename(folder)
        return used(folder)
