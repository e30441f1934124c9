/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around block devices, as far as they are used here. Some are a module's. */
#ifndef LASTREF_BLOCK_TYPES_BPF_H
#define LASTREF_BLOCK_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct request_queue {
    void *queuedata;
};

struct gendisk___whole {
    int major;
    struct request_queue *queue;
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

#pragma clang attribute pop

enum {
    SCSI_DISK0_MAJOR = 8,
    SCSI_CDROM_MAJOR = 11,
    SCSI_DISK1_MAJOR = 65,
    SCSI_DISK7_MAJOR = 71,
    SCSI_DISK8_MAJOR = 128,
    SCSI_DISK15_MAJOR = 135,
};

/* Of sd and sr, whose queues belong to a SCSI device. */
static __always_inline bool is_scsi_major(int major)
{
    return major == SCSI_DISK0_MAJOR || major == SCSI_CDROM_MAJOR ||
           (major >= SCSI_DISK1_MAJOR && major <= SCSI_DISK7_MAJOR) ||
           (major >= SCSI_DISK8_MAJOR && major <= SCSI_DISK15_MAJOR);
}

#endif /* LASTREF_BLOCK_TYPES_BPF_H */
