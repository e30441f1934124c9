# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own checkers that read patches and sources without compiling them."""

import ast
import os
import re
import subprocess
import tempfile
from pathlib import Path

import builder
from checks.objects import remarks

REASONS = builder.HERE / "checkpatch-reasons"


def output(source, *command, **more):
    done = subprocess.run(command, cwd=source.path, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace", **more)
    return done.returncode, done.stdout


def reasons(series):
    """{(type, file): why} of checkpatch-reasons, as far as they are for this series."""
    found = {}
    for number, line in enumerate(REASONS.read_text().splitlines(), 1):
        words = line.split(None, 3)
        if words and not line.startswith("#"):
            if len(words) < 4:
                raise builder.BuildError(f"{REASONS}:{number}: a line is SERIES TYPE FILE REASON…")
            if words[0] in ("all", series):
                found[words[1], words[2]] = words[3]
    return found


def unused(allowed, used):
    """Problems: reasons for what was never found."""
    return [f"nothing was found that this is for: {' '.join(x)}" for x in sorted(allowed - used)]


def checkpatch(source, before, stage):
    """[(type, file, line of output)] for the patch, on the tree that it applies to; the file of what
    is said of its message is "-"."""
    source.put(before.files)
    with tempfile.NamedTemporaryFile("w", suffix=".patch") as file:
        file.write(stage.patch)
        file.flush()
        code, said = output(source, "perl", "scripts/checkpatch.pl", "--strict", "--terse",
                            "--showfile", "--show-types", "--no-summary", file.name)
        said = said.replace(file.name, "-")
    found = []
    for line in said.splitlines():
        match = re.match(r"(.*?):(?:\d+:)? (?:ERROR|WARNING|CHECK):([A-Z_0-9]+): ", line)
        if match:
            found.append((match[2], match[1] or "-", line))
        elif line.strip():
            found.append(("UNREADABLE", "-", line))
    if code and not found:
        found.append(("UNREADABLE", "-", f"checkpatch.pl failed with status {code}"))
    return found


def kernel_doc(source, stage, paths):
    """What kernel-doc says of the C files among the paths."""
    source.put(stage.files)
    script = source.path / "scripts/kernel-doc"
    flags = ["-Wall"] if "Wall" in script.read_text() else []
    files = [p for p in sorted(paths) if p.endswith((".c", ".h")) and (source.path / p).is_file()]
    if not files:
        return set()
    _, said = output(source, "perl", str(script), "-none", *flags, *files)
    return remarks(said.splitlines(), source)


def abi(source, stage):
    """What the kernel's own checker says of Documentation/ABI."""
    source.put(stage.files)
    _, said = output(source, "perl", "scripts/get_abi.pl", "validate", "--dir", "Documentation/ABI")
    return {re.sub(r":\d+\b", "", x) for x in said.splitlines() if x.strip()}


SPHINX = """
import os, sys
sys.path.insert(0, os.path.abspath({extensions!r}))
extensions = ["kerneldoc", "automarkup"]
kerneldoc_bin = {script!r}
kerneldoc_srctree = {tree!r}
c_id_attributes = {attributes!r}
master_doc = "index"
"""


def c_attributes(source):
    """The attributes that the kernel's own conf.py lets stand in a prototype."""
    tree = ast.parse((source.path / "Documentation/conf.py").read_text())
    return next(ast.literal_eval(x.value) for x in ast.walk(tree) if isinstance(x, ast.Assign) and
                getattr(x.targets[0], "id", "") == "c_id_attributes")


def sphinx(source, stage, paths):
    """What Sphinx says of the new documents, with the kernel's extensions."""
    source.put(stage.files)
    new = [p for p in sorted(paths) if p.startswith("Documentation/") and p.endswith(".rst") and
           source.base(p) is None and (source.path / p).is_file()]
    problems = []
    for path in new:
        index = (source.path / path).with_name("index.rst")
        if not re.search(rf"^   {re.escape(Path(path).stem)}$", index.read_text(), re.M):
            problems.append(f"{path} is not in the toctree of {index.relative_to(source.path)}")
    if not new:
        return problems
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "conf.py").write_text(SPHINX.format(
            extensions=str(source.path / "Documentation/sphinx"), tree=str(source.path),
            script=str(source.path / "scripts/kernel-doc"), attributes=c_attributes(source)))
        names = "".join(f"   {Path(p).stem}\n" for p in new)
        (folder / "index.rst").write_text(f"Documents\n=========\n\n.. toctree::\n\n{names}")
        for path in new:
            (folder / Path(path).name).write_bytes((source.path / path).read_bytes())
        code, said = output(source, "/usr/bin/python3", "-B", "-m", "sphinx", "-q", "-E", "-b",
                            "dummy", str(folder), str(folder / "out"),
                            env={**os.environ, "srctree": str(source.path), "LC_ALL": "C.UTF-8"})
    said = said.replace(f"{folder}/", "")
    problems += [x for x in said.splitlines() if x.strip()]
    return problems + ([f"sphinx failed with status {code}"] if code and not said else [])
