# SPDX-License-Identifier: GPL-2.0-only
"""Compiles what a series touches, in one configuration, and keeps what compilers said.

A verdict is kept by the hash of everything that went into it, as kernel-patch/build keeps kernels:
a second run compiles only what changed.
"""

import functools
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import builder

VERSION = 1  # of the verdicts that are kept: raised when what is compiled or remarked changes
CROSS = {"arm64": "aarch64-linux-gnu-"}
NOT_COMPILED = ("Documentation/", "tools/", "scripts/")
# 1 the file, 2 the line, 3 what is said of it, by gcc, sparse, kernel-doc and others
REMARK = re.compile(r"^(?:\.\./)*([^\s:]+):(\d+):(?:\d+:)? ?((?:warning|error|WARNING|ERROR).*)$")


@dataclass
class Configuration:
    name: str
    arch: str
    each: bool  # after each patch, not only after the last
    whole: bool  # also the whole kernel, after the last patch
    fragments: dict


def configurations(series):
    found = []
    for line in (builder.HERE / "configs/check/configurations").read_text().splitlines():
        words = line.split()
        if words and not line.startswith("#") and words[1] in ("all", series):
            names = [w.replace("SERIES", series) for w in words[4:]]
            paths = [builder.HERE / "configs" / f"{name}.config" for name in names]
            found.append(Configuration(words[0], words[2], "each" in words[3],
                                       "vmlinux" in words[3],
                                       {p.name: p.read_text() for p in paths}))
    return found


def new_options(patches):
    """The options that the patches add, as a fragment that asks for all of them."""
    found = {}
    for patch in patches:
        for name, kind in re.findall(r"^\+config (\w+)\n\+\s+(tristate|bool)\b", patch, re.M):
            found[name] = "m" if kind == "tristate" else "y"
    return "".join(f"CONFIG_{name}={value}\n" for name, value in found.items())


def remarks(lines, source):
    """{(file, the text of the line, what is said of it)}: line numbers move, the text does not."""
    found = set()
    for line in lines:
        line = line.rstrip().replace(f"{source.path}/", "")
        if match := REMARK.match(line):
            path, number, said = match.groups()
            file = source.path / path
            text = file.read_text(errors="replace").splitlines() if file.is_file() else []
            number = int(number)
            found.add((path, text[number - 1].strip() if 0 < number <= len(text) else "", said))
        elif re.search(r"^(WARNING|ERROR|warning|error):|warning: objtool:", line, re.I):
            found.add(("", "", line))
    return found


class Objects(builder.Tree):
    """The object directory of one configuration."""

    def __init__(self, source, configuration, progress):
        path = source.folder / "objects" / configuration.name
        path.mkdir(parents=True, exist_ok=True)
        super().__init__(path, path.with_suffix(".log"), progress)
        self.source = source
        self.configuration = configuration
        self.lines = []
        self.options = {}

    def make(self, *targets, each_line=lambda line: None):
        cross = CROSS.get(self.configuration.arch, "")
        ccache = "ccache " if builder.shutil.which("ccache") else ""

        def keep(line):
            self.lines.append(line)
            each_line(line)
            self.progress.say(f"{self.configuration.name}: {line.strip()[:60]}")

        self.run("make", "-C", str(self.source.path), f"O={self.path}", f"-j{os.cpu_count()}",
                 f"ARCH={self.configuration.arch}", f"CROSS_COMPILE={cross}",
                 f"CC={ccache}{cross}gcc", f"HOSTCC={ccache}gcc", "LOCALVERSION=", "W=1",
                 *targets, each_line=keep)

    def configure(self, later, wanted, patched=True):
        """Every option that is asked for is there, but for those that a later patch adds, and,
        without patches, those that the series selects."""
        fragments = {**self.configuration.fragments, "new-options.config": wanted}
        if not patched:
            fragments.pop("selected.config", None)
        missing = re.findall(r"^(CONFIG_\w+)=", later, re.M)
        for name, text in fragments.items():
            fragments[name] = "".join(x for x in text.splitlines(keepends=True)
                                      if x.split("=")[0] not in missing)
        builder.configure(fragments, self)
        self.options = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", (self.path / ".config").read_text(),
                                       re.M))

    def forget(self, directories, objects):
        """What has been compiled is compiled again, and said again what there is to say of it."""
        for directory in directories:
            for old in (self.path / directory).rglob("*.[oa]"):
                old.unlink()
        for name in objects:
            (self.path / name).unlink(missing_ok=True)

    def configured(self, target):
        """Whether the Makefile beside it (above it, for a directory) wants it as configured: make
        would compile any file that is named."""
        path = Path(target)
        folder = self.source.path / path.parent
        makefile = folder / ("Kbuild" if (folder / "Kbuild").exists() else "Makefile")
        text = makefile.read_text().replace("\\\n", " ")
        name = path.name + "/" * target.endswith("/")
        for left, right in re.findall(r"^(\S+?)\s*[:+]?=(.*)$", text, re.M):
            stem, _, kind = left.rpartition("-")
            if name not in right.split():
                continue
            option = re.fullmatch(r"\$\((\w+)\)", kind)
            if option and self.options.get(option[1], "n") == "n":
                continue
            if stem in ("obj", "lib") or self.configured(str(path.with_name(f"{stem}.o"))):
                return True
        return False

    def compile(self, directories, objects):
        """{target: whether this configuration has it}; a builder.BuildError if one fails."""
        have = {t: self.configured(t) for t in (*directories, *objects)}
        wanted = [t for t in have if have[t]]
        try:
            self.make("C=1", *(wanted or ["prepare"]))
        except builder.BuildError as error:
            raise builder.BuildError(self.errors() or str(error)) from error
        missing = [t for t in wanted if not (self.path / t).exists()]
        if missing:
            raise builder.BuildError(f"make was content, but there is no {' '.join(missing)}")
        return have

    def errors(self):
        wanted = re.compile(r"(: error: |\berror:|undefined reference|No rule to make|\*\*\* \[)")
        return "\n".join([x.rstrip() for x in self.lines if wanted.search(x)][:20])


def compiled_at(source, stage, stages):
    """(directories, objects) that the series has to do with, as far as they exist by then. A header
    that was there before has users beside it."""
    touched = {p for s in stages for p in s.touched if not p.startswith(NOT_COMPILED)}
    headers = {p for p in touched if p.endswith(".h") and not p.startswith("include/")
               and source.base(p) is not None}
    directories = sorted({f"{Path(p).parent}/" for p in headers})
    sources = {p for p in touched | stage.files.keys() if p.endswith(".c") and
               not p.startswith((*NOT_COMPILED, *directories))}
    there = {p for p in sources if (stage.files[p] if p in stage.files else source.base(p))
             is not None}
    return directories, sorted(p[:-2] + ".o" for p in there)


@functools.lru_cache
def tool_versions():
    return [subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
            for tool in ("gcc", "sparse", "aarch64-linux-gnu-gcc")]


class Compiler:
    """Verdicts on the stages of one series in one configuration; on no more than the files in the
    directory, if one is given."""

    def __init__(self, source, configuration, stages, directory=""):
        self.source = source
        self.configuration = configuration
        self.stages = stages
        self.directory = directory
        self.objects = Objects(source, configuration, source.progress)
        self.wanted = new_options(s.patch for s in stages) if configuration.name == "normal" else ""
        self.verdicts = source.folder / "verdicts"
        self.verdicts.mkdir(exist_ok=True)
        self.compiled = None  # the stage that the object directory is at

    def targets(self, stage):
        return tuple([t for t in targets if t.startswith(self.directory)]
                     for targets in compiled_at(self.source, stage, self.stages))

    def key(self, stage, whole):
        digest = hashlib.sha256()
        files = {p: c for p, c in stage.files.items() if not p.startswith("Documentation/")}
        for part in (VERSION, self.source.identity(), self.configuration.arch, self.wanted,
                     self.configuration.fragments, sorted(files.items()), tool_versions(),
                     self.targets(stage), whole):
            digest.update(repr(part).encode())
        return self.verdicts / f"{digest.hexdigest()}.json"

    def verdict(self, stage, whole=False):
        """{"failure": text or "", "made": {target: bool}, "gcc": remarks, "sparse": remarks}.
        What was remarked at an earlier stage may be left out."""
        kept = self.key(stage, whole)
        if kept.exists():
            self.compiled = None
            found = json.loads(kept.read_text())
            return {**found, **{k: {tuple(x) for x in found[k]} for k in ("gcc", "sparse")}}
        found = self.judge(stage, whole)
        self.compiled = stage
        kept.write_text(json.dumps(
            {**found, **{k: sorted(found[k]) for k in ("gcc", "sparse")}}))
        return found

    def judge(self, stage, whole):
        self.source.put(stage.files)
        self.objects.lines = []
        failure, made = "", {}
        targets = self.targets(stage)
        if not self.compiled:
            self.objects.forget(*targets)
        position = next((i for i, s in enumerate(self.stages) if s is stage), len(self.stages))
        later = new_options(s.patch for s in self.stages[position + 1:])
        try:
            self.objects.configure(later, self.wanted, position > 0)
            made = self.objects.compile(*targets)
        except builder.BuildError as error:
            failure = str(error)
        said = remarks(self.objects.lines, self.source)
        if whole and not failure:
            try:
                self.objects.make("vmlinux")
            except builder.BuildError as error:
                failure = self.objects.errors() or str(error)
        gcc = {x for x in said if not x[0] or re.search(r"\[-W[\w=+-]+\]$", x[2])}
        return {"failure": failure, "made": made, "gcc": gcc, "sparse": said - gcc}
