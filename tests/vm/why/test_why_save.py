# SPDX-License-Identifier: GPL-2.0-only
"""lastref why --save and --replay: the same answer from a file, without privileges, on any machine."""

import re
import stat

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"programs": ["ip"], "smp": 2}  # a routine that spins leaves a processor to lastref
AS_NOBODY = " ".join(tool.as_nobody())


def replayed(guest, arguments, file):
    """The output in the guest, of somebody who may do nothing there."""
    result = guest.run(f"chmod 644 {file}; exec {AS_NOBODY} lastref why {arguments} --replay {file}")
    return result.status, result.stdout


def saved_and_replayed(guest, tmp_path, module, status=tool.OUTSTANDING):
    """The document that was saved; its replays are the same, as JSON and as text."""
    for arguments in ("-j", "--color always"):
        file = f"/tmp/{module}"
        guest.check(f"rm -f {file}")
        live = tool.lastref(guest, f"why {arguments} {module} --save {file}")
        assert live.status == status, f"{live.stdout}\n{live.stderr}"
        mode = int(guest.check(f"stat -c %f {file}"), 16)
        assert stat.S_IMODE(mode) == 0o600
        assert replayed(guest, arguments, file) == (status, live.stdout)
        here = tmp_path / module
        here.write_bytes(guest.get(file))
        again = tool.here("why", *arguments.split(), "--replay", here)
        assert (again.returncode, again.stdout) == (status, live.stdout), again.stderr
        if arguments == "-j":
            doc = why.document(live, status)
    return doc


def test_a_device(guest, keep, tmp_path):
    guest.check("modprobe tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || ln -s ../tun /dev/net/tun")
    holder = keep("open_r /dev/net/tun")
    guest.check("ip netns add apart; ip netns exec apart ip tuntap add dev tun8 mode tun")
    doc = saved_and_replayed(guest, tmp_path, "tun")
    assert why.holder(doc, kind="open_file", pid=holder.pid)
    assert why.holder(doc, kind="persistent_device", path="tun8")
    assert "ip netns exec apart" in str(doc["next"])
    holder.end()
    guest.check("ip netns exec apart ip tuntap del dev tun8 mode tun; ip netns del apart")
    doc = saved_and_replayed(guest, tmp_path, "tun", tool.DONE)
    assert not doc["holders"]
    guest.check("rmmod tun")


def test_a_mount_that_is_covered(guest, tmp_path):
    guest.check("""set -e; modprobe brd rd_nr=1 rd_size=8192; modprobe -a vfat nls_cp437 nls_ascii
        mkdir -p /mnt/v; mkdosfs /dev/ram0; mount -o iocharset=ascii /dev/ram0 /mnt/v
        mount -t tmpfs cover /mnt/v""")
    doc = saved_and_replayed(guest, tmp_path, "vfat")
    mount = why.holder(doc, kind="mount", path="/mnt/v")
    assert "below tmpfs" in mount["detail"] and not mount["remedy"]
    guest.check("umount /mnt/v; umount /mnt/v; rmmod vfat brd")


def test_an_exit_routine_that_is_stuck(guest, tmp_path):
    """It is looked at twice, and what both looks saw is in the file."""
    truth.insmod(guest, "lr_hang", "in_exit=wait")
    job = guest.start("rmmod lr_hang")
    guest.check("until grep -q going /sys/module/lr_hang/initstate; do usleep 10000; done")
    doc = saved_and_replayed(guest, tmp_path, "lr_hang", tool.EXIT_RUNNING)
    assert doc["exit"]["status"] == "stuck"
    guest.check("echo 1 > /sys/module/lr_hang/parameters/release")
    assert job.wait().status == 0


def test_a_module_that_is_not_loaded(guest, tmp_path):
    doc = saved_and_replayed(guest, tmp_path, "no_such", tool.REFUSED)
    assert not doc["holders"]


def test_without_privileges_it_saves_what_it_says(guest):
    guest.check("modprobe tun")
    live = guest.run(f"exec {AS_NOBODY} lastref why -j tun --save /tmp/blind")
    why.document(live, tool.UNSUPPORTED)
    again = tool.lastref(guest, "why -j --replay /tmp/blind")
    assert (again.status, again.stdout) == (live.status, live.stdout)
    guest.check("rmmod tun")


def test_what_is_there_is_not_overwritten(guest):
    guest.put("/tmp/mine", "mine")
    result = tool.lastref(guest, "why tun --save /tmp/mine")
    assert (result.status, result.stdout) == (tool.FAILED, "")
    assert "cannot make the census /tmp/mine: File exists" in result.stderr
    assert guest.get("/tmp/mine") == b"mine"


@pytest.mark.parametrize("arguments, wanted", [
    ("--replay FILE other", "FILE tells of brd, not of other"),
    ("--replay FILE --save /tmp/x brd", "--save excludes --replay"),
    ("--save /tmp/x", "--save requires MODULE"),
    ("", "why needs the name of a module"),
    ("--replay /tmp/mine", "/tmp/mine is not a census of lastref"),
    ("--replay /tmp", "/tmp is a directory, not a file"),
    ("--replay /tmp/cut", "/tmp/cut is damaged: "),
    ("--replay /tmp/none", "cannot open the census /tmp/none"),
])
def test_how_it_is_not_used(guest, arguments, wanted):
    guest.check("""modprobe brd; echo mine > /tmp/mine; rm -f /tmp/brd
        lastref why brd --save /tmp/brd > /dev/null; head -c 500 /tmp/brd > /tmp/cut""")
    result = tool.lastref(guest, "why " + arguments.replace("FILE", "/tmp/brd"))
    assert result.status in (tool.USAGE, tool.FAILED) and not result.stdout
    assert re.search(wanted.replace("FILE", "/tmp/brd"), result.stderr), result.stderr
    guest.check("rmmod brd")
