# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: sockets that processes have open, and what else they hold besides their family."""

import pytest

import truth
import why

kernels = "all"
guest_options = {"programs": ["ip"]}


@pytest.fixture(scope="module", autouse=True)
def loopback(guest):
    guest.check("ip link set lo up")


@pytest.mark.parametrize("module, steps, family", [
    ("tipc", "socket 30 5 0", "AF_TIPC"),
    ("kcm", "socket 41 5 0", "AF_KCM"),
    ("af_key", "socket 15 3 2", "AF_KEY"),
    ("smc", "socket 43 1 0", "AF_SMC"),
    ("rds", "socket 21 5 0", "AF_RDS"),
    ("l2tp_ip", "socket 2 2 115", "L2TP"),
])
def test_a_family(guest, keep, module, steps, family):
    why.need(guest, module)
    holder = keep(steps)
    doc = why.all_explained(guest, module, 2)  # its family or type, and its protocol
    found = why.holder(doc, kind="socket", pid=holder.pid)
    assert (found["refs"], found["fd"], found["comm"]) == (2, 3, "keeper")
    assert found["path"] == guest.check(["readlink", f"/proc/{holder.pid}/fd/3"]).strip()
    assert f"{family} socket" in found["detail"] and f"{family} socket" in doc["verdict"]
    assert doc["next"] == [f"kill {holder.pid}"]
    holder.end()
    why.unload(guest, module)


@pytest.mark.parametrize("module, protocol", [("nfnetlink", 12), ("xfrm_user", 6)])
def test_a_protocol_of_netlink(guest, keep, module, protocol):
    why.need(guest, module)
    holder = keep(f"socket 16 3 {protocol} socket 16 3 {protocol}")
    doc = why.all_explained(guest, module, 2)
    found = why.holders(doc, kind="socket", pid=holder.pid)
    assert sorted(one["fd"] for one in found) == [3, 4]
    assert f"AF_NETLINK socket (protocol {protocol})" in doc["verdict"]
    holder.end()
    why.unload(guest, module)


def test_tun_s_devices_that_persist_and_sockets_in_files(guest, keep):
    """Nobody has the devices open; the one that is gone with its file is none of them."""
    guest.check("modprobe tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || ln -s ../tun /dev/net/tun; "
                "busybox tunctl -t tap0; ip tuntap add dev tun7 mode tun; ip netns add apart; "
                "ip netns exec apart ip tuntap add dev tun8 mode tun")
    holder = keep("open /dev/net/tun")
    doc = why.all_explained(guest, "tun", 5)
    found = why.holder(doc, kind="open_file", pid=holder.pid, path="/dev/net/tun", refs=2)
    assert found["detail"] == "fd 3 on /dev/net/tun (the file and its socket)"
    tap = why.holder(doc, kind="persistent_device", path="tap0")
    tun = why.holder(doc, kind="persistent_device", path="tun7")
    assert (tap["refs"], tap["detail"]) == (1, "a tap device that persists")
    assert (tun["refs"], tun["detail"]) == (1, "a tun device that persists")
    assert "tap0 is a tap device that persists" in doc["verdict"]
    apart = why.holder(doc, kind="persistent_device", path="tun8")
    assert apart["detail"] == "a tun device that persists in net namespace apart"
    for left, device in ((4, tap), (3, tun), (2, apart)):
        guest.check(device["remedy"])
        why.wait_unused(guest, "tun", left)
    guest.check("ip netns del apart")
    holder.end()
    why.unused(guest, "tun")


def test_macvtap_and_its_library(guest, keep):
    """The device is macvtap's, the operations and the socket are tap's."""
    guest.check("modprobe macvtap && modprobe dummy numdummies=0 && "
                "ip link add dummy0 type dummy && ip link set dummy0 up && "
                "ip link add link dummy0 name mt0 type macvtap && ip link set mt0 up")
    device = "/dev/tap" + guest.check("cat /sys/class/net/mt0/ifindex").strip()
    guest.check(f"until [ -e {device} ]; do usleep 10000; done")
    holder = keep(f"open {device}")
    tap = why.all_explained(guest, "tap", 3)  # macvtap depends on it
    assert why.holder(tap, kind="open_file")["refs"] == 2
    macvtap = why.all_explained(guest, "macvtap", 1)
    for doc in (tap, macvtap):
        assert why.holder(doc, kind="open_file", pid=holder.pid)["path"] == device
    holder.end()
    guest.check("ip link del mt0; ip link del dummy0")
    why.unload(guest, "macvtap", "tap", "dummy")


def test_what_transports_vsock(guest, keep):
    """A socket that is not connected has no transport."""
    guest.check("modprobe vsock_loopback")
    holder = keep("vsock_listen 1000 vsock_connect 1000 accept 0")
    doc = why.all_explained(guest, "vsock_loopback", 2)
    assert [one["fd"] for one in why.holders(doc, kind="socket", pid=holder.pid)] == [4, 5]
    assert all("transport" in one["detail"] for one in doc["holders"])
    alone = keep("socket 40 1 0")
    doc = why.all_explained(guest, "vsock", 10)  # four sockets, two modules
    assert len(why.holders(doc, kind="socket", pid=holder.pid, refs=2)) == 3
    found = why.holder(doc, kind="socket", pid=alone.pid)
    assert (found["refs"], found["fd"]) == (2, 3)
    assert "AF_VSOCK socket" in found["detail"] and "AF_VSOCK socket" in doc["verdict"]
    for one in (holder, alone):
        one.end()
    why.wait_unused(guest, "vsock", 2)
    why.unused(guest, "vsock_loopback")


def test_alg(guest, keep):
    """A bound socket holds its type and its family, even if only one accepted from it is open."""
    guest.check("modprobe -a algif_hash crypto-sha1")
    before = int(truth.sysfs(guest, "af_alg", "refcnt"))  # algif_hash depends on it
    holding = [keep(f"alg hash sha1 accept 0{end}") for end in ("", " close 0")]
    pids = [one.pid for one in holding]
    doc = why.all_explained(guest, "algif_hash", 2)
    assert sorted(one["pid"] for one in why.holders(doc, kind="socket", refs=1)) == sorted(pids)
    assert "AF_ALG socket" in doc["verdict"]
    refs = int(truth.sysfs(guest, "af_alg", "refcnt"))
    assert refs > before
    doc = why.all_explained(guest, "af_alg", refs)
    assert {one["pid"] for one in why.holders(doc, kind="socket")} == set(pids)
    for one in holding:
        one.end()
    why.unused(guest, "algif_hash")


def test_upper_layer_protocol_of_a_socket(guest, keep):
    guest.check("modprobe tls")
    holder = keep("listen 5000 connect 5000 accept 0 ulp 1 tls")
    doc = why.all_explained(guest, "tls", 1)
    assert "upper layer protocol" in why.holder(doc, kind="socket", pid=holder.pid)["detail"]
    holder.end()
    why.unload(guest, "tls")
