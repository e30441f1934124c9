/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program that reads the kernel's memory and userspace share through mmap. */
#ifndef LASTREF_READER_H
#define LASTREF_READER_H

#include <linux/types.h>

enum {
    LR_READS_MAX = 1024,     /* a power of two */
    LR_READ_BYTES = 1 << 18, /* of all that is read at once */
    LR_READ_MAX = 4096,      /* of one */
    LR_SYMBOL_NAME = 128,
};

/* A piece of memory that is to be read. */
struct lr_read {
    __u64 address;
    __u32 size;
    __u32 offset; /* where it goes in read_bytes */
    __s32 error;  /* 0: all of it was read */
    __u32 unused;
};

#endif /* LASTREF_READER_H */
