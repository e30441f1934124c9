# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: what holds a module of the network without a descriptor of any process.

Whoever holds the same module holds it at the same time, and lastref is asked once.
"""

from types import SimpleNamespace

import pytest

import truth
import why

kernels = "all"
guest_options = {"programs": ["ip", "tc"],
                 "packages": ["ipvsadm"]}
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
QDISC = "/proc/sys/net/core/default_qdisc"


@pytest.fixture(scope="module", autouse=True)
def network(guest):
    guest.check("set -e; ip link set lo up; modprobe dummy numdummies=0; modprobe veth; "
                "ip link add dummy0 type dummy; ip link set dummy0 up")


@pytest.fixture(scope="module")
def bbr(guest, keep):
    """tcp_bbr, of which sockets have taken references, and two namespaces: it is the default. A new
    one takes over the first one's."""
    guest.check("modprobe tcp_bbr")
    asks = keep("listen 5002 connect 5002 congestion 1 bbr")
    before = guest.check(f"cat {CONGESTION}").strip()
    guest.check(f"echo bbr > {CONGESTION}; ip netns add blue")
    waits = keep("listen 5000 connect 5000 connect 5000")
    closes = keep("listen 5001 connect 5001 accept 0 fill 1 close 1 close 0")
    passes = keep("listen 5003 connect 5003 pair pass 2 0 close 0")
    yield SimpleNamespace(
        asks=asks.pid, waits=waits.pid, closes=closes.pid, passes=passes.pid,
        holders=[asks, waits, closes, passes],
        doc=why.all_explained(guest, "tcp_bbr", 1 + 2 + 5 + 2 + 3))
    guest.check(f"echo {before} > {CONGESTION}")


def test_a_socket_that_asks_for_its_congestion_control(bbr):
    found = why.holder(bbr.doc, kind="congestion_control", pid=bbr.asks)
    assert found["fd"] == 4
    assert "to 127.0.0.1:5002" in found["detail"] and "congestion control" in found["detail"]
    assert "congestion control" in bbr.doc["verdict"]


def test_a_default_of_another_namespace(bbr):
    blue = why.holder(bbr.doc, kind="sysctl_default",
                      detail="net.ipv4.tcp_congestion_control is bbr in net namespace blue")
    assert blue["remedy"].startswith("ip netns exec blue sysctl -w ")


def test_sockets_not_accepted_belong_to_who_listens(bbr):
    waiting = [one for one in why.holders(bbr.doc, kind="congestion_control", pid=bbr.waits)
               if one["detail"].startswith("not accepted yet, waits at fd 3")]
    assert len(waiting) == 2
    assert len(why.holders(bbr.doc, kind="congestion_control", pid=bbr.waits)) == 5


def test_a_socket_not_accepted_where_nobody_can(bbr):
    """The one that listens is in flight: found once, by whoever looks for files in flight."""
    waiting, = [one for one in why.holders(bbr.doc, kind="congestion_control")
                if "not accepted yet by who listens at port 5003" in one["detail"]]
    assert "pid" not in waiting and waiting["remedy"] is None
    assert why.holder(bbr.doc, kind="file_in_flight", pid=bbr.passes)["refs"] == 1
    assert why.holder(bbr.doc, kind="congestion_control", pid=bbr.passes)["fd"] == 4


def test_a_closed_socket_with_something_to_send(bbr):
    closed, = [one for one in why.holders(bbr.doc, kind="congestion_control")
               if "closed by its process, and still has data to send" in one["detail"]]
    assert "pid" not in closed and closed["remedy"].startswith("ss -K ")
    assert why.holder(bbr.doc, kind="congestion_control", pid=bbr.closes)["fd"] == 5


def test_a_default_congestion_control(guest, bbr):
    """It stays when all others of its module have gone, and these are named no more."""
    for holder in bbr.holders:
        holder.end()
    guest.check("ip netns del blue")
    why.wait_unused(guest, "tcp_bbr", 1)
    doc = why.all_explained(guest, "tcp_bbr", 1)
    found = why.holder(doc, kind="sysctl_default", path="net.ipv4.tcp_congestion_control")
    assert "bbr is the default congestion control" in doc["verdict"]
    assert found["remedy"] == "sysctl -w net.ipv4.tcp_congestion_control=cubic"
    guest.check(found["remedy"])
    why.unused(guest, "tcp_bbr")


def test_a_tcp_socket_that_the_kernel_has(guest, keep):
    """It has a file, which is in no table."""
    why.need(guest, "nbd")
    holder = keep("listen 5004 connect 5004 accept 0 congestion 1 bbr nbd 1 /dev/nbd0 close 1")
    found, = why.all_explained(guest, "tcp_bbr", 1)["holders"]
    assert found["kind"] == "congestion_control" and "pid" not in found
    assert found["detail"] == "of the kernel's own; its congestion control"
    assert "to 127.0.0.1:5004" in found["path"]
    holder.end()
    why.unload(guest, "nbd", "tcp_bbr")


@pytest.mark.parametrize("module", ["dccp_ipv4", "dccp_ipv6"])
def test_dccp_s_own_sockets(guest, module):
    why.need(guest, module)
    refs = int(truth.sysfs(guest, module, "refcnt"))
    doc = why.explained(guest, module, refs)
    own = [one for one in doc["holders"] if one["detail"].startswith("of the kernel's own")]
    assert own and not doc["not_examined"], why.brief(doc)


def test_a_protocol_s_own_socket(guest):
    """SCTP has one of its own in each namespace: nobody can unload it."""
    guest.check("modprobe sctp")
    refs = int(truth.sysfs(guest, "sctp", "refcnt"))
    assert refs > 0 and refs % 2 == 0
    doc = why.all_explained(guest, "sctp", refs)
    assert all(one["detail"].startswith("of the kernel's own") for one in doc["holders"])


def test_qdiscs(guest):
    """At a device and at a class, at queues in another namespace, and the default."""
    before = guest.check(f"cat {QDISC}").strip()
    guest.check(f"""set -e; modprobe sch_htb; modprobe sch_fq; ip netns add blue
        ip link add dummy1 type dummy; ip link set dummy1 up
        tc qdisc add dev dummy1 root handle 3: fq
        tc qdisc add dev dummy0 root handle 1: htb
        tc class add dev dummy0 parent 1: classid 1:10 htb rate 1mbit
        tc qdisc add dev dummy0 parent 1:10 handle 10: fq
        ip link add name many numtxqueues 8 type dummy; ip link set many netns blue
        ip -n blue link set many up; tc -n blue qdisc replace dev many root handle 7: mq
        for i in 1 2 3; do tc -n blue qdisc replace dev many parent 7:$i fq; done
        echo fq > {QDISC}""")
    doc = why.all_explained(guest, "sch_fq", 6)
    root = why.holder(doc, kind="qdisc", path="dummy1")
    leaf = why.holder(doc, kind="qdisc", path="dummy0")
    assert root["detail"] == "qdisc fq 3: on dummy1, root"
    assert leaf["detail"] == "qdisc fq 10: on dummy0, parent 1:10"
    queues = why.holders(doc, kind="qdisc", path="many")
    assert len(queues) == 3
    assert all(one["detail"].endswith("in net namespace blue") for one in queues)
    assert why.holder(doc, kind="sysctl_default")["path"] == "net.core.default_qdisc"
    assert " has qdisc fq " in doc["verdict"], why.brief(doc)
    for step in doc["next"]:
        guest.check(step)
    why.unused(guest, "sch_fq")
    guest.check(f"""set -e; tc qdisc del dev dummy0 root; ip netns del blue; ip link del dummy1
        echo {before} > {QDISC}""")
    why.unload(guest, "sch_htb", "sch_fq")


def test_ipvs(guest):
    """Services here and in another namespace, where a sync daemon runs, too."""
    why.need(guest, "ip_vs_pe_sip")
    guest.check("""set -e; modprobe ip_vs_rr; ip netns add blue
        ip -n blue link add dummy2 type dummy; ip -n blue link set dummy2 up
        ipvsadm -A -t 10.0.0.1:80 -s rr; ipvsadm -A -f 7 -6 -s rr
        ip netns exec blue ipvsadm -A -u 10.0.0.2:5060 -s rr -o -p 60 --pe sip
        ip netns exec blue ipvsadm --start-daemon backup --mcast-interface dummy2""")
    itself = why.all_explained(guest, "ip_vs", int(truth.sysfs(guest, "ip_vs", "refcnt")))
    doc = why.all_explained(guest, "ip_vs_rr", 3)
    inside = "ip netns exec blue ipvsadm"
    assert {(one["path"], one["remedy"]) for one in why.holders(doc, kind="ipvs")} == {
        ("TCP 10.0.0.1:80", "ipvsadm -D -t 10.0.0.1:80"), ("FWM 7", "ipvsadm -D -f 7 -6"),
        ("UDP 10.0.0.2:5060", f"{inside} -D -u 10.0.0.2:5060")}
    sip = why.holder(itself, kind="ipvs", path="UDP 10.0.0.2:5060")
    assert sip["detail"] == ("virtual service of IPVS, scheduler rr, persistence engine sip "
                             "in net namespace blue")
    daemon = why.holder(itself, kind="ipvs", path="backup sync daemon")
    assert daemon["remedy"] == f"{inside} --stop-daemon backup"
    assert {one["path"] for one in why.holders(itself, kind="ipvs", remedy=None)} == {"rr", "sip"}
    assert set(doc["next"]) < set(itself["next"]) and daemon["remedy"] in itself["next"]
    for step in [*doc["next"], daemon["remedy"]]:
        guest.check(step)
    why.unload(guest, "ip_vs_rr", "ip_vs_pe_sip", "ip_vs")
    guest.check("ip netns del blue")


def test_xfrm_states(guest):
    why.need(guest, "ah4")
    key = "00" * 32
    how = f"mode transport auth 'hmac(sha256)' 0x{key}"
    guest.check(f"""set -e; sysctl -q -w kernel.modprobe=/usr/sbin/modprobe; modprobe xfrm_user
        ip netns add blue; ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x1001 {how}
        ip -n blue xfrm state add src 10.0.0.3 dst 10.0.0.4 proto ah spi 0x1002 \\
            mark 7 mask 0xff {how}""")
    doc = why.all_explained(guest, "ah4", 2)
    assert {(one["path"], one["remedy"]) for one in why.holders(doc, kind="xfrm", refs=1)} == {
        ("ah spi 0x1001 to 10.0.0.2",
         "ip xfrm state delete src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x1001"),
        ("ah spi 0x1002 to 10.0.0.4", "ip netns exec blue ip xfrm state delete src 10.0.0.3 "
         "dst 10.0.0.4 proto ah spi 0x1002 mark 0x7 mask 0xff")}
    for step in doc["next"]:
        guest.check(step)
    why.unload(guest, "ah4")
    guest.check("ip netns del blue")


def test_queues_of_packets(guest, keep):
    why.need(guest, "nfnetlink_queue")
    guest.check("ip netns add blue")
    here, there = keep("queue 5"), keep("net_namespace blue queue 6")
    doc = why.all_explained(guest, "nfnetlink_queue", 2)
    assert {(one["pid"], one["path"], one["fd"]) for one in why.holders(doc, kind="netlink_queue")} == {
        (here.pid, "queue 5 of nfnetlink_queue", 3), (there.pid, "queue 6 of nfnetlink_queue", 3)}
    kill, = doc["next"]
    guest.check(kill)
    why.unload(guest, "nfnetlink_queue")
    guest.check("ip netns del blue")


def test_filters(guest):
    guest.check("""set -e; for m in sch_prio sch_ingress cls_flower; do modprobe $m; done
        tc qdisc add dev dummy0 root handle 1: prio
        tc qdisc add dev dummy0 clsact
        tc filter add dev dummy0 parent 1: protocol ip pref 9 flower classid 1:1
        tc filter add dev dummy0 ingress protocol ip pref 7 flower classid 1:1
        tc filter add dev dummy0 egress protocol ip chain 5 pref 8 flower classid 1:1
        tc chain add dev dummy0 ingress protocol ip chain 3 flower ip_proto tcp
        ip link add dummy1 type dummy; ip link set dummy1 up
        tc qdisc add dev dummy1 ingress_block 22 clsact
        tc filter add block 22 protocol ip pref 6 flower classid 1:1""")
    clsact = why.holder(why.all_explained(guest, "sch_ingress", 2), kind="qdisc", path="dummy0")
    assert clsact["remedy"] == "tc qdisc del dev dummy0 clsact"
    doc = why.all_explained(guest, "cls_flower", 5)
    details = sorted(one["detail"] for one in why.holders(doc, kind="filter", path="dummy0"))
    assert details == ["filter flower of chain 0, priority 7 on dummy0 ingress",
                       "filter flower of chain 0, priority 9 on dummy0 parent 1:",
                       "filter flower of chain 5, priority 8 on dummy0 egress",
                       "template flower of chain 3 on dummy0 ingress"]
    shared = why.holder(doc, kind="filter", path="dummy1")
    assert shared["detail"] == "filter flower of chain 0, priority 6 on dummy1 ingress"
    assert shared["remedy"] == "tc filter del block 22 chain 0 pref 6"
    for step in doc["next"]:
        guest.check(step)
    why.unused(guest, "cls_flower")
    guest.check(f"{clsact['remedy']}; tc qdisc del dev dummy0 root; ip link del dummy1")
    why.unload(guest, "cls_flower", "sch_prio", "sch_ingress")


def test_files_in_flight_to_many_and_to_who_has_not_accepted(guest, keep):
    guest.check("modprobe tun")
    many = keep(" ".join(f"open /dev/net/tun pair pass {at + 1} {at} close {at}"
                         for at in range(0, 240, 3)))
    listener = keep("unix_listen /tmp/lr_socket unix_connect /tmp/lr_socket open /dev/net/tun "
                    "pass 1 2 close 2")
    doc = why.all_explained(guest, "tun", 2 * 81)
    assert len(why.holders(doc, kind="file_in_flight", pid=many.pid)) == 80
    waits = why.holder(doc, kind="file_in_flight", pid=listener.pid)
    assert waits["detail"].startswith(
        "tun was sent to it and waits at a connection that it has not accepted, at fd 3, socket:[")
    for holder in (many, listener):
        holder.end()
    why.unused(guest, "tun")


@pytest.fixture(scope="module")
def tun(guest, keep):
    """tun, of which three processes have a file without having it open, or not only so."""
    guest.check("modprobe tun")
    flight = keep("open /dev/net/tun pair pass 1 0 close 0")
    both = keep("open /dev/net/tun pair pass 1 0")
    ring = keep("open /dev/net/tun ring 0 close 0")
    doc = why.all_explained(guest, "tun", 6)
    yield SimpleNamespace(flight=flight.pid, both=both.pid, ring=ring.pid, doc=doc)
    for holder in (flight, both, ring):
        holder.end()
    why.unused(guest, "tun")


def test_a_file_in_flight(guest, tun):
    found = why.holder(tun.doc, kind="file_in_flight")
    socket = guest.check(["readlink", f"/proc/{tun.flight}/fd/5"]).strip()
    assert (found["pid"], found["refs"], found["path"]) == (tun.flight, 2, "tun")
    assert socket in found["detail"]
    assert f"[{tun.flight}] was sent tun over a unix socket" in tun.doc["verdict"]


def test_a_file_in_flight_and_open_counts_once(tun):
    found = why.holder(tun.doc, pid=tun.both)
    assert (found["kind"], found["fd"], found["refs"]) == ("open_file", 3, 2)


def test_a_file_registered_with_a_ring(tun):
    found = why.holder(tun.doc, kind="io_uring_file", pid=tun.ring)
    assert (found["refs"], found["fd"], found["path"]) == (2, 4, "tun")
    assert f"[{tun.ring}] has tun registered with an io_uring" in tun.doc["verdict"]


def test_whoever_has_it_without_a_descriptor_must_be_ended(tun):
    kill, = tun.doc["next"]
    assert sorted(kill.split()) == sorted(map(str, ["kill", tun.flight, tun.both, tun.ring]))
