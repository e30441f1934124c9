/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around mounts and paths, as far as they are used here. */
#ifndef LASTREF_MOUNT_TYPES_BPF_H
#define LASTREF_MOUNT_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
    struct hlist_node *next, **pprev;
};

/* The part of a super block that only the walk over all of them needs. */
struct super_block___listed {
    struct list_head s_list;
    struct hlist_node s_instances;
    struct list_head s_mounts;
};

struct ns_common {
    unsigned int inum;
};

struct mnt_namespace {
    struct ns_common ns;
    __u64 seq; /* 0: anonymous, of open_tree(2) or fsmount(2) */
};

/* fs/mount.h */
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    struct list_head mnt_instance;
    const char *mnt_devname;
    struct mnt_namespace *mnt_ns;
    int mnt_id;
};

struct qstr___length {
    __u32 len;
};

struct fs_struct {
    struct path root, pwd;
};

struct task_struct___fs {
    struct fs_struct *fs;
};

#pragma clang attribute pop

static __always_inline const struct mount *mount_of(const struct vfsmount *mount)
{
    return mount ? (const void *)mount - bpf_core_field_offset(struct mount, mnt) : NULL;
}

#endif /* LASTREF_MOUNT_TYPES_BPF_H */
