/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around block devices, as far as they are used here. Some are a module's. */
#ifndef LASTREF_BLOCK_TYPES_BPF_H
#define LASTREF_BLOCK_TYPES_BPF_H

#include "bpf/holders/mount_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct request_queue {
    void *queuedata;
};

struct gendisk___whole {
    int major;
    struct block_device *part0;
    struct request_queue *queue;
};

struct super_block___inodes {
    struct list_head s_inodes;
};

struct inode___listed {
    struct list_head i_sb_list;
};

/* drivers/block/loop.c */
struct loop_device {
    struct file *lo_backing_file;
    int lo_state;
};

struct scsi_host_template {
    struct module *module;
};

struct Scsi_Host {
    struct scsi_host_template *hostt;
};

struct scsi_device {
    struct Scsi_Host *host;
};

struct swap_info_struct {
    unsigned long flags;
    struct block_device *bdev;
    struct file *swap_file;
};

struct swap_info_struct___claims {
    unsigned int old_block_size;
    struct file *bdev_file;
};

#pragma clang attribute pop

enum {
    LOOP_MAJOR = 7,
    SCSI_DISK0_MAJOR = 8,
    SCSI_CDROM_MAJOR = 11,
    SCSI_DISK1_MAJOR = 65,
    SCSI_DISK7_MAJOR = 71,
    SCSI_DISK8_MAJOR = 128,
    SCSI_DISK15_MAJOR = 135,
    LO_BOUND = 1, /* drivers/block/loop.c: Lo_bound, and Lo_rundown after it */
    LO_RUNDOWN = 2,
    SWP_USED = 1,
};

/* Of sd and sr, whose queues belong to a SCSI device. */
static __always_inline bool is_scsi_major(int major)
{
    return major == SCSI_DISK0_MAJOR || major == SCSI_CDROM_MAJOR ||
           (major >= SCSI_DISK1_MAJOR && major <= SCSI_DISK7_MAJOR) ||
           (major >= SCSI_DISK8_MAJOR && major <= SCSI_DISK15_MAJOR);
}

#endif /* LASTREF_BLOCK_TYPES_BPF_H */
