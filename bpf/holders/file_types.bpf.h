/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around open files, as far as they are used here; see kernel_types.bpf.h. */
#ifndef LASTREF_FILE_TYPES_BPF_H
#define LASTREF_FILE_TYPES_BPF_H

#include "bpf/kernel_types.bpf.h"

/* From include/uapi/linux/stat.h and include/linux/fs.h, where they are macros. */
enum {
    S_IFMT = 00170000,
    S_IFSOCK = 0140000,
    S_IFREG = 0100000,
    S_IFBLK = 0060000,
    S_IFCHR = 0020000,
    FMODE_PATH = 0x4000,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file_operations {
    struct module *owner;
};

struct block_device_operations {
    struct module *owner;
};

struct gendisk {
    char disk_name[32];
    const struct block_device_operations *fops;
    void *private_data;
};

struct block_device {
    __u32 bd_dev;
    atomic_t bd_openers;
    struct gendisk *bd_disk;
};

struct cdev {
    struct module *owner;
};

struct file_system_type {
    const char *name;
    struct module *owner;
};

struct fs_context {
    struct file_system_type *fs_type;
};

struct super_block {
    struct list_head s_list;
    __u32 s_dev;
    struct file_system_type *s_type;
    unsigned long s_magic;
    struct list_head s_mounts;
    struct block_device *s_bdev;
    char s_id[32];
};

struct inode {
    unsigned short i_mode;
    struct super_block *i_sb;
    __u32 i_rdev;
    const struct file_operations *i_fop;
    struct cdev *i_cdev;
    unsigned long i_ino;
};

/* block/bdev.c */
struct bdev_inode {
    struct block_device bdev;
    struct inode vfs_inode;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
    void *d_fsdata;
};

struct vfsmount {
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct address_space {
    struct inode *host;
};

struct file {
    unsigned int f_mode;
    const struct file_operations *f_op;
    struct address_space *f_mapping;
    void *private_data;
    struct inode *f_inode;
    struct path f_path;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

/* fs/debugfs/internal.h */
struct debugfs_fsdata {
    const struct file_operations *real_fops;
};

struct pmu {
    struct module *module;
};

struct trace_event_call {
    void *module;
};

struct perf_event {
    struct pmu *pmu;
    struct trace_event_call *tp_event;
};

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

#pragma clang attribute pop

/* NULL on kernels without block devices. */
static __always_inline const struct block_device *bdev_of(const struct inode *inode)
{
    if (!bpf_core_type_exists(struct bdev_inode)) {
        return NULL;
    }
    return (const void *)inode - bpf_core_field_offset(struct bdev_inode, vfs_inode) +
           bpf_core_field_offset(struct bdev_inode, bdev);
}

#endif /* LASTREF_FILE_TYPES_BPF_H */
