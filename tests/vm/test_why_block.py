# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: block devices, and what is built on them."""

import pytest

import truth
import why
import why_files

kernels = "all"
guest_options = why_files.OPTIONS


@pytest.fixture
def module(guest):
    """Loads modules, which must be free then, and free again in the end."""
    loaded = []

    def load(name, parameters=""):
        guest.check(f"modprobe {name} {parameters}")
        loaded.append(name)
        why.free(guest, name)

    yield load
    for name in reversed(loaded):
        why.free(guest, name)
        guest.check(f"rmmod {name}")


@pytest.fixture
def ramdisk(module):
    module("brd", "rd_nr=2 rd_size=8192")


def remainder(doc):
    """Opens of which nobody knows whose they are."""
    return why.holders(doc, kind="block_device")


def test_open_devices(guest, ramdisk):
    user = why_files.shell(guest, "exec 5< /dev/ram0 6> /dev/ram0 7< /dev/ram1")
    doc = why.explained(guest, "brd", 3)
    files = why.holders(doc, kind="open_file", pid=user.pid, refs=1)
    assert sorted((f["fd"], f["path"]) for f in files) == \
        [(5, "/dev/ram0"), (6, "/dev/ram0"), (7, "/dev/ram1")]
    assert not remainder(doc)
    user.end()


def test_a_mapped_device(guest, ramdisk):
    user = why_files.special(guest, "map /dev/ram1")
    doc = why.explained(guest, "brd", 1)
    mapped = why.holder(doc, kind="mapped_file")
    assert (mapped["pid"], mapped["path"], mapped["refs"]) == (user.pid, "/dev/ram1", 1)
    user.end()


def test_a_mounted_device(guest, ramdisk):
    guest.check("modprobe -a vfat nls_cp437 nls_ascii; mkdosfs /dev/ram0; mkdir -p /mnt/v; mount -o iocharset=ascii /dev/ram0 /mnt/v")
    user = why_files.shell(guest, "exec 5< /dev/ram0")
    for name, refs in (("brd", 2), ("vfat", 1)):
        doc = why.explained(guest, name, refs)
        mount = why.holder(doc, kind="mount")
        assert (mount["path"], mount["refs"], mount["remedy"]) == ("/mnt/v", 1, "umount /mnt/v")
        assert mount["detail"] == "vfat on /dev/ram0, mounted on /mnt/v"
        assert not remainder(doc)
    user.end()
    guest.check("umount /mnt/v")
    why.free(guest, "vfat")


def test_swap(guest, kernel, ramdisk):
    guest.check("mkswap /dev/ram0; swapon /dev/ram0")
    opens = 2 if kernel.series == "6.1" else 1
    doc = why.explained(guest, "brd", opens)
    swap = why.holder(doc, kind="swap")
    assert (swap["path"], swap["refs"], swap["remedy"]) == \
        ("/dev/ram0", opens, "swapoff /dev/ram0")
    guest.check(swap["remedy"])


def test_loop(guest, module, ramdisk):
    module("loop")
    guest.check("modprobe -a vfat nls_cp437 nls_ascii; losetup /dev/loop0 /dev/ram0; mkdosfs /dev/loop0; mkdir -p /mnt/v")
    on_ram = why.holder(why.explained(guest, "brd", 1), kind="loop")
    assert (on_ram["path"], on_ram["refs"]) == ("/dev/loop0", 1)
    assert on_ram["detail"] == "loop device loop0, backed by /dev/ram0"
    doc = why.explained(guest, "loop", 1)
    assert why.holder(doc, kind="loop")["remedy"] == "losetup -d /dev/loop0"
    guest.check("mount -t vfat -o iocharset=ascii /dev/loop0 /mnt/v")
    doc = why.explained(guest, "loop", 2)
    assert why.holder(doc, kind="mount")["path"] == "/mnt/v"
    guest.check("umount /mnt/v; losetup -d /dev/loop0")


def test_loop_over_a_file_system(guest, module):
    """It keeps what was unmounted lazily, and no process is to blame."""
    module("loop")
    guest.check("""set -e; modprobe brd rd_nr=1 rd_size=8192; modprobe -a vfat nls_cp437 nls_ascii; mkdosfs /dev/ram0
                   mkdir -p /mnt/v; mount -o iocharset=ascii /dev/ram0 /mnt/v; truncate -s 1M /mnt/v/image
                   losetup /dev/loop1 /mnt/v/image; umount -l /mnt/v""")
    doc = why.explained(guest, "vfat", 1)
    assert "loop1 has its backing file there" in doc["verdict"]
    assert why.holder(doc, kind="mount")["remedy"] == "losetup -d /dev/loop1"
    assert why.holder(doc, kind="loop")["pins"] == "no"
    guest.check("losetup -d /dev/loop1")
    why.free(guest, "vfat")
    guest.check("rmmod brd")


def test_device_mapper(guest, module, ramdisk):
    module("dm_mod")
    held = why_files.special(guest, "mapper /dev/ram0")
    below = why.holder(why.explained(guest, "brd", 1), kind="device_mapper")
    assert (below["path"], below["refs"]) == ("/dev/mapper/held", 1)
    doc = why.explained(guest, "dm_mod", 2)
    assert [h["refs"] for h in why.holders(doc, kind="device_mapper", path="/dev/mapper/held",
                                           remedy="dmsetup remove held")] == [1, 1]
    minor = guest.check("cat /sys/block/dm-0/dev").strip().replace(":", " ")
    user = why_files.shell(guest, f"mknod /tmp/dm0 b {minor}; exec 5< /tmp/dm0")
    doc = why.explained(guest, "dm_mod", 3)
    assert why.holder(doc, kind="open_file", pid=user.pid)["refs"] == 1
    user.end()
    held.end()


def test_scsi(guest, kernel):
    guest.check("""modprobe sd_mod; modprobe scsi_debug dev_size_mb=8 num_parts=1
                   until [ -b /dev/sda1 ]; do usleep 50000; done""")
    guest.check('until [ "$(cat /sys/module/scsi_debug/refcnt)" = 0 ]; do usleep 50000; done')
    user = why_files.shell(guest, "exec 5< /dev/sda 6< /dev/sda1 7< /dev/sda1")
    why.explained(guest, "sd_mod", 3)
    asked = 2 if kernel.series == "6.1" else 3  # of the host: the second of a partition is not
    doc = why.explained(guest, "scsi_debug", asked)
    files = why.holders(doc, kind="open_file", pid=user.pid)
    assert sorted(f["fd"] for f in files) == [5, 6, 7]
    assert sum(f["refs"] for f in files) == asked
    assert int(truth.sysfs(guest, "scsi_debug", "refcnt")) == asked
    user.end()
    why.free(guest, "scsi_debug")
    guest.check("rmmod scsi_debug")


def test_a_terminal(guest, module):
    """Two who have it open: the terminal counts once, each file for itself."""
    module("ttyprintk")
    user = why_files.shell(guest, "exec 5> /dev/ttyprintk 6> /dev/ttyprintk")
    doc = why.explained(guest, "ttyprintk", 3)
    tty = why.holder(doc, kind="tty")
    assert (tty["pid"], tty["path"], tty["refs"]) == (user.pid, "/dev/ttyprintk", 1)
    assert [f["refs"] for f in why.holders(doc, kind="open_file", pid=user.pid)] == [1, 1]
    user.end()
