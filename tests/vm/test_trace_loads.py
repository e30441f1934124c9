# SPDX-License-Identifier: GPL-2.0-only
"""lastref trace tells who has loaded a module, and on whose behalf the kernel asked for it."""

import tool
import truth

kernels = "all"
guest_options = {}


def only(events, kind):
    found = [e for e in events if e["event"] == kind]
    assert len(found) == 1, events
    return found[0]


def test_a_load_by_a_person(guest):
    trace = tool.start(guest, "trace -j lr_base")
    shell = guest.check(f"insmod {truth.MODULES}/lr_base.ko; rmmod lr_base; echo $$").strip()
    trace.wait_for('"event":"returned"', "stdout")
    load = only(tool.documents(tool.finish(trace).stdout), "module_load")
    assert (load["module"], load["comm"]) == ("lr_base", "insmod")
    assert load["parent"] == {"pid": int(shell), "comm": "sh"}
    assert load["detail"] == f"insmod {truth.MODULES}/lr_base.ko"
    assert "wanted_by" not in load


def test_a_request_of_the_kernel(guest):
    """A file system that nobody has: the kernel asks modprobe for it, in vain."""
    trace = tool.start(guest, "trace -j")
    mount = guest.run("exec mount -t nosuchfs none /mnt")
    assert mount.status != 0
    trace.wait_for('"alias":"fs-nosuchfs"', "stdout")
    requests = [e for e in tool.documents(tool.finish(trace).stdout)
                if e["event"] == "module_request" and e["alias"] == "fs-nosuchfs"]
    assert {(e["comm"], e["module"]) for e in requests} == {("mount", None)}
    assert all(e["call_site"].startswith("get_fs_type+") for e in requests), requests


def test_a_load_that_answers_a_request(guest, kernel):
    """ip asks for a device whose driver is not loaded; the kernel has modprobe load it."""
    if not kernel.name.startswith("stock"):
        return  # the patched kernels have no modules of their own
    guest.check("command -v modprobe > /proc/sys/kernel/modprobe")
    trace = tool.start(guest, "trace -j dummy")
    guest.check("ip link add lr0 type dummy; ip link del lr0; rmmod dummy")
    trace.wait_for('"event":"returned"', "stdout")
    load = only(tool.documents(tool.finish(trace).stdout), "module_load")
    assert (load["module"], load["comm"], load["alias"]) == ("dummy", "modprobe", "rtnl-link-dummy")
    assert load["wanted_by"]["comm"] == "ip"
    assert load["parent"]["comm"].startswith("kworker/")
    assert load["detail"].endswith("modprobe -q -- rtnl-link-dummy")
    assert "+0x" in load["call_site"]
