# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of a recording when its disk is full, when the machine crashes, and when nobody reads
what lastref prints."""

import re
import subprocess

import pytest

import tool
from harness import image
from harness.guest import Guest
from tool import here

kernels = ["stock-6.12"]
UNLOADS = "while :; do modprobe tun; rmmod tun; read -r up _ < /proc/uptime; echo $up; done"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A file system that can be looked at when the guest is gone."""
    file = tmp_path_factory.mktemp("disk") / "image"
    file.touch()
    subprocess.run(["truncate", "-s", "64M", file], check=True)
    subprocess.run([image.program("mkfs.ext4"), "-q", file], check=True)
    return file


@pytest.fixture(scope="module")
def guest(kernel, disk):
    with Guest(kernel, disk=disk) as guest:
        guest.check("modprobe virtio_blk; mount -t ext4 /dev/vda /mnt")
        yield guest


def from_disk(disk, name):
    """A file as it is on the disk; empty when it is not there."""
    return subprocess.run([image.program("debugfs"), "-R", f"cat /{name}", disk],
                          capture_output=True, check=True).stdout


def events(file):
    result = here("trace", "-j", "--replay", file)
    return result, tool.documents(result.stdout)


def test_a_full_disk_ends_it_and_what_was_recorded_is_kept(guest, tmp_path):
    guest.check("mkdir /tmp/small; mount -t tmpfs -o size=128k none /tmp/small")
    recorder = tool.start(guest, "record -o /tmp/small/rec")
    unloads = guest.start(UNLOADS)
    result = recorder.wait(120)
    unloads.signal("TERM")
    assert result.status == tool.FAILED
    assert "cannot write the recording /tmp/small/rec: No space left on device" in result.stderr
    end = int(re.search(r"up to byte (\d+), can be read", result.stderr)[1])
    kept = tmp_path / "kept"
    kept.write_bytes(guest.get("/tmp/small/rec"))
    assert 125_000 < end == kept.stat().st_size <= 131_072
    replay, seen = events(kept)
    assert replay.returncode == tool.FAILED
    assert f"ends at byte {end} without the end of its observation" in replay.stderr
    assert [e["event"] for e in seen].count("freed") > 3
    # The control: on a disk with room it does not end.
    guest.check("mount -o remount,size=4m /tmp/small")
    roomy = tool.start(guest, "record -o /tmp/small/roomy")
    guest.check("modprobe tun; rmmod tun")
    tool.finish(roomy)
    whole = tmp_path / "whole"
    whole.write_bytes(guest.get("/tmp/small/roomy"))
    replay, seen = events(whole)
    assert (replay.returncode, replay.stderr) == (tool.DONE, "")


def test_it_does_not_begin_on_a_full_disk(guest):
    guest.check("mkdir /tmp/full; mount -t tmpfs -o size=4k,nr_inodes=9 none /tmp/full; "
                "head -c 4096 /dev/zero > /tmp/full/zeroes")
    result = tool.lastref(guest, "record -d 1 -o /tmp/full/rec")
    assert result.status == tool.FAILED and "No space left on device" in result.stderr
    assert guest.run("ls /tmp/full").stdout == "zeroes\n"


@pytest.mark.parametrize("stdout", ["> /dev/full", ">&-"])
def test_it_ends_when_nobody_can_read_it(guest, stdout):
    """SIGPIPE ends it elsewhere; where that is ignored, or there is no pipe, it must see for
    itself, and what it opens must not become its standard output."""
    unloads = guest.start(UNLOADS)
    result = tool.lastref(guest, f"trace -j {stdout}", 120)
    unloads.signal("TERM")
    assert result.status == tool.FAILED
    assert "standard output cannot be written" in result.stderr
    recorded = tool.lastref(guest, f"record -q -o /tmp/closed{len(stdout)} -- rmmod nothing {stdout}")
    assert recorded.status == tool.FAILED
    replay = tool.lastref(guest, f"report -j /tmp/closed{len(stdout)}")
    assert (replay.status, replay.stderr) == (tool.REFUSED, "")


def test_a_crash_costs_at_most_the_last_second(guest, disk, tmp_path):
    """QEMU is killed: what the guest had not given to its disk is gone."""
    tool.start(guest, "record -o /mnt/rec")
    unloads = guest.start(UNLOADS)

    def stamps():
        return [float(s) for s in unloads.stdout_so_far.split("\n")[:-1]]

    guest.wait_until(lambda: len(stamps()) > 3 and stamps()[-1] - stamps()[0] > 3, 120, "3 seconds")
    guest.check("echo this is not synced > /mnt/control")
    assert guest.power_off() == []
    crashed = stamps()[-1]
    # As the next boot would: the journal of the file system is replayed.
    assert subprocess.run([image.program("e2fsck"), "-fy", disk], capture_output=True).returncode < 4
    kept = tmp_path / "kept"
    kept.write_bytes(from_disk(disk, "rec"))
    replay, seen = events(kept)
    assert replay.returncode == tool.FAILED
    assert re.search("without the end of its observation|is damaged at byte", replay.stderr)
    freed = [int(e["ts_ns"]) / 1e9 for e in seen if e["event"] == "freed"]
    assert len(freed) > 3
    print(f"a crash has cost {crashed - max(freed):.2f} s; {len(freed)} unloads were kept")
    assert crashed - max(freed) < 1
    # The control: what nobody has synced is lost indeed.
    assert from_disk(disk, "control") == b""
