/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of configfs, which may be a module's, as far as they are used here. */
#ifndef LASTREF_CONFIGFS_TYPES_BPF_H
#define LASTREF_CONFIGFS_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

enum { CONFIGFS_MAGIC = 0x62656570 }; /* fs/configfs/mount.c */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* fs/configfs/file.c */
struct configfs_buffer {
    struct module *owner;
};

#pragma clang attribute pop

static __always_inline bool is_configfs(const struct super_block *super)
{
    return BPF_CORE_READ(super, s_magic) == CONFIGFS_MAGIC;
}

#endif /* LASTREF_CONFIGFS_TYPES_BPF_H */
