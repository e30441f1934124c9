# SPDX-License-Identifier: GPL-2.0-only
"""Hard references of drivers, file systems and protocols of the distribution. One lastref watches
them all; on these kernels `refs` is about them without being told."""

import pytest

import tool
import truth

kernels = "stock"
guest_options = {}
MODULES = "tun overlay udp_tunnel tcp_bbr"


def refcnt(guest, module):
    return int(truth.sysfs(guest, module, "refcnt"))


def wait_refs(guest, job, module, count):
    """The module in the next document that has so many references, as the kernel itself has."""
    assert refcnt(guest, module) == count
    doc = tool.next_document(
        job, lambda doc: tool.only_module(doc, module)["hard"]["refs"] == count)
    return tool.only_module(doc, module)


def gets(module):
    """The call sites whose references may be outstanding; together they explain all."""
    refs = module["hard"]["refs"]
    assert module["hard"] == {"refs": refs, "explained_min": refs, "explained_max": refs,
                              "unexplained_min": 0, "unexplained_max": 0}
    return {row["call_site"].split("+")[0]: row for row in module["call_sites"]
            if row["kind"] == "get" and row["outstanding_max"] > 0}


def exact_gets(module):
    """The same, where none of them is in doubt."""
    found = gets(module)
    assert all(row["attribution"] == "exact" for row in found.values())
    return found


@pytest.fixture(scope="module")
def job(guest):
    """In the end nothing is outstanding, and all can be unloaded."""
    guest.check(f"for m in {MODULES}; do modprobe $m; done")
    job = tool.start(guest, f"refs -j -i 0.2 {MODULES}")
    yield job
    tool.finish(job)
    guest.check(f"rmmod {MODULES}")


def test_an_open_device(guest, keep, job):
    assert not exact_gets(wait_refs(guest, job, "tun", 0))
    file = keep("open_r /dev/net/tun")
    held = exact_gets(wait_refs(guest, job, "tun", 2))
    assert set(held) == {"misc_open", "sk_prot_alloc"}  # the file, and the socket behind it
    assert any(frame.startswith("tun_chr_open+") for frame in held["sk_prot_alloc"]["stack"])
    file.end()
    assert not exact_gets(wait_refs(guest, job, "tun", 0))


def test_mounts(guest, job):
    assert not exact_gets(wait_refs(guest, job, "overlay", 0))
    guest.check("""set -e
        mkdir -p /tmp/ovl; mount -t tmpfs none /tmp/ovl; cd /tmp/ovl
        for i in 1 2; do mkdir l$i u$i w$i m$i
            mount -t overlay -o lowerdir=l$i,upperdir=u$i,workdir=w$i none m$i; done""")
    module = wait_refs(guest, job, "overlay", 2)
    gets(module)
    # __get_fs_type's, which may be a part of get_fs_type, are given back while it mounts; but a put does
    # not say which it ends.
    for site, truth_held in (("get_fs_type", 0), ("get_filesystem", 2)):
        row = next(row for row in module["call_sites"] if row["kind"] == "get" and
                   row["call_site"].removeprefix("__").startswith(f"{site}+"))
        assert row["outstanding_min"] <= truth_held <= row["outstanding_max"] <= 2
        assert any("mount" in frame for frame in row["stack"])
    guest.check("umount /tmp/ovl/m1 && umount -l /tmp/ovl/m2")
    assert not exact_gets(wait_refs(guest, job, "overlay", 0))
    guest.check("umount /tmp/ovl")


def test_a_module_that_depends_on_it(guest, job):
    assert not exact_gets(wait_refs(guest, job, "udp_tunnel", 0))
    guest.check("modprobe vxlan")
    users = truth.proc_modules(guest, "udp_tunnel")[3]
    held = exact_gets(wait_refs(guest, job, "udp_tunnel", 1))
    assert users == "vxlan,"
    assert sum(row["outstanding_max"] for row in held.values()) == 1
    guest.check("rmmod vxlan")
    assert not exact_gets(wait_refs(guest, job, "udp_tunnel", 0))


def test_a_default_of_the_network(guest, job):
    assert not exact_gets(wait_refs(guest, job, "tcp_bbr", 0))
    default = "/proc/sys/net/ipv4/tcp_congestion_control"
    before = guest.check(f"cat {default}").strip()
    guest.check(f"echo bbr > {default}")
    held = exact_gets(wait_refs(guest, job, "tcp_bbr", 1))
    assert set(held) == {"tcp_set_default_congestion_control"}
    guest.check(f"echo {before} > {default}")
    assert not exact_gets(wait_refs(guest, job, "tcp_bbr", 0))
