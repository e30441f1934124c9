# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: mounted file systems, and who keeps them from being unmounted."""

import re

import pytest

import why
from holding import Shell

kernels = "all"

OVERLAYS = """set -e; modprobe overlay; mkdir -p /mnt/ovl; mount -t tmpfs none /mnt/ovl; cd /mnt/ovl
              for i in elsewhere lazy busy bound second deep; do
                  mkdir l-$i u-$i w-$i $i
                  mount -t overlay -o lowerdir=l-$i,upperdir=u-$i,workdir=w-$i none $i; done"""
# In the mount namespace of this one the first is mounted, and no other. A shell: umount(8) works in the
# namespace of who calls it.
INSIDE = """exec unshare -m sh -c 'mount --make-rprivate / && cd / &&
            for i in lazy busy bound second deep; do umount /mnt/ovl/$i || exit; done
            echo holding $$; read -r end; exit 0'"""
# What keeps them busy is easily missed. The last one has a layer in the one before.
BUSY = """set -e; cd /mnt/ovl
          for i in thread leaderless mapped lower; do
              mkdir l-$i u-$i w-$i $i
              mount -t overlay -o lowerdir=l-$i,upperdir=u-$i,workdir=w-$i none $i; done
          mkdir u-above w-above above; truncate -s 4096 mapped/file
          mount -t overlay -o lowerdir=lower,upperdir=u-above,workdir=w-above none above"""


class Mounted:
    """Mounts of overlay in all these states at once, and what lastref says of them."""

    def __init__(self, guest, keep):
        guest.check(OVERLAYS)
        self.inside = Shell(guest, INSIDE)
        guest.check("umount /mnt/ovl/elsewhere; mkdir /mnt/ovl/lazy/dir")
        self.lazy = keep("work /mnt/ovl/lazy/dir open_w kept")
        guest.check("umount -l /mnt/ovl/lazy")
        assert "/mnt/ovl/lazy" not in guest.check("cat /proc/mounts")
        self.busy = keep("open_w /mnt/ovl/busy/kept")
        assert guest.run("umount /mnt/ovl/busy").status != 0
        guest.check("mkdir -p '/mnt/a b'; mount --bind /mnt/ovl/bound '/mnt/a b'")
        guest.check("""set -e; cd /mnt; for i in $(seq 12); do
                           mkdir $(printf "%060d" $i); cd $(printf "%060d" $i); done
                       mkdir deep; pwd > /tmp/deep; mount --move /mnt/ovl/deep "$(pwd)/deep" """)
        self.set_up = keep("fsopen overlay")
        guest.check(BUSY)
        self.users = {
            "thread": keep("elsewhere /mnt/ovl/thread"),
            "leaderless": keep("work /mnt/ovl/leaderless leaderless"),
            "mapped": keep("map /mnt/ovl/mapped/file")}
        self.deep = guest.check("cat /tmp/deep").strip() + "/deep"
        self.doc = why.explained(guest, "overlay", 7 + 5)

    def mount(self, **wanted):
        """The only one of which that is true; it takes a reference."""
        return why.holder(self.doc, kind="mount", counter="hard", pins="yes", refs=1, **wanted)


@pytest.fixture(scope="module")
def mounted(guest, keep):
    return Mounted(guest, keep)


def test_one_for_each_super_block(mounted):
    first = mounted.mount(path="/mnt/ovl/bound")
    assert first["remedy"] == "umount /mnt/ovl/bound && umount '/mnt/a b'"
    assert mounted.mount(path="/mnt/ovl/second")["remedy"] == "umount /mnt/ovl/second"
    bind = why.holder(mounted.doc, kind="mount", path="/mnt/a b")
    assert (bind["refs"], bind["counter"], bind["pins"]) == (0, "none", "no")


def test_a_lazily_unmounted_one(mounted):
    mount = mounted.mount(path=None)
    assert mount["remedy"] == f"kill {mounted.lazy.pid}"
    assert "unmounted lazily" in mount["detail"]
    used = why.holder(mounted.doc, pid=mounted.lazy.pid)
    assert (used["kind"], used["counter"], used["pins"], used["refs"]) == \
        ("open_file", "none", "no", 0)
    assert (used["path"], used["comm"]) == ("/dir", "keeper")


def test_a_busy_one(mounted):
    used = why.holder(mounted.doc, pid=mounted.busy.pid)
    assert (used["fd"], used["path"], used["pins"]) == (3, "/mnt/ovl/busy/kept", "no")
    assert mounted.mount(path="/mnt/ovl/busy")["remedy"] == \
        f"kill {mounted.busy.pid} && umount /mnt/ovl/busy"


def test_in_another_mount_namespace(mounted):
    pid = mounted.inside.pid
    mount = mounted.mount(path="/mnt/ovl/elsewhere")
    assert f"in the mount namespace of sh[{pid}]" in mount["detail"]
    assert mount["remedy"] == f"nsenter -t {pid} -m -p umount /mnt/ovl/elsewhere"


def test_one_that_is_being_set_up(mounted):
    file = why.holder(mounted.doc, kind="open_file", pid=mounted.set_up.pid)
    assert (file["refs"], file["path"]) == (1, "anon_inode:[fscontext]")


def test_a_path_of_great_length(mounted):
    assert len(mounted.deep) > 700
    assert mounted.mount(path=mounted.deep)["remedy"] == f"umount {mounted.deep}"


@pytest.mark.parametrize("how, path, words", [
    ("thread", "/mnt/ovl/thread", "works in"), ("leaderless", "/mnt/ovl/leaderless", "works in"),
    ("mapped", "/mnt/ovl/mapped/file", "memory map")])
def test_one_that_is_kept_busy(guest, mounted, how, path, words):
    """By a thread with a directory of its own, a process without its main thread, a map."""
    assert guest.run(f"umount /mnt/ovl/{how}").status != 0
    pid = mounted.users[how].pid
    used = why.holder(mounted.doc, pid=pid)
    assert (used["path"], used["pins"], used["refs"]) == (path, "no", 0)
    assert words in used["detail"]
    assert mounted.mount(path=f"/mnt/ovl/{how}")["remedy"] == \
        f"kill {pid} && umount /mnt/ovl/{how}"


def test_a_layer_of_an_overlay(mounted):
    """It keeps the file system, though not its mount."""
    assert mounted.mount(path="/mnt/ovl/lower")["remedy"] == \
        "umount /mnt/ovl/above && umount /mnt/ovl/lower"


# As mountd(8) tells the kernel, which has asked it.
EXPORT = """set -e; modprobe brd rd_nr=1 rd_size=8192; modprobe -a vfat nls_cp437 nls_ascii
            mkdosfs /dev/ram0; mkdir /mnt/out; mount -o iocharset=ascii /dev/ram0 /mnt/out
            echo nfsd 127.0.0.1 2147483647 all,you > /proc/net/rpc/auth.unix.ip/channel
            echo all,you /mnt/out 2147483647 0 65534 65534 1 > /proc/net/rpc/nfsd.export/channel"""


def test_one_that_nfsd_exports(guest):
    why.need(guest, "nfsd")
    guest.check(EXPORT)
    assert guest.run("umount /mnt/out").status
    doc = why.explained(guest, "vfat", 1)
    assert why.holder(doc, kind="mount", refs=0)["detail"] == \
        "nfsd exports it to all,you: keeps the file system, not the module"
    assert doc["next"] == ["exportfs -u all:/mnt/out && exportfs -u you:/mnt/out && umount /mnt/out"]
    # What exportfs -u does; 6.1 may let go of the file system only a moment later.
    guest.check("for cache in nfsd.fh nfsd.export; do echo 1 > /proc/net/rpc/$cache/flush; done; "
                "until umount /mnt/out; do usleep 100000; done", 30)
    why.free(guest, "vfat")


def test_z_the_remedies_free_the_module(guest, mounted):
    """What is said of each mount is done; nobody is named then. The last test of this guest."""
    mounted.set_up.end()
    for path in ("/mnt/ovl/bound", "/mnt/ovl/second", "/mnt/ovl/elsewhere", "/mnt/ovl/lower",
                 mounted.deep):
        guest.check(mounted.mount(path=path)["remedy"])
    for how, user in mounted.users.items():
        user.end()
        guest.check(f"umount /mnt/ovl/{how}")
    # Only one who works in what was unmounted lazily is left, and is blamed for it; nobody else is.
    mounted.busy.end()
    guest.check("umount /mnt/ovl/busy")
    doc = why.explained(guest, "overlay", 1)
    assert len(why.holders(doc, kind="mount")) == 1
    assert re.search(r"unmounted lazily.*keeper\[\d+\] works in /dir there", doc["verdict"])
    mounted.lazy.end()
    mounted.inside.end()
    why.free(guest, "overlay")
    guest.check("umount /mnt/ovl; rmmod overlay")
