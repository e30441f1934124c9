// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped files, the binary that a process runs, and its binary format. The tree of a process's maps
 * is read as RCU readers read it, without the mmap lock: somebody may hold that for ever.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/map_types.bpf.h"

enum {
    LEVELS_MAX = 16, /* a power of two; three hold 16 * 10 * 10 maps */
    STEPS_MAX = 1 << 18,
    PF_KTHREAD = 0x00200000,
};

/* A node that is being gone through, as it was when it was reached. */
struct level {
    __u64 words[MAPLE_NODE_WORDS];
    __u64 max;                             /* the last address that the node is for */
    __u32 first_pivot, pivots, first_slot; /* words */
    __u32 slot, end;                       /* the next one, the last one */
    __u32 leaf;
};

/* What the walk over one tree has come to. This is not on the stack: the verifier of 6.1 looks at
 * the callback of bpf_loop() once, and takes for dead what never happens in the first step. */
static struct level levels[LEVELS_MAX];
static __u32 depth;
static __u64 last_file; /* neighbours often map one file */

__u32 maps_changed; /* processes of which not every map was seen */

struct maps_walk {
    const struct task_struct *task;
    const struct mm_struct___maps *mm;
    __u32 changed;
};

static __always_inline void visit_file(const struct file *file, struct maps_walk *walk)
{
    struct lr_finding *finding;
    __u32 pins;

    if (!file || (__u64)file == last_file) {
        return;
    }
    last_file = (__u64)file;
    pins = pins_of_file((__u64)file);
    if (!pins) {
        return;
    }
    finding = found_pins(LR_FOUND_MAPPED_FILE, pins, file);
    if (finding) {
        finding->within = (__u64)BPF_CORE_READ(file, f_inode, i_sb);
        finding->number = BPF_CORE_READ(file, f_inode, i_rdev);
        name_task(&finding->task, walk->task);
        finding->path = note_path((__u64)BPF_CORE_READ(file, f_path.mnt),
                                  (__u64)BPF_CORE_READ(file, f_path.dentry));
    }
}

static __always_inline void visit_map(__u64 entry, struct maps_walk *walk)
{
    const struct vm_area_struct *map = (const void *)entry;

    if (entry && !(entry & XA_NOT_A_POINTER) && BPF_CORE_READ(map, vm_mm) == walk->mm) {
        visit_file(BPF_CORE_READ(map, vm_file), walk);
    }
}

/* The last slot in use, as ma_data_end() finds it. */
static __always_inline __u32 last_slot(const struct level *level, __u32 type, __u32 meta)
{
    __u64 last_pivot =
        level->words[(level->first_pivot + level->pivots - 1) & (MAPLE_NODE_WORDS - 1)];

    if (type == MAPLE_ARANGE_64 || !last_pivot) {
        return level->words[meta & (MAPLE_NODE_WORDS - 1)] & 0xff;
    }
    return last_pivot == level->max ? level->pivots - 1 : level->pivots;
}

/* Goes down to a node. */
static __always_inline bool enter(__u64 node, __u64 max)
{
    __u32 type = node >> MAPLE_TYPE_SHIFT & MAPLE_TYPE_MASK;
    struct level *level = &levels[depth & (LEVELS_MAX - 1)];
    __u32 meta;

    node &= ~(__u64)MAPLE_NODE_MASK;
    if (bpf_probe_read_kernel(level->words, sizeof(level->words), (void *)node) ||
        (level->words[0] & ~(__u64)MAPLE_NODE_MASK) == node) { /* its own parent: it is dead */
        return false;
    }
    level->max = max;
    level->slot = 0;
    level->leaf = type == MAPLE_LEAF_64;
    if (type == MAPLE_ARANGE_64) {
        level->first_pivot = bpf_core_field_offset(struct maple_arange_64, pivot) / 8;
        level->pivots = bpf_core_field_size(struct maple_arange_64, pivot) / 8;
        level->first_slot = bpf_core_field_offset(struct maple_arange_64, slot) / 8;
        meta = bpf_core_field_offset(struct maple_arange_64, meta) / 8;
    } else if (type == MAPLE_RANGE_64 || type == MAPLE_LEAF_64) {
        level->first_pivot = bpf_core_field_offset(struct maple_range_64, pivot) / 8;
        level->pivots = bpf_core_field_size(struct maple_range_64, pivot) / 8;
        level->first_slot = bpf_core_field_offset(struct maple_range_64, slot) / 8;
        meta = bpf_core_field_offset(struct maple_range_64, meta) / 8;
    } else {
        return false;
    }
    level->end = last_slot(level, type, meta);
    return level->end <= level->pivots;
}

/* One slot of the node at hand. */
static long step(__u32 index, struct maps_walk *walk)
{
    struct level *level = &levels[depth & (LEVELS_MAX - 1)];
    __u32 slot = level->slot;
    __u64 entry, max;

    if (slot > level->end) {
        if (!depth) {
            return 1;
        }
        depth--;
        return 0;
    }
    level->slot = slot + 1;
    entry = level->words[(level->first_slot + slot) & (MAPLE_NODE_WORDS - 1)];
    if (level->leaf) {
        visit_map(entry, walk);
        return 0;
    }
    max = slot < level->pivots ? level->words[(level->first_pivot + slot) & (MAPLE_NODE_WORDS - 1)]
                               : level->max;
    if (depth + 1 >= LEVELS_MAX) {
        walk->changed = 1;
        return 1;
    }
    depth++;
    if (!enter(entry, max)) {
        walk->changed = 1;
        depth--;
    }
    return 0;
}

static __always_inline void walk_maps(struct maps_walk *walk)
{
    const struct mm_struct___maps *mm = walk->mm;
    __u64 root = (__u64)BPF_CORE_READ(mm, mm_mt.ma_root);

    if ((root & XA_NOT_A_POINTER) != 2 || root <= 4096) { /* xa_is_node() */
        visit_map(root, walk);
        return;
    }
    depth = 0;
    if (!enter(root, ~0ULL)) {
        walk->changed = 1;
        return;
    }
    bpf_loop(STEPS_MAX, step, walk, 0);
}

/* set_binfmt() and dup_mm() take a reference for each mm. */
static __always_inline void visit_format(const struct maps_walk *walk)
{
    const struct mm_struct___maps *mm = walk->mm;
    struct lr_finding *finding;

    if (!is_target(BPF_CORE_READ(mm, binfmt, module))) {
        return;
    }
    finding = found(LR_FOUND_BINARY_FORMAT, 1, mm);
    if (finding) {
        name_task(&finding->task, walk->task);
    }
}

SEC("iter/task")
int memory_maps(struct bpf_iter__task *ctx)
{
    const struct task_struct *task = ctx->task;
    const struct mm_struct___maps *mm;
    const struct task_struct *leader;
    struct maps_walk walk = {};

    if (!task || BPF_CORE_READ(task, flags) & PF_KTHREAD) {
        return 0;
    }
    walk.task = task;
    mm = (const void *)BPF_CORE_READ(task, mm);
    walk.mm = mm;
    leader = BPF_CORE_READ(task, group_leader);
    /* Threads share their maps, and a leader may end before the others: then their owner stands for
     * all, or on kernels without owners (CONFIG_MEMCG) each of them. */
    if (!mm || (task != leader && BPF_CORE_READ(leader, mm))) {
        return 0;
    }
    if (bpf_core_field_exists(mm->owner) && task != leader && BPF_CORE_READ(mm, owner) != task) {
        return 0;
    }
    last_file = 0;
    visit_format(&walk);
    visit_file(BPF_CORE_READ(mm, exe_file), &walk);
    walk_maps(&walk);
    maps_changed += walk.changed;
    return 0;
}
