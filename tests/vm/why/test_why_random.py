# SPDX-License-Identifier: GPL-2.0-only
"""lastref why on a machine with 200 holders of many kinds, chosen at random, after 100 more have
gone: exactly those are named, each once, with its kind, its references, its path and its processes.

One question costs the most here, so each module is asked about once: the crowd is of some devices,
which are chosen, too.

LASTREF_SEED repeats a run.
"""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

import pytest

import tool
import truth
import why
from holding import Kept

kernels = "all"
guest_options = {"mem": "2G", "smp": 2}
COUNT, GONE = 200, 100
ALWAYS, CHOSEN = ["loop", "tun"], 3  # devices: those of loop have files, those of tun sockets
DEVICES = {"uhid": "/dev/uhid", "cuse": "/dev/cuse", "tun": "/dev/net/tun", "cpuid": "/dev/cpu/0/cpuid",
           "msr": "/dev/cpu/0/msr", "nvram": "/dev/nvram", "loop": "/dev/loop-control",
           "vhost_vsock": "/dev/vhost-vsock", "vhost_net": "/dev/vhost-net"}
SOCKETS = {"vsock": "40 1 0", "sctp": "2 1 132", "af_alg": "38 5 0"}
# How a device is held: the steps, and the kind of holder that it is. Where a descriptor is in no table, the
# last part of its path is left.
WAYS = {"open": "open {path}", "share": "open {path} share {few}", "dup": "dup {few} {path}",
        "stopped": "stopped {path}", "namespaces": "namespaces {path} inner{number}",
        "flight": "open {path} pair pass 1 0 close 0"}
OFTEN = ["open", "share", "dup", "stopped", "namespaces"]


class Row(NamedTuple):
    """What is compared of a holder."""

    kind: str
    refs: int
    path: str
    pids: frozenset = frozenset()


@dataclass
class Truth:
    """A holder that there is, and how it goes; the kernel's own do not."""

    module: str
    row: Row
    kept: Kept = None
    undo: str = ""
    mounted: str = ""


class Crowd:
    def __init__(self, guest, keep, seed):
        self.guest = guest
        self.random = random.Random(seed)
        self.keep = keep
        self.there = []
        self.takes = {}  # by module, how many references one of its files or sockets is seen to take
        guest.check("modprobe -a dummy overlay loop; mkdir -p /crowd; "
                    "mount -t tmpfs none /crowd; modprobe -a " +
                    " ".join([*DEVICES, *SOCKETS]) + "; true", 120)
        loaded = guest.check("cut -d' ' -f1 /proc/modules").split()
        if "sctp" in loaded:  # each network namespace has one
            self.there.append(Truth("sctp", Row("socket", self.refs("sctp"), "SCTP socket")))
        chosen = self.random.sample(sorted({*DEVICES} & {*loaded} - {*ALWAYS}), CHOSEN)
        self.devices = {m: DEVICES[m] for m in [*ALWAYS, *chosen]}
        self.sockets = {m: p for m, p in SOCKETS.items() if m in loaded}

    def refs(self, module):
        return int(truth.sysfs(self.guest, module, "refcnt"))

    def holds(self, module, steps):
        """What the keeper holds, and how many references the kernel has counted for it."""
        before = None if module in self.takes else self.refs(module)
        kept = self.keep(steps)
        if before is not None:
            self.takes[module] = self.refs(module) - before
        return kept, self.takes[module]

    def add(self, number):
        way = self.random.choice([*OFTEN, *OFTEN, "flight", "socket", "mount", "loop"])
        if way == "mount":
            self.mount(f"/crowd/{number}")
        elif way == "loop":
            self.loop(f"/crowd/image{number}")
        elif way == "socket":
            self.socket(self.random.choice(sorted(self.sockets)))
        else:
            self.device(self.random.choice(sorted(self.devices)), way, number)

    def device(self, module, way, number):
        path = self.devices[module]
        kept, refs = self.holds(module, WAYS[way].format(
            path=path, few=self.random.randint(2, 6), number=number))
        pids = frozenset(kept.pids)
        row = {"namespaces": Row("open_file", refs, f"/mnt/inner{number}", pids),
               "flight": Row("file_in_flight", refs, PurePath(path).name, pids)}.get(
            way, Row("open_file", refs, path, pids))
        self.there.append(Truth(module, row, kept))

    def socket(self, module):
        kept, refs = self.holds(module, f"socket {self.sockets[module]}")
        path = self.guest.check(["readlink", f"/proc/{kept.pid}/fd/{kept.fd}"]).strip()
        self.there.append(Truth(module, Row("socket", refs, path, frozenset(kept.pids)), kept))

    def mount(self, at):
        self.guest.check(f"mkdir -p {at}.l {at}.u {at}.w {at}; mount -t overlay -o "
                         f"lowerdir={at}.l,upperdir={at}.u,workdir={at}.w none {at}")
        self.there.append(Truth("overlay", Row("mount", 1, at), mounted=at))

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
        self.there.append(Truth("loop", Row("loop", 1, device), undo=f"losetup -d {device}"))

    def leave(self, count=None):
        """As many go, of those who can; without a number all of them."""
        removable = [one for one in self.there if one.kept or one.undo or one.mounted]
        going = self.random.sample(removable, len(removable) if count is None else count)
        for one in going:
            if one.kept:
                one.kept.end()
            elif one.undo:
                self.guest.check(one.undo)
        if mounted := [one.mounted for one in going if one.mounted]:
            self.unmount(mounted)
        self.there = [one for one in self.there if one not in going]


@pytest.fixture(scope="module")
def crowd(guest, keep):
    seed = int(os.environ.get("LASTREF_SEED") or time.time_ns() % 1_000_000)
    print(f"\nLASTREF_SEED={seed}")
    crowd = Crowd(guest, keep, seed)
    number = 0
    while len(crowd.there) < COUNT + GONE:  # one of them the kernel's own
        crowd.add(number)
        number += 1
    return crowd


def users(guest, module):
    return [u for u in truth.proc_modules(guest, module)[3].strip("-").split(",") if u]


def rows(doc):
    """An AF_ALG socket has two: for itself, and for the one that it may have been accepted from."""
    refs = Counter()
    for one in why.pinning(doc):
        pids = frozenset(why.pids(one) if "pid" in one else ())
        refs[one["kind"], one["path"], pids] += one["refs"]
    return {Row(kind, taken, path, pids) for (kind, path, pids), taken in refs.items()}


def check(crowd, module):
    """All that hold the module, as they were set up."""
    truths = [one for one in crowd.there if one.module == module]
    refs = crowd.refs(module)
    doc = why.ask(crowd.guest, module, tool.OUTSTANDING if refs else tool.DONE)
    assert doc["hard"] == {"refs": refs, "explained": refs, "unexplained": 0}, why.brief(doc)
    wanted = {one.row for one in truths} | {
        Row("dependent", 1, user) for user in users(crowd.guest, module)}
    named = rows(doc)
    assert named == wanted, f"{module}: {named - wanted} is not {wanted - named}"
    print(f"{module}: {dict(Counter(row.kind for row in named))}")


def test_all_who_stay(crowd):
    crowd.leave(GONE)
    assert len(crowd.there) == COUNT
    for module in sorted({one.module for one in crowd.there}):
        check(crowd, module)


def test_none_of_them(crowd):
    crowd.leave()
    for module in crowd.devices:
        assert crowd.refs(module) == len(users(crowd.guest, module)), module
    for module in ALWAYS:
        check(crowd, module)
