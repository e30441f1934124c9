# SPDX-License-Identifier: GPL-2.0-only
"""Which sources of a kernel a configuration builds: its makefiles are asked, each by itself."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

# Prints what is built in one folder: objects, folders, and what the objects are made of; twice, as a
# part may be made of parts.
ASK = """all: ; @:
include {config}
srctree := {top}
objtree := {top}
src := {top}/{folder}
obj := {folder}
SRCARCH := {architecture}
ARCH := {architecture}
include {file}
all := $(obj-y) $(obj-m) $(lib-y) $(lib-m) $(subdir-y) $(subdir-m) $(core-y) $(drivers-y) $(libs-y)
parts = $($(1:.o=-y)) $($(1:.o=-m)) $($(1:.o=-objs))
$(info built: $(all) $(foreach one,$(all),$(call parts,$(one)) \\
\t$(foreach two,$(call parts,$(one)),$(call parts,$(two)))))
"""
NOT_A_KERNEL = ("arch", "tools", "scripts", "samples", "Documentation")


def merged(configurations):
    """One that has whatever any of these has; as a module, where one has it as a module."""
    values = {}
    for text in configurations:
        for name, value in re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M):
            if values.get(name) != "m":
                values[name] = value
    return "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def _ask(top, folder, architecture, config):
    file = next((one for one in (top / folder / "Kbuild", top / folder / "Makefile") if one.exists()), None)
    if file is None:
        return []
    text = ASK.format(config=config, top=top, folder=folder, architecture=architecture, file=file)
    # Some makefiles run programs that are not there; what they would give is not asked for.
    result = subprocess.run(["make", "-rRsf", "-"], input=text, cwd=top, text=True, stderr=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    line = re.search(r"^built: (.*)$", result.stdout, re.M)
    return line[1].split() if line else []


def built(top, architecture, configuration):
    """Paths of what is, without their endings; the architecture by the name of its folder."""
    found, seen = set(), set(NOT_A_KERNEL)
    folders = [f"arch/{architecture}", *(one.name for one in Path(top).iterdir() if one.is_dir())]
    with tempfile.NamedTemporaryFile("w") as config:
        config.write(configuration)
        config.flush()
        while folders:
            folder = folders.pop()
            if folder in seen:
                continue
            seen.add(folder)
            for word in _ask(Path(top), folder, architecture, config.name):
                path = os.path.normpath(os.path.join(folder, word))
                if word.endswith(".o"):
                    found.add(path[:-2])
                elif word.endswith("/"):
                    folders.append(path)
    return found


def is_built(path, objects):
    """Whether a source is; a header is, if it is for all, or anything beside it is built."""
    stem, ending = os.path.splitext(path)
    if ending == ".c":
        return stem in objects
    folder = os.path.dirname(path)
    return path.startswith("include/") or any(os.path.dirname(one) == folder for one in objects)
