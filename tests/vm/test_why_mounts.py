# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: mounted file systems, and who keeps them from being unmounted."""

import re

import pytest

import why
import why_files

kernels = "all"
guest_options = why_files.OPTIONS

OVERLAY = """set -e; modprobe overlay; mkdir -p /mnt/ovl; mount -t tmpfs none /mnt/ovl; cd /mnt/ovl
             for i in 1 2; do mkdir l$i u$i w$i m$i; done"""
MOUNT = "cd /mnt/ovl; mount -t overlay -o lowerdir=l{0},upperdir=u{0},workdir=w{0} none m{0}"


@pytest.fixture
def overlay(guest):
    """Mounts overlays 1 and 2 below /mnt/ovl."""
    guest.check(OVERLAY)
    why.free(guest, "overlay")
    yield lambda number: guest.check(MOUNT.format(number))
    why.free(guest, "overlay")
    guest.check("umount /mnt/ovl; rmmod overlay")


def test_one_for_each_super_block(guest, overlay):
    overlay(1)
    overlay(2)
    guest.check("mkdir -p '/mnt/a b'; mount --bind /mnt/ovl/m1 '/mnt/a b'")
    doc = why.explained(guest, "overlay", 2)
    first = why.holder(doc, kind="mount", path="/mnt/ovl/m1")
    assert (first["refs"], first["remedy"]) == (1, "umount /mnt/ovl/m1 && umount '/mnt/a b'")
    assert why.holder(doc, kind="mount", path="/mnt/ovl/m2", refs=1)["pins"] == "yes"
    bind = why.holder(doc, kind="mount", path="/mnt/a b")
    assert (bind["refs"], bind["counter"], bind["pins"]) == (0, "none", "no")
    for holder in why.pinning(doc):
        guest.check(holder["remedy"])


def test_a_lazily_unmounted_one(guest, overlay):
    overlay(1)
    user = why_files.shell(guest, "cd /mnt/ovl/m1; mkdir -p dir; cd dir; exec 7> kept")
    guest.check("umount -l /mnt/ovl/m1")
    assert "/mnt/ovl/m1" not in guest.check("cat /proc/mounts")
    doc = why.explained(guest, "overlay", 1)
    mount = why.holder(doc, kind="mount")
    assert (mount["path"], mount["refs"], mount["remedy"]) == (None, 1, f"kill {user.pid}")
    assert "unmounted lazily" in mount["detail"]
    used = why.holder(doc, pid=user.pid)
    assert (used["kind"], used["counter"], used["pins"], used["refs"]) == \
        ("open_file", "none", "no", 0)
    assert (used["path"], used["comm"]) == ("/dir", "sh")
    assert re.search(r"unmounted lazily.*sh\[\d+\] works in /dir there", doc["verdict"])
    user.end()


def test_a_busy_one(guest, overlay):
    overlay(2)
    user = why_files.shell(guest, "exec 7> /mnt/ovl/m2/kept")
    assert guest.run("umount /mnt/ovl/m2").status != 0
    doc = why.explained(guest, "overlay", 1)
    used = why.holder(doc, pid=user.pid)
    assert (used["fd"], used["path"], used["pins"]) == (7, "/mnt/ovl/m2/kept", "no")
    assert why.holder(doc, kind="mount")["remedy"] == f"kill {user.pid} && umount /mnt/ovl/m2"
    user.end()
    guest.check("umount /mnt/ovl/m2")


def test_in_another_mount_namespace(guest, overlay):
    overlay(1)
    inside = why_files.Holding(guest, """exec unshare -m sh -c 'mount --make-rprivate /
                                          echo holding $$; read -r end; exit 0'""")
    guest.check("umount /mnt/ovl/m1")
    doc = why.explained(guest, "overlay", 1)
    mount = why.holder(doc, kind="mount", path="/mnt/ovl/m1")
    assert f"in the mount namespace of sh[{inside.pid}]" in mount["detail"]
    assert mount["remedy"] == f"nsenter -t {inside.pid} -m -p umount /mnt/ovl/m1"
    guest.check(mount["remedy"])
    why.free(guest, "overlay")
    inside.end()


def test_one_that_is_being_set_up(guest, overlay):
    held = why_files.special(guest, "fsopen overlay")
    doc = why.explained(guest, "overlay", 1)
    file = why.holder(doc, kind="open_file", pid=held.pid)
    assert (file["refs"], file["path"]) == (1, "anon_inode:[fscontext]")
    held.end()


def test_a_path_of_great_length(guest, overlay):
    guest.check("""set -e; cd /mnt; for i in $(seq 12); do
                       mkdir $(printf "%060d" $i); cd $(printf "%060d" $i); done
                   mkdir deep; pwd > /tmp/deep""")
    overlay(1)
    guest.check('mount --move /mnt/ovl/m1 "$(cat /tmp/deep)/deep"')
    path = why.holder(why.explained(guest, "overlay", 1), kind="mount")["path"]
    assert path.startswith("…/") and path.endswith("12/deep") and len(path) > 400
    guest.check('umount "$(cat /tmp/deep)/deep"')
