/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around memory maps, as far as they are used here. */
#ifndef LASTREF_MAP_TYPES_BPF_H
#define LASTREF_MAP_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Maps are in a maple tree since commit d4af56c5c7c6 (in v6.1). */
struct maple_tree {
    void *ma_root;
};

struct maple_metadata {
    unsigned char end;
};

struct maple_range_64 {
    unsigned long pivot[15];
    void *slot[16];
    struct maple_metadata meta; /* in the place of the last slot */
};

struct maple_arange_64 {
    unsigned long pivot[9];
    void *slot[10];
    struct maple_metadata meta;
};

struct linux_binfmt {
    struct module *module;
};

struct mm_struct___maps {
    struct maple_tree mm_mt;
    struct task_struct *owner;
    struct linux_binfmt *binfmt;
    struct file *exe_file;
};

struct vm_area_struct {
    struct mm_struct___maps *vm_mm;
    struct file *vm_file;
};

#pragma clang attribute pop

/* include/linux/maple_tree.h, lib/maple_tree.c */
enum {
    MAPLE_LEAF_64 = 1,
    MAPLE_RANGE_64 = 2,
    MAPLE_ARANGE_64 = 3,
    MAPLE_NODE_MASK = 255,
    MAPLE_NODE_WORDS = 32,
    MAPLE_TYPE_SHIFT = 3,
    MAPLE_TYPE_MASK = 15,
    XA_NOT_A_POINTER = 3, /* bits that mark an entry of the tree's own */
};

#endif /* LASTREF_MAP_TYPES_BPF_H */
