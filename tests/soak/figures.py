# SPDX-License-Identifier: GPL-2.0-only
"""How much memory of each kind a guest uses, and whether unloads have lost some of it."""

import re
from dataclasses import asdict, dataclass

import truth

SETTLE = f"""
    sync; echo 3 > /proc/sys/vm/drop_caches 2> /dev/null
    echo 1 > {truth.DEBUGFS}/lr_board/barrier || exit
    for file in /sys/kernel/slab/*/shrink; do [ -L "${{file%/shrink}}" ] || echo 1 > $file; done
    echo 1 > {truth.DEBUGFS}/lr_board/barrier
    cat /proc/meminfo; echo; cat /proc/slabinfo"""
# For each deferred unload, above which memory is being lost. A module takes at least 20 pages, its
# percpu data come from an area that is exhausted after 128 unloads, and what it has in the slab is
# at least one object: less than half of the least of each is noise, such as more kernel threads.
VMALLOC_BYTES = 1024
PERCPU_BYTES = 128
SLAB_OBJECTS = 0.25
# A slab that a processor allocates from counts as if all its objects were in use.
SLABS_IN_USE = 2
# Emptied by the kernel as it likes, whoever filled them.
RECLAIMED = re.compile(r"dentry$|.*inode_cache$|radix_tree_node$|buffer_head$")


@dataclass
class Figures:
    """After all that is freed later has been freed, and the caches have been shrunk."""

    vmalloc_kb: int
    percpu_kb: int
    slab_kb: int
    caches: dict  # by name: objects in use, objects in a slab

    def summary(self):
        return {k: v for k, v in asdict(self).items() if k != "caches"}


def take(guest):
    """The figures of now; call it when nothing is loaded or freed any more."""
    memory, slabs = guest.check(SETTLE, timeout=600).split("\n\n", 1)
    kb = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", memory, re.M)}
    caches = {name: (int(active), int(in_a_slab)) for name, active, in_a_slab in
              re.findall(r"^(\S+) +(\d+) +\d+ +\d+ +(\d+) ", slabs, re.M)}
    # The stacks of threads that the kernel keeps for later are in both: not the modules'.
    return Figures(kb["VmallocUsed"] - kb["KernelStack"], kb["Percpu"], kb["SUnreclaim"], caches)


def losses(before, after, unloads):
    """What has grown by more than chance, as {kind: text}; empty when all came back."""
    found = {}
    grown = (after.vmalloc_kb - before.vmalloc_kb) * 1024
    if grown > unloads * VMALLOC_BYTES:
        found["vmalloc"] = f"{grown} bytes of vmalloc more after {unloads} unloads"
    grown = (after.percpu_kb - before.percpu_kb) * 1024
    if grown > unloads * PERCPU_BYTES:
        found["percpu"] = f"{grown} bytes of percpu memory more after {unloads} unloads"
    for cache, (active, in_a_slab) in after.caches.items():
        grown = active - before.caches.get(cache, (0, 0))[0]
        noise = SLABS_IN_USE * in_a_slab
        if not RECLAIMED.match(cache) and grown > unloads * SLAB_OBJECTS + noise:
            found["slab"] = f"{grown} objects more in {cache} after {unloads} unloads"
    return found
