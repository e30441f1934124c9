# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree that can be put into the state after any patch of a series, and back.

Only files that the series touches are ever written, so that a change of state takes no time and
object directories stay up to date for all the rest.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import builder

CONTROL = builder.HERE / "control"
PROBE = "kernel/soft_check"  # where the file that uses the interface is put into the tree


@dataclass
class Stage:
    """The tree after a patch: the contents of what differs from the tree without any."""
    name: str
    patch: str  # its text
    touched: set  # the paths it changes
    files: dict  # path: bytes, or None where there is no such file

    def text(self, path):
        content = self.files.get(path)
        return content.decode(errors="replace") if content is not None else ""


class Source:
    """The unpacked tree of one series. What was overwritten is kept beside it."""

    def __init__(self, series, folder, progress):
        self.series = series
        self.path = folder / "source"
        self.kept = folder / "pristine"
        self.index = folder / "pristine.json"  # {path: whether there was such a file}
        self.folder = folder
        self.origin = builder.source_of(series)
        self.progress = progress
        self.existed = json.loads(self.index.read_text()) if self.index.exists() else {}
        stamp = folder / "origin"
        identity = self.identity()
        if not stamp.exists() or stamp.read_text() != identity:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            builder.unpack(self.origin, builder.Tree(self.path, folder / "log", progress))
            stamp.write_text(identity)
            self.existed = {}
        self.put({})

    def identity(self):
        if self.origin.is_dir():
            digest = builder.hashlib.sha256()
            builder.fingerprint(self.origin, digest)
            return digest.hexdigest()
        status = self.origin.stat()
        return f"{self.origin} {status.st_size} {status.st_mtime_ns}"

    def base(self, path):
        """A file as it is without patches, or None."""
        kept = self.existed.get(path)
        if kept is None:
            file = self.path / path
            return file.read_bytes() if file.is_file() else None
        return (self.kept / path).read_bytes() if kept else None

    def put(self, files):
        """Makes the tree what it is without patches, but for these files."""
        for path in files.keys() - self.existed.keys():
            content = self.base(path)
            if content is not None:
                (self.kept / path).parent.mkdir(parents=True, exist_ok=True)
                (self.kept / path).write_bytes(content)
            self.existed[path] = content is not None
        self.index.write_text(json.dumps(self.existed))
        for path in self.existed:
            wanted = files[path] if path in files else self.base(path)
            file = self.path / path
            have = file.read_bytes() if file.is_file() else None
            if wanted is None and have is not None:
                file.unlink()
            elif wanted is not None and wanted != have:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(wanted)
                file.chmod(0o755 if wanted.startswith(b"#!") else 0o644)


def touched_by(patch):
    return {p for pair in re.findall(r"^diff --git a/(\S+) b/(\S+)$", patch, re.M) for p in pair}


def git_apply(folder, patch):
    """Applies it without fuzz; what git says, or a builder.BuildError with it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(GIT_CEILING_DIRECTORIES=str(folder.parent), GIT_CONFIG_GLOBAL="/dev/null",
               GIT_CONFIG_SYSTEM="/dev/null", LC_ALL="C")
    done = subprocess.run(["git", "apply", "-v", "--whitespace=warn"], cwd=folder, env=env,
                          input=patch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = [x for x in done.stdout.splitlines() if not x.startswith(("Checking", "Applied"))]
    if done.returncode:
        raise builder.BuildError("it does not apply without fuzz:\n" + "\n".join(said))
    return said


def probe_files(source):
    """The user of the interface, compiled with the kernel from the first patch on."""
    makefile = source.base("kernel/Makefile") + f"\nobj-y += {Path(PROBE).name}/\n".encode()
    return {"kernel/Makefile": makefile,
            f"{PROBE}/Kbuild": (CONTROL / "Kbuild").read_bytes(),
            f"{PROBE}/interface.c": (CONTROL / "interface.c").read_bytes()}


def after(source, before, name, patch):
    """The stage that the patch makes of the one before it, and what git said."""
    with tempfile.TemporaryDirectory(dir=source.folder) as folder:
        folder = Path(folder)
        touched = touched_by(patch)
        for path in touched:
            content = before.files[path] if path in before.files else source.base(path)
            if content is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        said = git_apply(folder, patch)
        files = dict(before.files)
        for path in touched:
            files[path] = (folder / path).read_bytes() if (folder / path).exists() else None
        if "kernel/Makefile" not in touched:
            files = {**probe_files(source), **files}
        return Stage(name, patch, touched, files), said


def series_stages(source, patches, record):
    """The tree without patches and after each of them; record(check, where, problems, note)."""
    found = [Stage("base", "", set(), {})]
    for name, text in patches.items():
        try:
            stage, said = after(source, found[-1], name, text)
        except builder.BuildError as error:
            record("applies without fuzz", name, [str(error)])
            raise builder.BuildError(f"{name} does not apply; nothing after it can be checked") from error
        offsets = [x for x in said if "offset" in x]
        record("applies without fuzz", name, [],
               f"{len(offsets)} hunks of {name[:4]} at an offset" if offsets else "")
        record("no whitespace errors", name, [x for x in said if x not in offsets])
        found.append(stage)
    return found
