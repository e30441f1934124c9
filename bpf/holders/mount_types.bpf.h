/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around mounts and paths, as far as they are used here. */
#ifndef LASTREF_MOUNT_TYPES_BPF_H
#define LASTREF_MOUNT_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* fs/mount.h */
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct qstr___length {
    __u32 len;
};

#pragma clang attribute pop

static __always_inline const struct mount *mount_of(const struct vfsmount *mount)
{
    return mount ? (const void *)mount - bpf_core_field_offset(struct mount, mnt) : NULL;
}

#endif /* LASTREF_MOUNT_TYPES_BPF_H */
