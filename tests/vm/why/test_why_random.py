# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on a machine with 200 holders of many kinds, chosen at random, after 100 more have
gone: whoever is named holds the module (precision 1), and nobody is left out (recall 1, printed by
kind).

One question costs the most here, so each module is asked about once: the crowd is of some devices,
which are chosen, too.

LASTREF_SEED repeats a run.
"""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"copies": why.keeper_program(), "mem": "2G", "smp": 2}
COUNT, GONE = 200, 100
ALWAYS, CHOSEN = ["loop", "tun"], 3  # devices: those of loop have files, those of tun sockets
DEVICES = {"uhid": "/dev/uhid", "cuse": "/dev/cuse", "tun": "/dev/net/tun", "cpuid": "/dev/cpu/0/cpuid",
           "msr": "/dev/cpu/0/msr", "nvram": "/dev/nvram", "loop": "/dev/loop-control",
           "vhost_vsock": "/dev/vhost-vsock", "vhost_net": "/dev/vhost-net"}
SOCKETS = {"vsock": "40 1 0", "sctp": "2 1 132", "af_alg": "38 5 0"}
OFTEN = ["open", "share", "dup", "stopped", "namespaces"]


@dataclass
class Truth:
    """A holder that there is: some of its words are in its row."""

    kind: str
    module: str
    pids: set = field(default_factory=set)
    words: str = ""
    kept: dict = None
    undo: str = ""
    mounted: str = ""

    def is_named_by(self, holder):
        if self.pids:
            return bool(holder.get("pid")) and bool(set(why.pids(holder)) & self.pids)
        return self.words in (holder["path"] or "") or self.words in holder["detail"]


class Crowd:
    def __init__(self, guest, seed):
        self.guest = guest
        self.random = random.Random(seed)
        self.keep = why.Keeper(guest)
        self.there = []
        guest.check("modprobe -a dummy overlay loop; mkdir -p /crowd; "
                    "mount -t tmpfs none /crowd; modprobe -a " +
                    " ".join([*DEVICES, *SOCKETS]) + "; true", 120)
        loaded = guest.check("cut -d' ' -f1 /proc/modules").split()
        if "sctp" in loaded:  # each network namespace has one
            self.there.append(Truth("kernel_socket", "sctp", words="of the kernel's own"))
        chosen = self.random.sample(sorted({*DEVICES} & {*loaded} - {*ALWAYS}), CHOSEN)
        self.devices = {m: DEVICES[m] for m in [*ALWAYS, *chosen]}
        self.sockets = {m: p for m, p in SOCKETS.items() if m in loaded}

    def keeps(self, kind, module, action, inside=None):
        kept = self.keep(action)
        pids = kept[inside or "pid"]
        self.there.append(Truth(kind, module, set(pids if isinstance(pids, list) else [pids]),
                                kept=kept))

    def add(self, number):
        kind = self.random.choice([*OFTEN, *OFTEN, "flight", "socket", "mount", "loop"])
        module = self.random.choice(sorted(self.devices))
        path = self.devices[module]
        if kind in ("open", "flight"):
            self.keeps(kind, module, f"{kind} {path}")
        elif kind in ("share", "dup"):
            self.keeps(kind, module, f"{kind} {self.random.randint(2, 6)} {path}")
        elif kind == "stopped":
            self.keeps(kind, module, f"stopped {path}", "stopped")
        elif kind == "namespaces":
            self.keeps(kind, module, f"namespaces {path} inner{number}", "inside")
        elif kind == "socket":
            module = self.random.choice(sorted(self.sockets))
            self.keeps(kind, module, f"socket {self.sockets[module]}")
        elif kind == "mount":
            self.mount(f"/crowd/{number}")
        else:
            self.loop(f"/crowd/image{number}")

    def mount(self, at):
        self.guest.check(f"mkdir -p {at}.l {at}.u {at}.w {at}; mount -t overlay -o "
                         f"lowerdir={at}.l,upperdir={at}.u,workdir={at}.w none {at}")
        self.there.append(Truth("mount", "overlay", words=at, mounted=at))

    def unmount(self, paths):
        """All at once: mount namespaces that were made since have them too, and to enter each for
        each takes longer than all the rest."""
        paths = " ".join(paths)
        self.guest.check(f"for p in /proc/[0-9]*; do [ $p/ns/mnt -ef /proc/1/ns/mnt ] || "
                         f"nsenter -t ${{p#/proc/}} -m umount {paths} 2> /dev/null; done; "
                         f"umount {paths}", 120)

    def loop(self, image):
        device = self.guest.check(f"set -e; truncate -s 1M {image}; device=$(losetup -f); "
                                  f"losetup $device {image}; echo $device").strip()
        self.there.append(Truth("loop", "loop", words=device.removeprefix("/dev/"),
                                undo=f"losetup -d {device}"))

    def leave(self, count=None):
        """As many go, of those who can; without a number all of them."""
        removable = [one for one in self.there if one.kept or one.undo or one.mounted]
        going = self.random.sample(removable, len(removable) if count is None else count)
        for one in going:
            if one.kept:
                self.keep.end(one.kept)
            elif one.undo:
                self.guest.check(one.undo)
        if mounted := [one.mounted for one in going if one.mounted]:
            self.unmount(mounted)
        self.there = [one for one in self.there if one not in going]


@pytest.fixture(scope="module")
def crowd(guest):
    seed = int(os.environ.get("LASTREF_SEED") or time.time_ns() % 1_000_000)
    print(f"\nLASTREF_SEED={seed}")
    crowd = Crowd(guest, seed)
    number = 0
    while len(crowd.there) < COUNT + GONE:  # one of them the kernel's own
        crowd.add(number)
        number += 1
    yield crowd
    crowd.keep.close()


def compare(crowd):
    """Every row of every module with what there is; returns (found, there are) by kind."""
    there, found, rows = Counter(), Counter(), 0
    modules = sorted({one.module for one in crowd.there})
    for module in modules:
        doc = why.ask(crowd.guest, module)
        truths = [one for one in crowd.there if one.module == module]
        users = (truth.proc_modules(crowd.guest, module)[3]).strip("-,").split(",")
        for holder in why.pinning(doc):
            rows += 1
            if holder["kind"] == "dependent":
                assert holder["path"] in users
                continue
            assert any(one.is_named_by(holder) for one in truths), \
                f"{module}: nobody such holds it: {holder}"
            if holder.get("pid"):  # nor any of those it is shared with
                assert set(why.pids(holder)) <= set().union(*(one.pids for one in truths)), holder
        for one in truths:
            there[one.kind] += 1
            found[one.kind] += any(one.is_named_by(holder) for holder in why.pinning(doc))
        print(f"{module}: explained {doc['hard']['explained']} of {doc['hard']['refs']}")
    print(f"{rows} holders named, each of them is one")
    for kind in sorted(there):
        print(f"{kind}: named {found[kind]} of {there[kind]}")
    return found, there


def test_all_who_stay(crowd):
    crowd.leave(GONE)
    assert len(crowd.there) == COUNT
    found, there = compare(crowd)
    assert found == there


def test_none_of_them(crowd):
    crowd.leave()
    for module in crowd.devices:
        users = truth.proc_modules(crowd.guest, module)[3].strip("-,").split(",")
        refs = int(truth.sysfs(crowd.guest, module, "refcnt"))
        assert refs == len([one for one in users if one]), module
    for module in ALWAYS:
        doc = why.ask(crowd.guest, module, tool.OUTSTANDING if
                      truth.sysfs(crowd.guest, module, "refcnt") != "0" else tool.DONE)
        assert not [h for h in why.pinning(doc) if h["kind"] != "dependent"], why.brief(doc)
