# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's semantic patches (scripts/coccinelle), run as its scripts/coccicheck does.

Each of the 70 takes a second to start, so one run reads all versions of all files, and what was
found in a file is kept by its contents.
"""

import hashlib
import json
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks.readers import output

INCLUDES = [x for d in ("arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi")
            for x in ("-I", d)]
MAX_LINES = 10000  # some scripts take minutes on a file like kernel/bpf/verifier.c


def semantic_patches(source):
    """[(file, flags)] of those that can report and that this spatch is new enough for."""
    version = output(source, "spatch", "--version")[1].split()[2]
    found = []
    for path in sorted((source.path / "scripts/coccinelle").rglob("*.cocci")):
        text = path.read_text()
        options = re.findall(r"^//\s*Options:(.*)$", text, re.M)
        needs = re.findall(r"^//\s*Requires:\s*(\S+)", text, re.M)
        numbers = [[int(n) for n in re.findall(r"\d+", v)] for v in (version, *needs)]
        if re.search(r"^virtual\b.*\breport\b", text, re.M) and \
                all(numbers[0] >= n for n in numbers[1:]):
            found.append((str(path), options[0].split() if options else []))
    return found


def versions(source, stage, paths):
    """{path: contents} of the C files among the paths, and those that are too long."""
    found = {p: stage.files[p] if p in stage.files else source.base(p)
             for p in sorted(paths) if p.endswith(".c")}
    lines = {p: c.count(b"\n") for p, c in found.items() if c is not None}
    return ({p: found[p] for p in lines if lines[p] <= MAX_LINES},
            [p for p in lines if lines[p] > MAX_LINES])


def coccinelle(source, stages, paths):
    """For each stage, {(file, the text of the line, what is said of it)}."""
    source.put({})
    scripts = semantic_patches(source)
    keys = [{p: key(source, scripts, p, content)
             for p, content in versions(source, stage, paths)[0].items()} for stage in stages]
    pending = {kept: (p, versions(source, stage, paths)[0][p])
               for stage, names in zip(stages, keys) for p, kept in names.items()
               if not kept.exists()}
    if pending:
        for kept, found in read_all(source, scripts, pending).items():
            kept.write_text(json.dumps(sorted(found)))
    return [{tuple(x) for kept in names.values() for x in json.loads(kept.read_text())}
            for names in keys]


def key(source, scripts, path, content):
    digest = hashlib.sha256(Path(__file__).read_bytes() + content)
    digest.update(repr([source.identity(), scripts, path]).encode())
    folder = source.folder / "verdicts"
    folder.mkdir(exist_ok=True)
    return folder / f"{digest.hexdigest()}.json"


def read_all(source, scripts, pending):
    """{key: remarks} for {key: (path, content)}."""
    with tempfile.TemporaryDirectory(dir=source.folder) as folder:
        places = {}  # where a version was put: its key
        for number, (kept, (path, content)) in enumerate(pending.items()):
            place = Path(folder) / str(number) / path
            place.parent.mkdir(parents=True)
            place.write_bytes(content)
            places[str(place)] = kept

        def run(script):
            source.progress.say(f"coccinelle, {len(places)} files: {Path(script[0]).name}")
            return output(source, "spatch", "-D", "report", "--very-quiet", "--no-show-diff",
                          "--cocci-file", script[0], *script[1], *INCLUDES,
                          *places)[1].splitlines()

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            lines = [x for said in pool.map(run, scripts) for x in said if x.strip()]
    found = {kept: set() for kept in pending}
    for line in lines:
        match = re.match(r"(\S+?):(\d+):\d+(?:-\d+)?: (.*)$", line)
        if match and match[1] in places:
            path, content = pending[places[match[1]]]
            text = content.decode(errors="replace").splitlines()[int(match[2]) - 1].strip()
            said = re.sub(r"\bline \d+", "line N", match[3])
            found[places[match[1]]].add((path, text, said))
        else:  # of a header, or of no place at all: not to be told apart, nor to be lost
            for remarks in found.values():
                remarks.add(("", "", re.sub(r"\d+", "N", line.replace(folder, ""))))
    return found
