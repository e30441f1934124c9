# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on a machine on which nothing is held but by other modules: it names nobody else, and
leaves everything as it was."""

import pytest

import tool
import truth
import why
from holding import Keeper

kernels = "stock"
guest_options = {"programs": ["bpftool"]}
MODULES = """
    tun uhid cuse loop brd zram nbd null_blk cpuid msr nvram vhost_net
    veth dummy bridge vxlan macvlan ipvlan bonding team vrf 8021q ip_gre sit ipip
    sch_cake sch_fq sch_htb cls_u32 act_mirred tcp_bbr tcp_htcp tcp_dctcp
    sctp vsock vsock_loopback tls af_alg algif_hash algif_skcipher
    overlay squashfs isofs vfat nls_utf8 dm-mod dm-crypt dm-snapshot raid1
    nf_tables ip_tables iptable_filter xt_conntrack nf_conntrack_netlink
    """.split()
ATTACHED = "for kind in prog link map; do bpftool $kind show | grep -o '^[0-9]*: [^ ]*' || true; done"


@pytest.fixture(scope="module")
def idle(guest):
    # One at a time: this kernel may lack one.
    guest.check(f"for m in {' '.join(MODULES)}; do modprobe $m || echo none: $m; done", 300)
    return guest


def state(guest):
    """What watching must not change: references, modules, BPF objects, processes."""
    processes = guest.check("for p in /proc/[0-9]*; do readlink $p/exe > /dev/null && "
                            "cat $p/comm; done 2> /dev/null; true").split()
    return (truth.module_list(guest), guest.check(ATTACHED),
            sorted(name for name in processes if name not in ("sh", "cat", "bash")))


def users(words):
    """The modules that a line of /proc/modules names as users: "a,b," or "-", and "[permanent]"
    among them."""
    return [u for u in words[3].split(",") if u.strip("-")[:1].isalnum()]


def is_asked(kernel, words):
    """Whether that line of /proc/modules is of a module to ask about. What nobody holds but modules
    that depend on it is the same on all kernels: each of those is asked about on one of the two."""
    name, refs = words[0], int(words[2])
    if refs != len(users(words)):
        return True
    wanted = {name.replace("-", "_") for name in MODULES}
    return (name in wanted or refs != 0) and len(name) % 2 == (kernel.series == "6.1")


@pytest.fixture(scope="module")
def asked(idle):
    """({module: its document}, the state before, the state after): those modules, and whatever
    else is referred to."""
    before = state(idle)
    loaded = [line.split() for line in idle.check("cat /proc/modules").splitlines()]
    names = [words[0] for words in loaded if is_asked(idle.kernel, words)]
    assert len(names) > 30
    lines = idle.check(f"for m in {' '.join(names)}; do lastref why -j $m || [ $? = 3 ] || exit; "
                       "done", 900).splitlines()
    documents = {name: why.parse(line) for name, line in zip(names, lines, strict=True)}
    return documents, before, state(idle)


def test_every_module_is_answered_about(asked):
    assert [doc["module"] for doc in asked[0].values()] == [*asked[0]]


def test_the_counters_are_the_kernels(asked):
    counted = dict(line.removeprefix("/sys/module/").split("/refcnt:")
                   for line in asked[1][0].splitlines() if "/refcnt:" in line)
    for name, doc in asked[0].items():
        assert str(doc["hard"]["refs"]) == counted[name], why.brief(doc)


def test_dependents_are_the_kernels(idle, asked):
    for name, doc in asked[0].items():
        named = [h["path"] for h in why.holders(doc, kind="dependent")]
        assert sorted(named) == sorted(users(truth.proc_modules(idle, name))), why.brief(doc)


def test_no_process_is_named(asked):
    for doc in asked[0].values():
        assert [h for h in doc["holders"] if h.get("pid")] == [], why.brief(doc)


def test_what_nobody_holds_can_be_unloaded(asked):
    idle = [doc for doc in asked[0].values() if doc["hard"]["refs"] == 0]
    assert len(idle) > 10
    for doc in idle:
        assert why.pinning(doc) == [], why.brief(doc)
        assert doc["verdict"] in (f"{doc['module']} can be unloaded: nothing holds it.",
                                  f"{doc['module']} cannot be unloaded: it has no exit routine.")


def test_every_reference_is_explained(asked):
    for name, doc in sorted(asked[0].items()):
        others = [f"{h['kind']} {h['refs']}: {h['detail']}" for h in doc["holders"]
                  if h["kind"] != "dependent"]
        if others:
            print(f"{name}: {doc['hard']} {others}")
    assert {name: doc["hard"] for name, doc in asked[0].items() if doc["hard"]["unexplained"]} == {}


def test_it_has_changed_nothing(asked):
    assert asked[1] == asked[2]


def test_a_reference_taken_by_watching_would_be_seen(idle):
    """The control."""
    before = state(idle)
    keeper = Keeper(idle)
    keeper("open /dev/nvram")
    during = state(idle)
    keeper.close()
    assert during[0] != before[0] and "nvram/refcnt:1" in during[0]
    assert during[2] != before[2]
    assert state(idle) == before


def test_something_left_attached_would_be_seen(idle):
    """The control: another lastref at work."""
    before = state(idle)
    job = tool.start(idle, "refs --hard -j -i 60 dummy")
    assert state(idle)[1] != before[1]
    tool.finish(job)
    # The kernel frees BPF programs in its own time.
    idle.put("/tmp/before", before[1])
    idle.check(f"until ({ATTACHED}) | cmp -s - /tmp/before; do usleep 20000; done")
