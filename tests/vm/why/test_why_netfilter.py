# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: modules that rules of netfilter keep, and actions and filters of traffic control.

All rules and filters are there from the beginning, so that lastref is asked once about a module.
"""

from pathlib import Path

import pytest

import truth
import why

kernels = "stock"
EXTENSIONS = Path("/usr/lib/x86_64-linux-gnu/xtables")
guest_options = {
    "programs": ["ip", "tc", "nft", "xtables-nft-multi", "xtables-legacy-multi"],
    "copies": {name: EXTENSIONS / name
               for name in ("libxt_conntrack.so", "libxt_standard.so", "libxt_mark.so",
                            "libxt_LOG.so", "libxt_MASQUERADE.so", "libxt_set.so")},
    "packages": ["ipset"]}


@pytest.fixture(scope="module", autouse=True)
def tools(guest):
    # The kernel loads what rules need by this program.
    guest.check("""set -e; sysctl -q -w kernel.modprobe=/usr/sbin/modprobe
        ip link set lo up; cd /usr/local/bin
        for name in iptables-legacy ip6tables-legacy; do ln -s xtables-legacy-multi $name; done
        ln -s xtables-nft-multi iptables-nft
        modprobe dummy numdummies=0; ip link add dummy0 type dummy; ip link set dummy0 up
        ip netns add blue""")


def iptables(guest, command, program="iptables-nft"):
    guest.check(f"XTABLES_LIBDIR=/root {program} -w {command}")


def follow(guest, doc):
    """Does what it says under Next."""
    assert doc["next"], why.brief(doc)
    for step in doc["next"]:
        guest.check(f"export XTABLES_LIBDIR=/root; {step}")


@pytest.fixture(scope="module", autouse=True)
def rules(guest, tools):
    """Those of nft, and those that iptables makes in its two ways: over nf_tables, as Debian's and
    so Docker do, here in a namespace, and legacy."""
    guest.check("""set -e; nft add table inet t
        nft add chain inet t input '{ type filter hook input priority 0; }'
        nft add rule inet t input ct state established accept
        nft add rule inet t input limit rate 5/second ct state new accept""")
    inside = "ip netns exec blue iptables-nft"
    iptables(guest, "-t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE", inside)
    iptables(guest, "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", inside)
    iptables(guest, "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT", inside)
    legacy = "iptables-legacy"
    iptables(guest, "-N mine", legacy)
    iptables(guest, "-A INPUT -m conntrack --ctstate INVALID -j DROP", legacy)
    iptables(guest, "-A INPUT -j mine", legacy)
    iptables(guest, "-A INPUT -m conntrack --ctstate NEW -j ACCEPT", legacy)
    iptables(guest, "-A mine -m mark --mark 1 -m conntrack --ctstate NEW -j ACCEPT", legacy)
    iptables(guest, "-A FORWARD -m mark --mark 2 -j ACCEPT", "ip6tables-legacy")


def refs_of(guest, module):
    return int(truth.sysfs(guest, module, "refcnt"))


def test_rules_of_nft(guest):
    """What one expression of a rule holds, wherever it is in it."""
    doc = why.all_explained(guest, "nft_ct", 2)
    assert [(one["kind"], one["path"]) for one in doc["holders"]] == 2 * [("netfilter", "table inet t")]
    assert "of chain input of table inet t uses it" in doc["verdict"]
    assert refs_of(guest, "nft_limit") == 1
    follow(guest, doc)
    why.unload(guest, "nft_ct", "nft_limit")
    guest.check("nft delete table inet t")


def test_nf_tables_itself(guest):
    """What is built into it counts, too: comparisons, verdicts, counters."""
    guest.check("""set -e; nft add table ip t; nft add set ip t s '{ type ipv4_addr; counter; }'
        nft add counter ip t c
        nft add chain ip t input '{ type filter hook input priority 0; }'
        nft add rule ip t input ip saddr 10.0.0.1 counter drop""")
    refs = refs_of(guest, "nf_tables")
    guest.check("nft add element ip t s '{ 10.0.0.1 }'")
    doc = why.ask(guest, "nf_tables")
    assert doc["hard"] == {"refs": refs + 1, "explained": refs, "unexplained": 1}, why.brief(doc)
    kinds = sorted(one["detail"].split()[0] for one in why.holders(doc, path="table ip t"))
    assert kinds == ["counter", "rule", "set"], why.brief(doc)
    limit, = doc["not_examined"]
    assert limit["what"] == "the elements of 1 nf_tables set"
    guest.check("nft delete table ip t")


def test_tables_of_iptables_over_nf_tables(guest):
    doc = why.all_explained(guest, "nft_chain_nat", 1)
    assert why.holder(doc, kind="netfilter")["detail"] == "chain POSTROUTING in net namespace blue"
    target = why.all_explained(guest, "xt_MASQUERADE", 1)
    found = why.holder(target, kind="netfilter")
    assert found["remedy"].startswith("ip netns exec blue nft delete rule ip ")
    # The extensions are in rules whose other half, nft_compat, is held as often.
    why.all_explained(guest, "nft_compat", refs_of(guest, "nft_compat"))
    for held in (target, doc):
        follow(guest, held)
        why.unload(guest, held["module"])


@pytest.fixture(scope="module")
def logs(guest):
    """nf_log_syslog with what a log target holds; another match of xt_mark is in its rule."""
    guest.check("modprobe nf_log_syslog")
    before = refs_of(guest, "nf_log_syslog")
    iptables(guest, "-A OUTPUT -m mark --mark 7 -j LOG", "iptables-legacy")
    guest.check("nft add table inet l; nft add chain inet l c; nft add rule inet l c log")
    return before


def test_extensions_of_iptables(guest, logs):
    """Those of rules of nf_tables and those of legacy ones, of both families."""
    doc = why.all_explained(guest, "xt_conntrack", 5)
    nft = [one for one in why.holders(doc, kind="netfilter")
           if one["detail"].endswith(" in net namespace blue")]
    assert len(nft) == 2
    assert all(one["remedy"].startswith("ip netns exec blue nft delete rule ip ") for one in nft)
    legacy = why.holders(doc, kind="netfilter", path="table filter of iptables-legacy")
    assert sorted(one["detail"] for one in legacy) == [
        "rule 1 of chain INPUT", "rule 1 of chain mine", "rule 3 of chain INPUT"]
    mark = why.all_explained(guest, "xt_mark", 3)
    details = sorted(one["detail"] for one in why.holders(
        mark, kind="netfilter", path="table filter of iptables-legacy"))
    assert details == ["rule 1 of chain OUTPUT", "rule 1 of chain mine"]
    six = why.holder(mark, path="table filter of ip6tables-legacy")
    assert (six["kind"], six["detail"]) == ("netfilter", "rule 1 of chain FORWARD")
    follow(guest, doc)
    why.unload(guest, "xt_conntrack")
    guest.check(f"export XTABLES_LIBDIR=/root; {six['remedy']}")
    why.wait_unused(guest, "xt_mark", 1)  # the one of the log target


def test_what_a_log_target_holds(guest, logs):
    doc = why.all_explained(guest, "nf_log_syslog", logs + 3)
    assert sorted(one["refs"] for one in why.holders(doc, kind="netfilter")) == [1, 2]
    follow(guest, doc)
    why.wait_unused(guest, "nf_log_syslog", logs)
    why.unload(guest, "xt_mark")
    guest.check("nft delete table inet l")


def test_a_legacy_table(guest):
    """It is held by any rule of it; it stays when it has none, and is named no more."""
    doc = why.all_explained(guest, "iptable_filter", 1)
    assert "table filter of iptables-legacy has rules" in doc["verdict"]
    follow(guest, doc)
    why.unused(guest, "iptable_filter")


def test_sets(guest):
    """Those that are used cannot be destroyed before."""
    guest.check("""set -e; modprobe -a ip_set_hash_ip ip_set_list_set
        for name in plain listed used; do ipset create $name hash:ip; done
        ipset create all list:set; ipset add all listed
        ip netns exec blue ipset create inside hash:ip""")
    rule = "INPUT -m set --match-set used src -j ACCEPT"
    iptables(guest, f"-A {rule}", "iptables-legacy")
    doc = why.all_explained(guest, "ip_set_hash_ip", 4)
    assert {one["path"]: one["remedy"] for one in why.holders(doc, kind="ipset")} == {
        "plain": "ipset destroy plain", "listed": "ipset del all listed && ipset destroy listed",
        "used": None, "inside": "ip netns exec blue ipset destroy inside"}
    assert "cannot destroy the set used before" in " ".join(doc["cautions"]), doc["cautions"]
    follow(guest, doc)
    why.wait_unused(guest, "ip_set_hash_ip", 1)
    iptables(guest, f"-D {rule}", "iptables-legacy")
    follow(guest, why.all_explained(guest, "ip_set_hash_ip", 1))
    why.unload(guest, "ip_set_hash_ip")
    guest.check("ipset destroy all; rmmod ip_set_list_set")


def test_an_object_and_a_flowtable(guest):
    guest.check("""set -e; modprobe nf_conntrack_ftp; nft -f - <<'EOF'
table inet t {
    ct helper ftp { type "ftp" protocol tcp; }
    flowtable f { hook ingress priority 0; devices = { dummy0 }; }
}
EOF""")
    ftp = why.ask(guest, "nf_conntrack_ftp")
    assert why.holder(ftp, kind="netfilter")["detail"] == "ct helper ftp"
    assert ftp["hard"]["unexplained"] == 0, why.brief(ftp)
    flow = why.all_explained(guest, "nf_flow_table_inet", 1)
    assert why.holder(flow, kind="netfilter")["detail"] == "flowtable f"
    for doc in (ftp, flow):
        follow(guest, doc)
        why.unload(guest, doc["module"])
    guest.check("nft delete table inet t")


def test_nf_tables_without_rules(guest):
    """Whatever was in them is gone, and named no more."""
    guest.check("nft flush ruleset; ip netns exec blue nft flush ruleset")
    left = refs_of(guest, "nf_tables")
    doc = why.ask(guest, "nf_tables", 3 if left else 0)
    assert not why.holders(doc, kind="netfilter") and not doc["not_examined"], why.brief(doc)


# Where a qdisc has filters depends on what it is. Those with classes have one of a class, too.
CLASSFUL = {"htb": "rate 1mbit", "hfsc": "ls m2 1mbit"}
OTHERS = {"sfq": "", "multiq": "", "qfq": "", "ets": "bands 2", "cake": "", "drr": ""}


def filtered(kind):
    """Begins a script: a device with such a qdisc, whose options may follow."""
    return f"""set -e; modprobe sch_{kind}
        ip link add name {kind}0 numtxqueues 4 type dummy; ip link set {kind}0 up
        tc qdisc add dev {kind}0 root handle 1: {kind}"""


@pytest.fixture(scope="module")
def filters(guest):
    """Filters of qdiscs of all kinds, each on a device of its own, and the document of who holds
    cls_matchall; two of them use an action."""
    guest.check("""set -e; modprobe -a act_gact cls_matchall sch_ingress
        tc actions add action drop index 4; tc qdisc add dev dummy0 clsact
        tc filter add dev dummy0 ingress pref 1 matchall action gact index 4
        tc filter add dev dummy0 egress pref 2 matchall action gact index 4""")
    for kind, options in OTHERS.items():
        guest.check(f"""{filtered(kind)} {options}
            tc filter add dev {kind}0 parent 1: pref 5 matchall classid 1:1""")
    for kind, options in CLASSFUL.items():
        guest.check(f"""{filtered(kind)}
            tc class add dev {kind}0 parent 1: classid 1:10 {kind} {options}
            tc class add dev {kind}0 parent 1:10 classid 1:20 {kind} {options}
            tc filter add dev {kind}0 parent 1: pref 5 matchall classid 1:10
            tc filter add dev {kind}0 parent 1:10 pref 6 matchall classid 1:20""")
    return why.all_explained(guest, "cls_matchall", 2 + 2 * len(CLASSFUL) + len(OTHERS))


def test_filters_of_clsact(filters):
    assert {one["detail"] for one in why.holders(filters, kind="filter", path="dummy0")} == {
        "filter matchall of chain 0, priority 1 on dummy0 ingress",
        "filter matchall of chain 0, priority 2 on dummy0 egress"}


@pytest.mark.parametrize("kind", CLASSFUL)
def test_filters_of_classes(filters, kind):
    found = why.holders(filters, kind="filter", path=f"{kind}0")
    assert sorted(one["detail"] for one in found) == [
        f"filter matchall of chain 0, priority 5 on {kind}0 parent 1:",
        f"filter matchall of chain 0, priority 6 on {kind}0 parent 1:10"]


@pytest.mark.parametrize("kind", OTHERS)
def test_filters_of_other_qdiscs(filters, kind):
    assert why.holder(filters, kind="filter", path=f"{kind}0")["refs"] == 1


def test_actions(guest, filters):
    """One reference for each, however many filters use it, and in whatever namespace."""
    guest.check("""set -e
        for i in 1 2 70 5000; do tc actions add action drop index $i; done
        tc -n blue actions add action drop index 3""")
    doc = why.all_explained(guest, "act_gact", 6)
    found = why.holders(doc, kind="tc_action")
    assert sorted(one["path"] for one in found) == [
        f"action gact index {number}" for number in (1, 2, 3, 4, 5000, 70)]
    used = why.holder(doc, path="action gact index 4")
    assert "used by 2 filters" in used["detail"] and used["remedy"] is None
    follow(guest, doc)
    why.wait_unused(guest, "act_gact", 1)
    follow(guest, filters)
    why.unused(guest, "cls_matchall")
    # Of the one that had filters, which are gone.
    follow(guest, why.all_explained(guest, "act_gact", 1))
    why.unused(guest, "act_gact")
