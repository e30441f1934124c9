# SPDX-License-Identifier: GPL-2.0-only
"""What the compiler and the linker were to put into the program, which runs as root, is in it."""

import re
import subprocess

import pytest

from harness.image import lastref_binary
from harness.paths import REPO

kernels = []


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=True).stdout


def facts(program):
    """What can be seen of a program's protection, as a set of names."""
    found = set()
    head = run("readelf", "-hW", program)
    segments = run("readelf", "-lW", program)
    dynamic = run("readelf", "-dW", program)
    symbols = run("nm", "-C", program)
    found |= {"position independent"} if re.search(r"Type:\s+DYN ", head) else set()
    found |= {"relro"} if "GNU_RELRO" in segments else set()
    found |= {"bind now"} if re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic) else set()
    found |= {"no executable stack"} if re.search(r"GNU_STACK .* RW +0x", segments) else set()
    found |= {"stack protector"} if "__stack_chk_fail" in symbols else set()
    found |= {"fortify"} if re.search(r"__(memcpy|read|snprintf|vfprintf|readlink)_chk", symbols) \
        else set()
    found |= {"assertions"} if "std::__glibcxx_assert_fail" in symbols else set()
    main = run("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", program)
    found |= {"branch tracking"} if "endbr64" in main else set()
    return found


WANTED = {"position independent", "relro", "bind now", "no executable stack", "stack protector",
          "fortify", "assertions", "branch tracking"}


@pytest.mark.parametrize("program", ["lastref", "lastref-static"])
def test_a_program_has_it_all(program):
    if program == "lastref-static":
        subprocess.run([REPO / "scripts" / "build", "static"], check=True, stdin=subprocess.DEVNULL)
    built = lastref_binary().with_name(program)
    assert facts(built) == WANTED
    assert run(built, "--version").startswith("lastref ")


def test_the_one_to_copy_carries_no_debugging_information():
    subprocess.run([REPO / "scripts" / "build", "static"], check=True, stdin=subprocess.DEVNULL)
    with_it = {name for name in ("lastref", "lastref-static")
               if ".debug_info" in run("readelf", "-SW", lastref_binary().with_name(name))}
    assert with_it == {"lastref"}


def test_a_program_without_it_is_noticed(tmp_path):
    """The control."""
    source = tmp_path / "bare.cpp"
    source.write_text("#include <cstdio>\nint main(int n, char **v) { char b[9]; "
                      "std::snprintf(b, n, \"%s\", v[0]); return b[0]; }\n")
    bare = tmp_path / "bare"
    run("g++", "-O2", "-U_FORTIFY_SOURCE", "-no-pie", "-fno-stack-protector", "-fcf-protection=none",
        "-Wl,-z,norelro,-z,lazy,-z,execstack", "-o", bare, source)
    assert facts(bare) == set()
