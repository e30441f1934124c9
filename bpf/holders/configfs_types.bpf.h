/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of configfs, which may be a module's, as far as they are used here. */
#ifndef LASTREF_CONFIGFS_TYPES_BPF_H
#define LASTREF_CONFIGFS_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

enum { CONFIGFS_MAGIC = 0x62656570 }; /* fs/configfs/mount.c */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct config_item_type {
    struct module *ct_owner;
};

struct config_item {
    const struct config_item_type *ci_type;
};

struct config_group {
    struct config_item cg_item;
    struct configfs_subsystem *cg_subsys;
};

struct configfs_subsystem {
    struct config_group su_group;
};

/* fs/configfs/configfs_internal.h */
struct configfs_dirent {
    struct list_head s_sibling;
    struct list_head s_children;
    void *s_element; /* of a directory the config_item, of a link the dirent that it leads to */
    int s_type;
    struct dentry *s_dentry;
};

/* fs/configfs/file.c */
struct configfs_buffer {
    struct module *owner;
};

struct super_block___root {
    struct dentry *s_root;
};

#pragma clang attribute pop

static __always_inline bool is_configfs(const struct super_block *super)
{
    return BPF_CORE_READ(super, s_magic) == CONFIGFS_MAGIC;
}

#endif /* LASTREF_CONFIGFS_TYPES_BPF_H */
