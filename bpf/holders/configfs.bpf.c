// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories that were made in configfs. Each holds the owner of the subsystem that it is in, and
 * the owner of its own type (configfs_mkdir()), until it is removed. Those that a driver made for
 * itself, subsystems and default groups, hold nothing.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/configfs_types.bpf.h"

/* Address of the list head, from /proc/kallsyms. */
const volatile __u64 super_blocks_address = 0;

enum {
    SUPER_BLOCKS_MAX = 1 << 20,
    DIRENTS_MAX = 1 << 20,
    CONFIGFS_ROOT = 0x0001, /* fs/configfs/configfs_internal.h */
    CONFIGFS_DIR = 0x0002,
    CONFIGFS_ITEM_LINK = 0x0020,
    CONFIGFS_USET_DEFAULT = 0x0080,
};

struct tree_walk {
    struct list_walk list;            /* of children */
    const struct configfs_dirent *of; /* whose */
    __u32 changed;
};

static __always_inline bool owner_is_target(const struct config_item *item)
{
    return item && is_target(BPF_CORE_READ(item, ci_type, ct_owner));
}

/* References that a directory takes on the module. */
static __always_inline __u32 refs_of_dirent(const struct configfs_dirent *dirent,
                                            const struct configfs_dirent *parent)
{
    const struct config_item *item = BPF_CORE_READ(dirent, s_element);
    const struct config_group *above = BPF_CORE_READ(parent, s_element);
    const struct configfs_subsystem *subsystem = BPF_CORE_READ(above, cg_subsys);
    __u32 type = BPF_CORE_READ(dirent, s_type);

    if (!(type & CONFIGFS_DIR) || type & CONFIGFS_USET_DEFAULT ||
        BPF_CORE_READ(parent, s_type) & CONFIGFS_ROOT) {
        return 0;
    }
    return owner_is_target(item) +
           (subsystem && is_target(BPF_CORE_READ(subsystem, su_group.cg_item.ci_type, ct_owner)));
}

static __always_inline const struct configfs_dirent *dirent_above(const struct configfs_dirent *one)
{
    return BPF_CORE_READ(one, s_dentry, d_parent, d_fsdata);
}

static __noinline void report_dirent(__u64 address, __u32 kind, __u32 refs)
{
    const struct configfs_dirent *dirent = (const void *)address;
    struct lr_finding *finding = found(kind, refs, dirent);

    if (finding) {
        finding->path = note_path(0, (__u64)BPF_CORE_READ(dirent, s_dentry));
    }
}

/* A link has no reference itself, but keeps its target, and the directory that it is in. */
static __always_inline bool link_keeps(const struct configfs_dirent *link,
                                       const struct configfs_dirent *in)
{
    const struct configfs_dirent *to = BPF_CORE_READ(link, s_element);

    return refs_of_dirent(to, dirent_above(to)) || refs_of_dirent(in, dirent_above(in));
}

static __always_inline void enter(struct tree_walk *walk, const struct configfs_dirent *dirent)
{
    walk->of = dirent;
    if (!list_begin(&walk->list,
                    (__u64)dirent + bpf_core_field_offset(struct configfs_dirent, s_children))) {
        walk->changed = 1;
    }
}

/* Goes on behind the directory whose children it has seen. */
static __always_inline void leave(struct tree_walk *walk)
{
    const struct configfs_dirent *done = walk->of;
    const struct configfs_dirent *above = dirent_above(done);

    if (!above) {
        walk->changed = 1;
        return;
    }
    walk->of = above;
    walk->list.head = (__u64)above + bpf_core_field_offset(struct configfs_dirent, s_children);
    walk->list.node = (__u64)done + bpf_core_field_offset(struct configfs_dirent, s_sibling);
    list_next(&walk->list);
}

static long visit_dirent(__u32 index, struct tree_walk *walk)
{
    const struct configfs_dirent *dirent, *of = walk->of;
    enum list_step step = list_look(&walk->list);
    __u32 type, refs;

    if (step == LIST_CHANGED) {
        walk->changed = 1;
    } else if (step == LIST_END) {
        if (BPF_CORE_READ(of, s_type) & CONFIGFS_ROOT) {
            return 1;
        }
        leave(walk);
    } else {
        dirent =
            (void *)(walk->list.node - bpf_core_field_offset(struct configfs_dirent, s_sibling));
        type = BPF_CORE_READ(dirent, s_type);
        refs = refs_of_dirent(dirent, of);
        if (refs) {
            report_dirent((__u64)dirent, LR_FOUND_CONFIGFS_ITEM, refs);
        } else if (type & CONFIGFS_ITEM_LINK && link_keeps(dirent, of)) {
            report_dirent((__u64)dirent, LR_FOUND_CONFIGFS_LINK, 0);
        }
        if (type & CONFIGFS_DIR) {
            enter(walk, dirent);
        } else {
            list_next(&walk->list);
        }
    }
    return walk->changed;
}

struct root_search {
    struct list_walk list;
    __u64 root; /* dirent */
    __u32 changed;
};

static long visit_super_block(__u32 index, struct root_search *search)
{
    const struct super_block *super;
    const struct super_block___root *rooted;
    enum list_step step = list_look(&search->list);

    if (step != LIST_ELEMENT) {
        search->changed = step == LIST_CHANGED;
        return 1;
    }
    super = (void *)(search->list.node - bpf_core_field_offset(struct super_block, s_list));
    if (is_configfs(super)) {
        rooted = (const void *)super;
        search->root = (__u64)BPF_CORE_READ(rooted, s_root, d_fsdata);
        return 1;
    }
    list_next(&search->list);
    return 0;
}

/* There is one super block of configfs, and it is there as long as there are subsystems. */
SEC("syscall")
int configfs_items(void *ctx)
{
    struct root_search search = {};
    struct tree_walk walk = {};

    if (!bpf_core_type_exists(struct configfs_dirent)) {
        return 0; /* configfs is not loaded */
    }
    if (list_begin(&search.list, super_blocks_address)) {
        bpf_loop(SUPER_BLOCKS_MAX, visit_super_block, &search, 0);
    }
    if (search.root && !search.changed) {
        enter(&walk, (const void *)search.root);
        bpf_loop(DIRENTS_MAX, visit_dirent, &walk, 0);
    }
    return search.changed || walk.changed;
}
