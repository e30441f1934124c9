# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: what holds a module of the network without a descriptor of any process."""

import pytest

import truth
import why
import why_net

kernels = "all"
guest_options = {"copies": why_net.program(), "programs": ["ip", "tc"]}
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
QDISC = "/proc/sys/net/core/default_qdisc"


@pytest.fixture(scope="module", autouse=True)
def network(guest):
    guest.check("set -e; ip link set lo up; modprobe dummy numdummies=0; modprobe veth; "
                "ip link add dummy0 type dummy; ip link set dummy0 up")


@pytest.fixture
def hold(guest):
    yield from why_net.holders(guest)


@pytest.fixture
def bbr(guest):
    """Makes bbr the default; ends with the default that was before."""
    guest.check("modprobe tcp_bbr")
    before = guest.check(f"cat {CONGESTION}").strip()
    guest.check(f"echo bbr > {CONGESTION}")
    yield "tcp_bbr"
    guest.check(f"echo {before} > {CONGESTION}")
    why_net.unused(guest, "tcp_bbr")


def test_a_default_congestion_control(guest, bbr):
    doc = why_net.all_explained(guest, bbr, 1)
    found = why.holder(doc, kind="sysctl_default", path="net.ipv4.tcp_congestion_control")
    assert "bbr is the default congestion control" in doc["verdict"]
    assert found["remedy"] == "sysctl -w net.ipv4.tcp_congestion_control=cubic"
    guest.check(f"echo cubic > {CONGESTION}")
    why_net.unused(guest, bbr)


def test_a_default_of_another_namespace(guest, bbr):
    """A new one takes over the first one's."""
    guest.check("ip netns add blue")
    doc = why_net.all_explained(guest, bbr, 2)
    blue = why.holder(doc, kind="sysctl_default",
                      detail="net.ipv4.tcp_congestion_control is bbr in net namespace blue")
    assert blue["remedy"].startswith("ip netns exec blue sysctl -w ")
    guest.check("ip netns del blue")
    why_net.wait_unused(guest, bbr, 1)
    why_net.all_explained(guest, bbr, 1)


def test_sockets_not_accepted(guest, bbr, hold):
    holder = hold("listen 5000 connect 5000 connect 5000")
    doc = why_net.all_explained(guest, bbr, 6)
    waiting = [one for one in why.holders(doc, kind="congestion_control") if "pid" not in one]
    assert len(waiting) == 2
    assert all("not accepted yet by who listens at port 5000" in one["detail"] for one in waiting)
    assert len(why.holders(doc, kind="congestion_control", pid=holder.pid)) == 3


def test_a_closed_socket_with_something_to_send(guest, bbr, hold):
    holder = hold("listen 5001 connect 5001 accept 0 fill 1 close 1 close 0")
    doc = why_net.all_explained(guest, bbr, 3)
    closed, = [one for one in why.holders(doc, kind="congestion_control") if "pid" not in one]
    assert "closed by its process, and still has data to send" in closed["detail"]
    assert closed["remedy"].startswith("ss -K ")
    assert why.holder(doc, kind="congestion_control", pid=holder.pid)["fd"] == 5


def test_a_protocol_s_own_socket(guest):
    """SCTP has one of its own in each namespace: nobody can unload it."""
    guest.check("modprobe sctp")
    refs = int(truth.sysfs(guest, "sctp", "refcnt"))
    assert refs > 0 and refs % 2 == 0
    doc = why_net.all_explained(guest, "sctp", refs)
    assert all(one["detail"].startswith("of the kernel's own") for one in doc["holders"])


def test_qdiscs(guest):
    guest.check("""set -e; for m in sch_htb sch_sfq; do modprobe $m; done
        tc qdisc add dev dummy0 root handle 1: htb
        tc class add dev dummy0 parent 1: classid 1:10 htb rate 1mbit
        tc qdisc add dev dummy0 parent 1:10 handle 10: sfq""")
    doc = why_net.all_explained(guest, "sch_htb", 1)
    found = why.holder(doc, kind="qdisc", path="dummy0")
    assert found["detail"] == "qdisc htb 1: on dummy0, root"
    assert "dummy0 has qdisc htb 1:" in doc["verdict"]
    leaf = why.holder(why_net.all_explained(guest, "sch_sfq", 1), kind="qdisc")
    assert leaf["detail"] == "qdisc sfq 10: on dummy0, parent 1:10"
    for remedy, module in ((leaf["remedy"], "sch_sfq"), (found["remedy"], "sch_htb")):
        guest.check(remedy)
        why_net.unused(guest, module)


def test_a_qdisc_of_many_queues_in_another_namespace(guest):
    guest.check("""set -e; modprobe sch_cake; ip netns add blue
        ip link add name many numtxqueues 8 type dummy; ip link set many netns blue
        ip -n blue link set many up; tc -n blue qdisc replace dev many root handle 7: mq
        for i in 1 2 3; do tc -n blue qdisc replace dev many parent 7:$i cake; done""")
    doc = why_net.all_explained(guest, "sch_cake", 3)
    assert len(why.holders(doc, kind="qdisc", path="many")) == 3
    assert all(one["detail"].endswith("in net namespace blue") for one in doc["holders"])
    for step in doc["next"]:
        guest.check(step)
    why_net.unused(guest, "sch_cake")
    guest.check("ip netns del blue")


def test_a_default_qdisc(guest):
    guest.check("modprobe sch_fq")
    before = guest.check(f"cat {QDISC}").strip()
    guest.check(f"echo fq > {QDISC}")
    doc = why_net.all_explained(guest, "sch_fq", 1)
    assert why.holder(doc, kind="sysctl_default")["path"] == "net.core.default_qdisc"
    guest.check(f"echo {before} > {QDISC}")
    why_net.unused(guest, "sch_fq")


def test_filters(guest):
    guest.check("""set -e; for m in sch_prio sch_ingress cls_flower; do modprobe $m; done
        tc qdisc add dev dummy0 root handle 1: prio
        tc qdisc add dev dummy0 clsact
        tc filter add dev dummy0 parent 1: protocol ip pref 9 flower classid 1:1
        tc filter add dev dummy0 ingress protocol ip pref 7 flower classid 1:1
        tc filter add dev dummy0 egress protocol ip chain 5 pref 8 flower classid 1:1""")
    assert why.holder(why_net.all_explained(guest, "sch_ingress", 1),
                      kind="qdisc")["remedy"] == "tc qdisc del dev dummy0 clsact"
    doc = why_net.all_explained(guest, "cls_flower", 3)
    details = sorted(one["detail"] for one in why.holders(doc, kind="filter", path="dummy0"))
    assert details == ["filter flower of chain 0, priority 7 on dummy0 ingress",
                       "filter flower of chain 0, priority 9 on dummy0 parent 1:",
                       "filter flower of chain 5, priority 8 on dummy0 egress"]
    for step in doc["next"]:
        guest.check(step)
    why_net.unused(guest, "cls_flower")
    guest.check("tc qdisc del dev dummy0 clsact; tc qdisc del dev dummy0 root")
    for module in ("sch_prio", "sch_ingress"):
        why_net.unused(guest, module)


def test_a_file_in_flight(guest, hold):
    guest.check("modprobe tun")
    holder = hold("open /dev/net/tun pair pass 1 0 close 0")
    doc = why_net.all_explained(guest, "tun", 2)
    found = why.holder(doc, kind="file_in_flight", pid=holder.pid)
    socket = guest.check(["readlink", f"/proc/{holder.pid}/fd/5"]).strip()
    assert (found["refs"], found["path"]) == (2, "tun") and socket in found["detail"]
    assert "over a unix socket" in doc["verdict"] and f"kill {holder.pid}" in doc["next"]
    holder.end()
    why_net.unused(guest, "tun")


def test_a_file_in_flight_and_open_counts_once(guest, hold):
    guest.check("modprobe tun")
    holder = hold("open /dev/net/tun pair pass 1 0")
    doc = why_net.all_explained(guest, "tun", 2)
    assert why.holder(doc, kind="open_file", pid=holder.pid)["fd"] == 3
    holder.end()
    why_net.unused(guest, "tun")


def test_a_file_registered_with_a_ring(guest, hold):
    guest.check("modprobe tun")
    holder = hold("open /dev/net/tun ring 0 close 0")
    doc = why_net.all_explained(guest, "tun", 2)
    found = why.holder(doc, kind="io_uring_file", pid=holder.pid)
    assert (found["refs"], found["fd"], found["path"]) == (2, 4, "tun")
    assert "registered with an io_uring" in doc["verdict"]
    holder.end()
    why_net.unused(guest, "tun")
