# SPDX-License-Identifier: GPL-2.0-only
"""What lastref why tells people to do ends who holds the module, and nothing else."""

import tool
import truth
import why
from holding import Shell

kernels = ["stock-6.12"]
guest_options = {"load": ["lr_referee"]}
FILE = f"{truth.DEBUGFS}/lr_referee/unloads"
ID = "0123456789abcdef" * 4


def in_cgroup(guest, keep, path):
    """A process in that cgroup, which has a file of lr_referee open."""
    guest.check(f"""mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
        mkdir -p /sys/fs/cgroup{path}""")
    return keep(f"join {path} open_r {FILE}")


def test_a_unit_inside_a_container(guest, keep):
    held = in_cgroup(guest, keep, f"/machine.slice/libpod-{ID}.scope/container/system.slice/ssh.service")
    doc = why.ask(guest, "lr_referee")
    holder = why.holder(doc, pid=held.pid)
    assert (holder["unit"], holder["container"]) == \
        (f"libpod-{ID}.scope", "podman container 0123456789ab")
    assert doc["next"] == ["podman stop 0123456789ab"]
    assert "of which all is stopped" in doc["cautions"][0]
    held.end()


def test_a_unit_with_others_in_it(guest, keep):
    held = in_cgroup(guest, keep, "/system.slice/lr.service")
    assert why.ask(guest, "lr_referee")["next"] == ["systemctl stop lr.service"]
    guest.check("mkdir /sys/fs/cgroup/system.slice/lr.service/delegated")
    assert why.ask(guest, "lr_referee")["next"] == [f"kill {held.pid}"]
    held.end()


SOFTDOG = "softdog soft_margin=600"  # seconds until it resets the machine
OPEN_WATCHDOG = "exec 5> /dev/watchdog0"


def test_a_watchdog_is_never_killed(guest):
    why.need(guest, SOFTDOG)
    # A shell: it says so before it closes it, or the watchdog ends the machine.
    feeder = Shell(guest, f"{OPEN_WATCHDOG}; echo holding $$; read -r end; printf V >&5; "
                          "exec 5>&-; exit 0")
    doc = why.all_explained(guest, "softdog", 3)
    holder = why.holder(doc, kind="open_file", pid=feeder.pid)
    assert holder["remedy"] is None and "Do not kill" in holder["caution"]
    assert [one["detail"] for one in why.holders(doc, kind="watchdog")] == [
        "watchdog0 is open", "watchdog0: its timer runs, and resets the machine unless it is fed"]
    assert doc["next"] == [] and doc["cautions"] == [holder["caution"]]
    feeder.end()
    why.free(guest, "softdog")  # it has stopped the timer
    guest.check("rmmod softdog")


def test_a_watchdog_that_nobody_feeds(guest):
    why.need(guest, SOFTDOG)
    guest.check(f"{OPEN_WATCHDOG}; exec 5>&-")  # without a V
    doc = why.all_explained(guest, "softdog", 2)
    assert {one["remedy"] for one in why.holders(doc, kind="watchdog")} == {"echo V > /dev/watchdog0"}
    assert doc["next"] == ["echo V > /dev/watchdog0"]
    guest.check(doc["next"][0])
    why.unload(guest, "softdog")


def test_a_watchdog_that_nothing_stops(guest):
    why.need(guest, f"{SOFTDOG} nowayout=1 soft_noboot=1")
    guest.check(OPEN_WATCHDOG)  # the shell that this runs in has ended
    doc = why.all_explained(guest, "softdog", 2)
    assert [(one["detail"], one["remedy"]) for one in why.holders(doc, kind="watchdog")] == [
        ("watchdog0 is running, and nobody has it open", None),
        ("watchdog0: its timer runs, and resets the machine unless it is fed", None)]
    assert doc["next"] == [] and len(doc["cautions"]) == 1 and "nowayout" in doc["cautions"][0]


def test_what_is_mounted_over_it(guest):
    why.need(guest, "overlay")
    guest.check("""set -e; mkdir -p /mnt/o; mount -t tmpfs none /mnt/o; cd /mnt/o; mkdir l u w m
                   mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none m""")
    # A shell: mount(8) works in the namespace of who calls it.
    inside = Shell(guest, """exec unshare -m sh -c 'mount --make-rprivate /
        mount -t tmpfs none /mnt/o/m; echo holding $$; read -r end; exit 0'""")
    for cover in ("/mnt/o/m", "/mnt/o"):  # on top, and above
        guest.check(f"mount -t tmpfs none {cover}")
        mount = why.holder(why.ask(guest, "overlay"), kind="mount", refs=1)
        assert mount["remedy"] is None, mount
        assert mount["caution"].startswith("/mnt/o/m does not lead there by now: "), mount
        assert mount["detail"].endswith("(and 1 more mount)")
        guest.check(f"umount {cover}")
    # Of a directory that hangs nothing is known. Nobody answers for this one.
    guest.check("""modprobe fuse; exec 5<> /dev/fuse
        mount -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 none /mnt/o
        (exec sleep 1000) & echo $! > /tmp/keeps""")
    mount = why.holder(why.ask(guest, "overlay"), kind="mount", refs=1)
    assert mount["remedy"] is None and "could not be found out" in mount["caution"]
    guest.check("umount /mnt/o; kill $(cat /tmp/keeps)")
    doc = why.ask(guest, "overlay")
    first, other = why.holders(doc, kind="mount")
    assert (first["remedy"], first["path"]) == (None, "/mnt/o/m")  # one is covered still
    assert "/mnt/o/m does not lead there by now: tmpfs is mounted over it." in doc["cautions"][0]
    assert sorted([first["refs"], other["refs"]]) == [0, 1]
    inside.end()
    doc = why.ask(guest, "overlay")
    assert (doc["next"], doc["cautions"]) == (["umount /mnt/o/m"], [])
    guest.check(doc["next"][0])
    guest.check("umount /mnt/o; rmmod overlay")


def test_modules_go_alone(guest):
    why.need(guest, "br_netfilter")
    guest.check("ip link add br0 type bridge")
    doc = why.ask(guest, "bridge")
    assert (doc["next"], doc["cautions"]) == (["rmmod br_netfilter"], [])
    guest.check(doc["next"][0])
    assert guest.run("test -e /sys/class/net/br0").status == 0
    below = why.ask(guest, "stp")
    assert below["next"] == ["rmmod bridge"]
    assert below["cautions"] == ["With bridge goes its network device br0."]
    guest.check("ip link del br0; rmmod bridge")


def test_commands_are_not_folded(guest):
    told = tool.one_document(guest.run("su nobody -c 'lastref doctor -j'"))["findings"]
    lines = guest.run("su nobody -c 'COLUMNS=80 lastref doctor'").stdout.splitlines()
    remedies = [finding["remedy"] for finding in told if finding["remedy"]]
    assert remedies and not [r for r in remedies if not any(line.endswith(r) for line in lines)]


def test_nobody_is_found_where_nobody_looked(guest, keep):
    file = keep(f"open_r {FILE}")
    text = guest.run("su nobody -c 'lastref why lr_referee'").stdout
    file.end()
    assert "lastref could not look: not root" in text and "found nobody" not in text
