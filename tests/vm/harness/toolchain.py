# SPDX-License-Identifier: GPL-2.0-only
"""Lets this machine build modules for a kernel of a later suite of Debian, whose tools are linked
against later libraries, and whose flags are those of a later compiler."""

import re

from . import debian

# What the tools of linux-kbuild are linked with.
LIBRARIES = ["libc6", "libelf1t64", "zlib1g", "libzstd1", "libssl3t64"]
COMPILER = """#!/bin/bash
# gcc 13 and older know no smallest alignment of functions: kernels ask them for this one instead.
exec gcc "${@/#-fmin-function-alignment=/-falign-functions=}"
"""
TOOL = """#!/bin/sh
exec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries} --argv0 "$0" {tool} "$@"
"""


def _script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def adapt(target, home, options):
    """Changes an unpacked kernel that will lie at `home`; does nothing to one without headers."""
    tools = [tool for tool in (target / "usr" / "lib").glob("linux-kbuild-*/**/*")
             if tool.is_file() and not tool.is_symlink() and tool.read_bytes()[:4] == b"\x7fELF"]
    if not tools:
        return
    debian.unpack(LIBRARIES, target / "libraries", options)
    for tool in tools:
        real = tool.rename(tool.with_name(tool.name + ".elf"))
        _script(tool, TOOL.format(libraries=home / "libraries/usr/lib/x86_64-linux-gnu",
                                  tool=home / real.relative_to(target)))
    _script(target / "gcc", COMPILER)
    for variables in (target / "usr" / "src").glob("linux-headers-*/.kernelvariables"):
        variables.write_text(re.sub(r"(?m)^CC = .*$", f"CC = {home}/gcc", variables.read_text()))
