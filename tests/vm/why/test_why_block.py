# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: block devices, and what is built on them; and terminals."""

import pytest

import truth
import why

kernels = "all"
guest_options = {"packages": ["mdadm"],
                 "append": "nvme_core.multipath=0"}  # else a disk of disks takes no reference
N_PPS = 18  # include/uapi/linux/tty.h; the only one that is a module of Debian's cloud kernels


def unused(guest, *modules):
    """The control after the cure: the kernel counts nobody any more, and lets them go."""
    for module in modules:
        assert truth.sysfs(guest, module, "refcnt") == "0", module
        guest.check(f"rmmod {module}")


def remainder(doc):
    """Opens of which nobody knows whose they are."""
    return why.holders(doc, kind="block_device")


class Disks:
    """Of each RAM disk one thing is made, all at once, and every module is asked about once.

    0 and 1 are open, 2 is mapped into memory, 3 is mounted, and open, 4 is swapped to, a loop
    device is on 5, and mounted, a device of the device mapper on 6, and open. On 7 was a file
    system, unmounted lazily, in which another loop device has its backing file, with a third on it.
    """

    def __init__(self, guest, keep):
        self.keep = keep
        guest.check("""set -e; modprobe brd rd_nr=8 rd_size=8192; modprobe loop; modprobe dm_mod
            modprobe -a vfat nls_cp437 nls_ascii""")
        for module in ("brd", "loop", "dm_mod", "vfat"):
            assert truth.sysfs(guest, module, "refcnt") == "0", module
        self.user = keep("open_r /dev/ram0 open_w /dev/ram0 open_r /dev/ram1")
        self.mapping = keep("map /dev/ram2")
        guest.check("""set -e; cd /mnt; mkdir v l u
            mkdosfs /dev/ram3; mount -o iocharset=ascii /dev/ram3 v
            dd if=/dev/zero of=v/swap bs=64k count=16; mkswap v/swap; swapon v/swap
            mkswap /dev/ram4; swapon /dev/ram4
            losetup /dev/loop0 /dev/ram5; mkdosfs /dev/loop0
            mount -t vfat -o iocharset=ascii /dev/loop0 l
            mkdosfs /dev/ram7; mount -o iocharset=ascii /dev/ram7 u; truncate -s 1M u/image
            losetup /dev/loop1 u/image; losetup /dev/loop2 /dev/loop1; umount -l u""")
        self.opener = keep("open_r /dev/ram3")
        keep("linear /dev/ram6")
        guest.check("mknod /tmp/dm0 b $(tr : ' ' < /sys/block/dm-0/dev)")
        self.mapped = keep("open_r /tmp/dm0")
        swaps = 2 if guest.kernel.series == "6.1" else 1
        # The user's, the mapping, the mount and the opener, swap, the loop device, the device
        # mapper, and the file system on 7.
        self.brd = why.explained(guest, "brd", 3 + 1 + 2 + swaps + 1 + 1 + 1)
        self.swaps = swaps
        self.vfat = why.explained(guest, "vfat", 3)
        self.loop = why.explained(guest, "loop", 5)
        self.dm_mod = why.explained(guest, "dm_mod", 3)

    def end(self, guest):
        for process in (self.user, self.mapping, self.opener, self.mapped):
            process.end()
        self.keep("unmap")
        for doc, wanted in ((self.brd, {"kind": "mount", "path": "/mnt/v"}),
                            (self.brd, {"kind": "swap", "pins": "yes"}),
                            (self.loop, {"kind": "mount", "path": "/mnt/l"}),
                            (self.brd, {"kind": "loop", "path": "/dev/loop0"}),
                            (self.vfat, {"kind": "mount", "path": None})):
            guest.check(why.holder(doc, **wanted)["remedy"])


@pytest.fixture(scope="module")
def disks(guest, keep):
    return Disks(guest, keep)


def test_open_devices(disks):
    files = why.holders(disks.brd, kind="open_file", pid=disks.user.pid, refs=1)
    assert sorted((f["fd"], f["path"]) for f in files) == \
        [(3, "/dev/ram0"), (4, "/dev/ram0"), (5, "/dev/ram1")]
    assert not remainder(disks.brd)


def test_a_mapped_device(disks):
    mapped = why.holder(disks.brd, kind="mapped_file")
    assert (mapped["pid"], mapped["path"], mapped["refs"]) == (disks.mapping.pid, "/dev/ram2", 1)


def test_a_mounted_device(disks):
    for doc in (disks.brd, disks.vfat):
        mount = why.holder(doc, kind="mount", path="/mnt/v")
        assert (mount["refs"], mount["remedy"]) == (1, "swapoff /mnt/v/swap && umount /mnt/v")
        swap = why.holder(doc, kind="swap", path="/mnt/v/swap")
        assert (swap["refs"], swap["pins"]) == (0, "no")
        assert mount["detail"] == "vfat on /dev/ram3, mounted on /mnt/v"
        assert not remainder(doc)
    assert why.holder(disks.brd, kind="open_file", pid=disks.opener.pid)["refs"] == 1


def test_swap(disks):
    swap = why.holder(disks.brd, kind="swap", pins="yes")
    assert (swap["path"], swap["refs"], swap["remedy"]) == \
        ("/dev/ram4", disks.swaps, "swapoff /dev/ram4")


def test_loop(disks):
    on_ram = why.holder(disks.brd, kind="loop", path="/dev/loop0")
    assert (on_ram["refs"], on_ram["pins"]) == (1, "yes")
    assert on_ram["detail"] == "loop device loop0, backed by /dev/ram5"
    itself = why.holder(disks.loop, kind="loop", path="/dev/loop0")
    assert (itself["refs"], itself["remedy"]) == (1, "losetup -d /dev/loop0")
    assert why.holder(disks.loop, kind="mount", path="/mnt/l")["refs"] == 1


def test_loop_over_a_file_system(disks):
    """It keeps what was unmounted lazily, and no process is to blame."""
    assert "loop2 is on loop1; loop1 has its backing file there" in disks.vfat["verdict"]
    for doc in (disks.vfat, disks.brd):
        mount = why.holder(doc, kind="mount", path=None)
        assert (mount["refs"], mount["remedy"]) == (1, "losetup -d /dev/loop2 && losetup -d /dev/loop1")
        assert why.holder(doc, kind="loop", path="/dev/loop2")["pins"] == "no"
        assert why.holder(doc, kind="loop", path="/dev/loop1")["pins"] == "no"
    assert why.holder(disks.loop, kind="loop", path="/dev/loop1")["refs"] == 1
    assert [h["refs"] for h in why.holders(disks.loop, kind="loop", path="/dev/loop2")] == [1, 1]


def test_device_mapper(disks):
    below = why.holder(disks.brd, kind="device_mapper")
    assert (below["path"], below["refs"]) == ("/dev/mapper/held", 1)
    assert [h["refs"] for h in why.holders(disks.dm_mod, kind="device_mapper",
                                           path="/dev/mapper/held",
                                           remedy="dmsetup remove held")] == [1, 1]
    assert why.holder(disks.dm_mod, kind="open_file", pid=disks.mapped.pid)["refs"] == 1


def test_when_they_have_ended(guest, disks):
    """The remedies work; nobody is named of the disks, on which all of it was."""
    disks.end(guest)
    why.free(guest, "brd")
    unused(guest, "vfat", "loop", "dm_mod", "brd")


def test_what_sits_on_a_mapped_device_goes_first(guest, keep):
    guest.check("modprobe brd rd_nr=1 rd_size=4096; modprobe -a loop dm_mod")
    keep("linear /dev/ram0")
    guest.check("mknod /tmp/held b $(tr : ' ' < /sys/block/dm-0/dev); losetup /dev/loop3 /tmp/held")
    doc = why.explained(guest, "dm_mod", 3)
    assert doc["next"] == ["losetup -d /dev/loop3", "dmsetup remove held"]
    guest.check(doc["next"][0])
    keep("unmap")
    unused(guest, "loop", "dm_mod", "brd")


def test_a_snapshot(guest, keep):
    """Its target holds the module, and so does the store of what has changed."""
    guest.check("modprobe brd rd_nr=2 rd_size=4096")
    why.need(guest, "dm_snapshot")
    keep("snapshot /dev/ram0 /dev/ram1")
    doc = why.explained(guest, "dm_snapshot", 2)
    snapshot = why.holder(doc, kind="device_mapper")
    assert (snapshot["path"], snapshot["remedy"]) == ("/dev/mapper/held", "dmsetup remove held")
    keep("unmap")
    why.free(guest, "dm_snapshot")
    unused(guest, "dm_snapshot", "brd")


def test_a_cache(guest, keep):
    """Its policy is a module of its own, which uses the cache's, and is held by the same device:
    whoever is sent to ask about it gets an answer."""
    guest.check("modprobe brd rd_nr=3 rd_size=4096")
    why.need(guest, "dm_cache_smq")
    keep("cache /dev/ram0 /dev/ram1 /dev/ram2")
    doc = why.ask(guest, "dm_cache")
    assert (doc["hard"]["unexplained"], doc["next"]) == (
        0, ["dmsetup remove held", "lastref why dm_cache_smq"]), why.brief(doc)
    policy = why.holder(why.explained(guest, "dm_cache_smq", 1), kind="device_mapper")
    assert (policy["path"], policy["remedy"]) == ("/dev/mapper/held", "dmsetup remove held")
    keep("unmap")
    unused(guest, "dm_cache_smq", "dm_cache", "brd")


def test_io_schedulers(guest):
    why.need(guest, "bfq")
    guest.check("""set -e; modprobe null_blk nr_devices=2
        for disk in nullb0 nullb1; do echo bfq > /sys/block/$disk/queue/scheduler; done""")
    doc = why.explained(guest, "bfq", 2)
    assert not doc["not_examined"], why.brief(doc)
    queues = why.holders(doc, kind="io_scheduler", refs=1)
    assert sorted(one["path"] for one in queues) == [
        "/sys/block/nullb0/queue/scheduler", "/sys/block/nullb1/queue/scheduler"]
    assert "nullb0 has the I/O scheduler bfq" in doc["verdict"], why.brief(doc)
    for step in doc["next"]:
        guest.check(step)
    unused(guest, "bfq", "null_blk")


ARRAY = """
    echo md_$1 > /sys/module/md_mod/parameters/new_array; cd /sys/block/md_$1/md; shift
    echo none > metadata_version; echo raid1 > level; echo $# > raid_disks; slot=0
    for disk in $*; do
        cat /sys/block/$disk/dev > new_dev; echo 4096 > dev-$disk/size
        echo $slot > dev-$disk/slot; slot=$((slot + 1))
    done
    echo 4096 > component_size; echo none > resync_start; echo active > array_state"""


def test_arrays(guest):
    """What is mounted on one, or swapped to, goes first."""
    why.need(guest, "raid1")
    # mdadm 4.2 crashes where it has no list of arrays, once it has stopped one.
    guest.check("mkdir -p /run/mdadm; touch /run/mdadm/map")
    guest.check(f"""set -e; modprobe brd rd_nr=3 rd_size=8192; modprobe -a vfat nls_cp437 nls_ascii
        make() {{ {ARRAY}
        }}
        make a ram0 ram1; make b ram2; mkswap /dev/md_b; swapon /dev/md_b
        mkdosfs /dev/md_a; mkdir -p /mnt/a; mount -o iocharset=ascii /dev/md_a /mnt/a""")
    brd = why.explained(guest, "brd", 3)
    assert [one["refs"] for one in why.holders(brd, kind="md", path="/dev/md_a")] == [1, 1]
    doc = why.explained(guest, "raid1", 2)
    assert not doc["not_examined"], why.brief(doc)
    array = why.holder(doc, kind="md", path="/dev/md_b")
    assert array["detail"] == "md array of level raid1"
    for above in why.holder(doc, path="/mnt/a"), why.holder(doc, kind="swap"):
        assert (above["refs"], above["pins"]) == (0, "no")
    assert sorted(doc["next"]) == sorted(brd["next"]) == [
        "swapoff /dev/md_b && mdadm --stop /dev/md_b", "umount /mnt/a && mdadm --stop /dev/md_a"]
    for step in doc["next"]:
        guest.check(step)
    unused(guest, "raid1", "md_mod", "brd", "vfat")


def test_a_character_set(guest):
    """The file system whose names are in it holds it, until a grace period after it is unmounted."""
    guest.check("""set -e; modprobe brd rd_nr=1 rd_size=8192; modprobe -a vfat nls_cp437 nls_ascii
        mkdosfs /dev/ram0; mkdir -p /mnt/c; mount -o iocharset=ascii /dev/ram0 /mnt/c""")
    doc = why.explained(guest, "nls_ascii", 1)
    assert why.holder(doc, kind="mount", path="/mnt/c")["refs"] == 1
    assert doc["next"] == ["umount /mnt/c"]
    guest.check(doc["next"][0])
    guest.check('until [ "$(cat /sys/module/nls_ascii/refcnt)" = 0 ]; do usleep 50000; done')
    unused(guest, "nls_ascii", "nls_cp437", "vfat", "brd")


def test_nvme(guest, keep):
    """Whoever has a disk open holds the driver of its controller; the controller and what is not a
    block device count twice."""
    why.need(guest, "nvme_tcp")
    why.need(guest, "nvmet_tcp")
    guest.check("""set -e; modprobe brd rd_nr=1 rd_size=8192; ifconfig lo up
        modprobe configfs; mount -t configfs none /sys/kernel/config; cd /sys/kernel/config/nvmet
        mkdir subsystems/n subsystems/n/namespaces/1 ports/1; cd subsystems/n
        echo 1 > attr_allow_any_host; echo /dev/ram0 > namespaces/1/device_path
        echo 1 > namespaces/1/enable; cd ../../ports/1; echo ipv4 > addr_adrfam
        echo tcp > addr_trtype; echo 127.0.0.1 > addr_traddr; echo 4420 > addr_trsvcid
        ln -s /sys/kernel/config/nvmet/subsystems/n subsystems/n
        echo transport=tcp,traddr=127.0.0.1,trsvcid=4420,nqn=n > /dev/nvme-fabrics
        until [ -b /dev/nvme0n1 -a -c /dev/ng0n1 ]; do usleep 50000; done
        until [ "$(cat /sys/module/nvme_tcp/refcnt)" = 0 ]; do usleep 50000; done
        mkdosfs /dev/nvme0n1; mkdir -p /mnt/n; modprobe -a vfat nls_cp437 nls_ascii
        mount -o iocharset=ascii /dev/nvme0n1 /mnt/n""")
    user = keep("open_r /dev/nvme0 open_r /dev/nvme0n1 open_r /dev/ng0n1")
    doc = why.explained(guest, "nvme_tcp", 2 + 1 + 2 + 1)
    files = why.holders(doc, kind="open_file", pid=user.pid)
    assert sorted((one["path"], one["refs"]) for one in files) == [
        ("/dev/ng0n1", 2), ("/dev/nvme0", 2), ("/dev/nvme0n1", 1)]
    assert doc["next"] == ["umount /mnt/n", f"kill {user.pid}"] and not remainder(doc)
    guest.check(doc["next"][0])
    user.end()
    guest.check("""set -e; echo 1 > /sys/class/nvme/nvme0/delete_controller
        cd /sys/kernel/config/nvmet; rm ports/1/subsystems/n; rmdir ports/1
        rmdir subsystems/n/namespaces/1 subsystems/n""")
    unused(guest, "nvme_tcp", "nvmet_tcp", "vfat")
    guest.check("rmmod nvmet brd; umount /sys/kernel/config")


def test_scsi(guest, kernel, keep):
    guest.check("""modprobe sd_mod; modprobe scsi_debug dev_size_mb=8 num_parts=1
                   until [ -b /dev/sda1 ]; do usleep 50000; done""")
    guest.check('until [ "$(cat /sys/module/scsi_debug/refcnt)" = 0 ]; do usleep 50000; done')
    user = keep("open_r /dev/sda open_r /dev/sda1 open_r /dev/sda1")
    why.explained(guest, "sd_mod", 3)
    asked = 2 if kernel.series == "6.1" else 3  # of the host: the second of a partition is not
    doc = why.explained(guest, "scsi_debug", asked)
    files = why.holders(doc, kind="open_file", pid=user.pid)
    assert sorted(f["fd"] for f in files) == user.fds
    assert sum(f["refs"] for f in files) == asked
    assert int(truth.sysfs(guest, "scsi_debug", "refcnt")) == asked
    user.end()
    unused(guest, "scsi_debug")


def test_a_generic_device_of_scsi(guest, keep):
    """Each open takes three references on sg, and one on the driver of the host adapter."""
    why.need(guest, "sg")
    guest.check("""modprobe scsi_debug dev_size_mb=8; until [ -c /dev/sg0 ]; do usleep 50000; done
        until [ "$(cat /sys/module/scsi_debug/refcnt)" = 0 ]; do usleep 50000; done""")
    user = keep("open_r /dev/sg0 open_r /dev/sg0")
    opens = why.holders(why.explained(guest, "sg", 6), kind="open_file", pid=user.pid)
    assert [one["refs"] for one in opens] == [3, 3]
    files = why.holders(why.explained(guest, "scsi_debug", 2), kind="open_file", pid=user.pid)
    assert [(f["fd"], f["path"], f["refs"]) for f in files] == [(3, "/dev/sg0", 1), (4, "/dev/sg0", 1)]
    user.end()
    unused(guest, "sg", "scsi_debug")


def test_a_terminal(guest, keep):
    """Two who have it open: the terminal counts once, each file for itself."""
    guest.check("modprobe ttyprintk")
    user = keep("open_w /dev/ttyprintk open_w /dev/ttyprintk")
    doc = why.explained(guest, "ttyprintk", 3)
    tty = why.holder(doc, kind="tty")
    assert (tty["pid"], tty["path"], tty["refs"]) == (user.pid, "/dev/ttyprintk", 1)
    assert [f["refs"] for f in why.holders(doc, kind="open_file", pid=user.pid)] == [1, 1]
    user.end()
    unused(guest, "ttyprintk")


def test_a_line_discipline(guest, keep):
    """The terminal that uses it holds it."""
    guest.check("modprobe pps_ldisc")
    user = keep(f"discipline {N_PPS}")
    doc = why.explained(guest, "pps_ldisc", 1)
    assert not doc["not_examined"], why.brief(doc)
    tty = why.holder(doc, kind="tty")
    assert (tty["pid"], tty["comm"], tty["refs"]) == (user.pid, "keeper", 1)
    assert "line discipline of terminal" in tty["detail"]
    assert f"kill {user.pid}" in doc["next"]
    user.end()
    why.free(guest, "pps_ldisc")
    guest.check("rmmod pps_ldisc")
