# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: modules that rules of netfilter hold, and actions and filters of traffic control."""

from pathlib import Path

import pytest

import why
import why_net

kernels = "stock"
EXTENSIONS = Path("/usr/lib/x86_64-linux-gnu/xtables")
guest_options = {
    "programs": ["ip", "tc", "nft", "xtables-nft-multi", "xtables-legacy-multi"],
    "copies": {name: EXTENSIONS / name
               for name in ("libxt_conntrack.so", "libxt_standard.so", "libxt_mark.so",
                            "libxt_LOG.so", "libxt_MASQUERADE.so")}}


@pytest.fixture(scope="module", autouse=True)
def tools(guest):
    # The kernel loads what rules need by this program.
    guest.check("""set -e; sysctl -q -w kernel.modprobe=/usr/sbin/modprobe
        ip link set lo up; cd /usr/local/bin
        for name in iptables-legacy ip6tables-legacy; do ln -s xtables-legacy-multi $name; done
        ln -s xtables-nft-multi iptables-nft
        modprobe dummy numdummies=0; ip link add dummy0 type dummy; ip link set dummy0 up""")


def iptables(guest, command, program="iptables-nft"):
    guest.check(f"XTABLES_LIBDIR=/root {program} -w {command}")


def follow(guest, doc):
    """Does what it says under Next."""
    assert doc["next"], why.brief(doc)
    for step in doc["next"]:
        guest.check(f"export XTABLES_LIBDIR=/root; {step}")


def test_rules_of_nft(guest):
    guest.check("""set -e; nft add table inet t
        nft add chain inet t input '{ type filter hook input priority 0; }'
        nft add rule inet t input ct state established accept
        nft add rule inet t input ct state new limit rate 5/second accept""")
    doc = why_net.all_explained(guest, "nft_ct", 2)
    assert all(one["path"] == "table inet t" for one in why.holders(doc, kind="netfilter"))
    assert "of chain input of table inet t uses it" in doc["verdict"]
    follow(guest, why_net.all_explained(guest, "nft_limit", 1))
    why_net.unused(guest, "nft_limit")
    follow(guest, why_net.all_explained(guest, "nft_ct", 1))
    why_net.unused(guest, "nft_ct")
    guest.check("nft delete table inet t")


def test_nf_tables_itself(guest):
    """What is built into it counts, too: comparisons, verdicts, counters."""
    guest.check("""set -e; nft add table ip t; nft add set ip t s '{ type ipv4_addr; counter; }'
        nft add counter ip t c
        nft add chain ip t input '{ type filter hook input priority 0; }'
        nft add rule ip t input ip saddr 10.0.0.1 counter drop""")
    refs = int(guest.check("cat /sys/module/nf_tables/refcnt"))
    doc = why_net.all_explained(guest, "nf_tables", refs)
    kinds = sorted(one["detail"].split()[0] for one in why.holders(doc, path="table ip t"))
    assert kinds == ["counter", "rule", "set"], why.brief(doc)
    guest.check("nft add element ip t s '{ 10.0.0.1 }'")
    doc = why.ask(guest, "nf_tables")
    assert doc["hard"]["unexplained"] == 1, why.brief(doc)
    assert doc["not_examined"][0]["what"] == "the elements of 1 nf_tables set"
    guest.check("nft delete table ip t")
    left = int(guest.check("cat /sys/module/nf_tables/refcnt"))
    assert not why.holders(why.ask(guest, "nf_tables", 3 if left else 0), kind="netfilter")


def test_iptables_over_nf_tables_in_a_namespace(guest):
    """What Debian's iptables and so Docker do."""
    guest.check("ip netns add blue")
    inside = "ip netns exec blue iptables-nft"
    iptables(guest, "-t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE", inside)
    iptables(guest, "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", inside)
    iptables(guest, "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT", inside)
    doc = why_net.all_explained(guest, "nft_chain_nat", 1)
    assert why.holder(doc, kind="netfilter")["detail"] == "chain POSTROUTING in net namespace blue"
    for module, refs in (("xt_conntrack", 2), ("xt_MASQUERADE", 1)):
        doc = why_net.all_explained(guest, module, refs)
        found = why.holders(doc, kind="netfilter")
        assert len(found) == refs
        assert all(one["remedy"].startswith("ip netns exec blue nft delete rule ip ")
                   for one in found)
    # The extensions are in rules whose other half, nft_compat, is held as often.
    compat = int(guest.check("cat /sys/module/nft_compat/refcnt"))
    why_net.all_explained(guest, "nft_compat", compat)
    for module in ("xt_conntrack", "xt_MASQUERADE", "nft_chain_nat"):
        follow(guest, why.ask(guest, module))
        why_net.unused(guest, module)
    guest.check("ip netns del blue")


def test_iptables_legacy(guest):
    program = "iptables-legacy"
    iptables(guest, "-N mine", program)
    iptables(guest, "-A INPUT -m conntrack --ctstate INVALID -j DROP", program)
    iptables(guest, "-A INPUT -j mine", program)
    iptables(guest, "-A INPUT -m conntrack --ctstate NEW -j ACCEPT", program)
    iptables(guest, "-A mine -m mark --mark 1 -m conntrack --ctstate NEW -j ACCEPT", program)
    doc = why_net.all_explained(guest, "xt_conntrack", 3)
    details = sorted(one["detail"] for one in why.holders(doc, kind="netfilter"))
    assert details == ["rule 1 of chain INPUT", "rule 1 of chain mine", "rule 3 of chain INPUT"]
    assert why.holder(why_net.all_explained(guest, "xt_mark", 1),
                      kind="netfilter")["path"] == "table filter of iptables-legacy"
    table = why_net.all_explained(guest, "iptable_filter", 1)
    assert "table filter of iptables-legacy has rules" in table["verdict"]
    follow(guest, doc)
    why_net.unused(guest, "xt_conntrack")
    follow(guest, why_net.all_explained(guest, "iptable_filter", 1))
    why_net.unused(guest, "iptable_filter")


def test_ip6tables_legacy(guest):
    program = "ip6tables-legacy"
    iptables(guest, "-A FORWARD -m mark --mark 2 -j ACCEPT", program)
    doc = why_net.all_explained(guest, "xt_mark", 1)
    assert why.holder(doc, kind="netfilter")["detail"] == "rule 1 of chain FORWARD"
    follow(guest, doc)
    why_net.unused(guest, "xt_mark")


def test_what_a_log_target_holds(guest):
    guest.check("modprobe nf_log_syslog")
    before = int(guest.check("cat /sys/module/nf_log_syslog/refcnt"))
    iptables(guest, "-A OUTPUT -m mark --mark 7 -j LOG", "iptables-legacy")
    guest.check("nft add table inet t; nft add chain inet t c; nft add rule inet t c log")
    doc = why_net.all_explained(guest, "nf_log_syslog", before + 3)
    assert sorted(one["refs"] for one in why.holders(doc, kind="netfilter")) == [1, 2]
    follow(guest, doc)
    why_net.wait_unused(guest, "nf_log_syslog", before)
    guest.check("nft delete table inet t")


def test_an_object_and_a_flowtable(guest):
    guest.check("""set -e; modprobe nf_conntrack_ftp; nft -f - <<'EOF'
table inet t {
    ct helper ftp { type "ftp" protocol tcp; }
    flowtable f { hook ingress priority 0; devices = { dummy0 }; }
}
EOF""")
    doc = why.ask(guest, "nf_conntrack_ftp")
    assert why.holder(doc, kind="netfilter")["detail"] == "ct helper ftp"
    assert doc["hard"]["unexplained"] == 0, why.brief(doc)
    follow(guest, doc)
    why_net.unused(guest, "nf_conntrack_ftp")
    doc = why_net.all_explained(guest, "nf_flow_table_inet", 1)
    assert why.holder(doc, kind="netfilter")["detail"] == "flowtable f"
    follow(guest, doc)
    why_net.unused(guest, "nf_flow_table_inet")
    guest.check("nft delete table inet t")


def test_actions(guest):
    """One reference for each, however many filters use it, and in whatever namespace."""
    guest.check("""set -e; modprobe act_gact; ip netns add blue
        for i in 1 2 70 5000; do tc actions add action drop index $i; done
        tc -n blue actions add action drop index 3""")
    doc = why_net.all_explained(guest, "act_gact", 5)
    found = why.holders(doc, kind="tc_action")
    assert sorted(one["path"] for one in found) == [
        "action gact index 1", "action gact index 2", "action gact index 3",
        "action gact index 5000", "action gact index 70"]
    follow(guest, doc)
    why_net.unused(guest, "act_gact")
    guest.check("ip netns del blue")


def test_an_action_that_filters_use(guest):
    guest.check("""set -e; modprobe act_gact; modprobe cls_matchall; modprobe sch_ingress
        tc actions add action drop index 4; tc qdisc add dev dummy0 clsact
        tc filter add dev dummy0 ingress pref 1 matchall action gact index 4
        tc filter add dev dummy0 egress pref 2 matchall action gact index 4""")
    doc = why_net.all_explained(guest, "act_gact", 1)
    used = why.holder(doc, kind="tc_action")
    assert "used by 2 filters" in used["detail"] and used["remedy"] is None
    follow(guest, why_net.all_explained(guest, "cls_matchall", 2))
    follow(guest, why_net.all_explained(guest, "act_gact", 1))
    why_net.unused(guest, "act_gact")
    guest.check("tc qdisc del dev dummy0 clsact")


@pytest.mark.parametrize("kind, options", [("htb", "htb rate 1mbit"),
                                           ("hfsc", "hfsc ls m2 1mbit")])
def test_filters_of_classes(guest, kind, options):
    guest.check(f"""set -e; modprobe cls_matchall; modprobe sch_{kind}
        tc qdisc add dev dummy0 root handle 1: {kind}
        tc class add dev dummy0 parent 1: classid 1:10 {options}
        tc class add dev dummy0 parent 1:10 classid 1:20 {options}
        tc filter add dev dummy0 parent 1: pref 5 matchall classid 1:10
        tc filter add dev dummy0 parent 1:10 pref 6 matchall classid 1:20""")
    doc = why_net.all_explained(guest, "cls_matchall", 2)
    assert sorted(one["detail"] for one in why.holders(doc, kind="filter")) == [
        "filter matchall of chain 0, priority 5 on dummy0 parent 1:",
        "filter matchall of chain 0, priority 6 on dummy0 parent 1:10"]
    follow(guest, doc)
    why_net.unused(guest, "cls_matchall")
    guest.check("tc qdisc del dev dummy0 root")


@pytest.mark.parametrize("kind, options", [("sfq", ""), ("multiq", ""), ("qfq", ""),
                                           ("ets", "bands 2"), ("cake", ""), ("drr", "")])
def test_filters_of_other_qdiscs(guest, kind, options):
    guest.check(f"""set -e; modprobe cls_matchall; modprobe sch_{kind}
        ! ip link show many > /dev/null 2>&1 || ip link del many
        ip link add name many numtxqueues 4 type dummy; ip link set many up
        tc qdisc add dev many root handle 1: {kind} {options}
        tc filter add dev many parent 1: pref 5 matchall classid 1:1""")
    doc = why_net.all_explained(guest, "cls_matchall", 1)
    assert why.holder(doc, kind="filter")["path"] == "many"
    follow(guest, doc)
    why_net.unused(guest, "cls_matchall")
    guest.check("ip link del many")
