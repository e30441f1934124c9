# SPDX-License-Identifier: GPL-2.0-only
"""lastref why --core: the memory of a machine that is gone says the same as lastref did on it."""

import subprocess

import pytest

import tool
import why
from harness import core

kernels = "stock"
guest_options = {"dumps": True, "mem": "512M"}


@pytest.fixture(scope="module")
def crashed(guest, keep, tmp_path_factory):
    """(the core, {module: what lastref said when the machine was alive})."""
    guest.check("""set -e; modprobe -a qemu_fw_cfg cuse loop veth bridge vfat nls_cp437 nls_ascii
        until [ -e /dev/cuse ]; do usleep 10000; done
        truncate -s 8M /tmp/image; mkdosfs /tmp/image; losetup /dev/loop0 /tmp/image
        mkdir -p /mnt/v; mount -o iocharset=ascii /dev/loop0 /mnt/v""")
    keep("open /dev/cuse share 2")
    alive = {module: why.ask(guest, module) for module in ("cuse", "loop", "vfat", "stp")}
    file = tmp_path_factory.mktemp("core") / "vmcore"
    core.dump(guest.monitor, file)
    core.dump(guest.monitor, file.with_suffix(".flat"), "kdump-zlib")
    yield file, alive
    for one in file.parent.iterdir():
        one.unlink()


def ask(file, module, *more):
    """The document of the core."""
    result = tool.here("why", "-j", module, "--core", file, *more)
    return why.document(result, tool.OUTSTANDING)


def holders(doc):
    return [{name: holder.get(name) for name in
             ("kind", "refs", "pid", "comm", "fd", "path", "shared_by", "pins", "counter")}
            for holder in doc["holders"]]


@pytest.mark.parametrize("module", ["cuse", "loop", "vfat", "stp"])
def test_the_holders_are_those_of_the_living_machine(crashed, module):
    file, alive = crashed
    doc = ask(file, module)
    assert holders(doc) == holders(alive[module])
    for name in ("hard", "state", "kernel", "module"):
        assert doc[name] == alive[module][name]
    assert doc["hard"]["unexplained"] == 0


def test_nothing_can_be_done_any_more(crashed):
    doc = ask(crashed[0], "cuse")
    assert doc["ts_ns"] is None and doc["next"] == [] and not [h for h in doc["holders"] if h["remedy"]]


def test_what_a_core_does_not_tell_is_said(crashed):
    doc = ask(crashed[0], "cuse")
    assert {"what": "tasks that run in the module",
            "why": "of a core their stacks are not read: crash shows them (foreach bt)"
            } in doc["not_examined"]


def test_a_census_of_a_core(crashed, tmp_path):
    """Half a gigabyte becomes what can be sent."""
    saved = tmp_path / "census"
    doc = ask(crashed[0], "cuse", "--save", saved)
    assert saved.stat().st_size < 1 << 20
    again = tool.here("why", "-j", "--replay", saved)
    assert why.document(again, tool.OUTSTANDING) == doc


def test_a_compressed_core(crashed):
    """As makedumpfile leaves it. QEMU writes the form that goes through a pipe, which is told."""
    flat = crashed[0].with_suffix(".flat")
    refused = tool.here("why", "cuse", "--core", flat)
    assert refused.returncode == tool.FAILED and "makedumpfile -R" in refused.stderr
    compressed = crashed[0].with_suffix(".kdump")
    with flat.open("rb") as file:
        subprocess.run(["makedumpfile", "-R", compressed], stdin=file, check=True,
                       stdout=subprocess.DEVNULL)
    for module in crashed[1]:
        assert ask(compressed, module) == ask(crashed[0], module)


def test_a_module_that_was_not_loaded(crashed):
    result = tool.here("why", "brigde", "--core", crashed[0])
    assert result.returncode == tool.REFUSED
    assert "brigde is not loaded" in result.stdout and "bridge" in result.stdout


def test_half_a_core(crashed, tmp_path):
    """Nobody is blamed for what is not there."""
    cut = tmp_path / "cut"
    with crashed[0].open("rb") as whole, cut.open("wb") as part:
        part.write(whole.read(100 << 20))
    result = tool.here("why", "cuse", "--core", cut)
    assert result.returncode == tool.FAILED
    assert "the kernel's table of symbols" in result.stderr and "whole" in result.stderr


def test_what_is_no_core(tmp_path):
    file = tmp_path / "notes"
    file.write_text("no core\n" * 1000)
    result = tool.here("why", "cuse", "--core", file)
    assert result.returncode == tool.FAILED
    assert "cannot read " in result.stderr and "give it a vmcore" in result.stderr


def test_the_static_program_says_that_it_cannot(guest):
    result = tool.lastref(guest, "why cuse --core /proc/kcore")
    assert result.status == tool.UNSUPPORTED
    assert "built without libkdumpfile" in result.stderr
