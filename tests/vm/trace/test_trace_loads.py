# SPDX-License-Identifier: GPL-2.0-only
"""lastref trace tells who has loaded a module, and on whose behalf the kernel asked for it."""

import pytest

import tool
import truth

kernels = "all"
guest_options = {}


@pytest.fixture(scope="module")
def trace(guest):
    """One that sees all of the tests below."""
    job = tool.start(guest, "trace -j")
    yield job
    tool.finish(job)


def load_of(trace, module):
    """The only load of that module, once its unload has returned."""
    tool.wait_document(trace, lambda e: (e["event"], e["module"]) == ("returned", module))
    seen = tool.complete_documents(trace)
    load, = [e for e in seen if (e["event"], e["module"]) == ("module_load", module)]
    return load


def test_a_load_by_a_person(guest, trace):
    shell = guest.check(f"insmod {truth.MODULES}/lr_base.ko; rmmod lr_base; echo $$").strip()
    load = load_of(trace, "lr_base")
    assert load["comm"] == "insmod"
    assert load["parent"] == {"pid": int(shell), "comm": "sh"}
    assert load["detail"] == f"insmod {truth.MODULES}/lr_base.ko"
    assert "wanted_by" not in load


def test_a_request_of_the_kernel(guest, trace):
    """A file system that nobody has: the kernel asks modprobe for it, in vain."""
    mount = guest.run("exec mount -t nosuchfs none /mnt")
    assert mount.status != 0
    trace.wait_for('"alias":"fs-nosuchfs".*\n', "stdout")
    requests = [e for e in tool.complete_documents(trace)
                if e["event"] == "module_request" and e["alias"] == "fs-nosuchfs"]
    assert {(e["comm"], e["module"]) for e in requests} == {("mount", None)}
    assert all(e["call_site"].startswith("get_fs_type+") for e in requests), requests


def test_a_load_that_answers_a_request(guest, kernel, trace):
    """ip asks for a device whose driver is not loaded; the kernel has modprobe load it."""
    if not kernel.name.startswith("stock"):
        pytest.skip(f"{kernel.name} has no modules of its own")
    guest.check("command -v modprobe > /proc/sys/kernel/modprobe")
    guest.check("ip link add lr0 type dummy; ip link del lr0; rmmod dummy")
    load = load_of(trace, "dummy")
    assert (load["comm"], load["alias"]) == ("modprobe", "rtnl-link-dummy")
    assert load["wanted_by"]["comm"] == "ip"
    assert load["parent"]["comm"].startswith("kworker/")
    assert load["detail"].endswith("modprobe -q -- rtnl-link-dummy")
    assert "+0x" in load["call_site"]
