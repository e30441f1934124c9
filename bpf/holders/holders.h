/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of this directory find and userspace reads through mmap: who holds one module.
 * Not records: these never leave the machine.
 */
#ifndef LASTREF_HOLDERS_H
#define LASTREF_HOLDERS_H

#include "bpf/wire.h"

enum {
    LR_FINDINGS_MAX = 16384,
    LR_FINDING_NAME = 64,
    LR_PATHS_MAX = 2048,
    LR_PATH = 512, /* a power of two */
};

/* What a finding is. The comment says what `object`, `within`, `number` and `name` are. */
enum lr_finding_kind {
    /* A super block of the module's file system, or on its device. object: it. name: the file
     * system's. */
    LR_FOUND_SUPER_BLOCK = 20,
    /* A mount of it. object: the mount. within: the super block. number: its id. where: inode
     * number of the mount namespace, or one of enum lr_mounted. path: its mount point. name: what
     * is mounted ("/dev/sda1"). */
    LR_FOUND_MOUNT = 21,
    /* A process that uses such a mount. within: the super block. number: enum lr_use. path: of what
     * it has there. where: 0 if the mount is LR_MOUNTED_NOWHERE. */
    LR_FOUND_MOUNT_USER = 22,
    /* A file that a process has mapped, or runs. object: the struct
     * file. within: its super block. number: the device number of a device file. */
    LR_FOUND_MAPPED_FILE = 23,
    /* A process in the module's binary format. object: its mm. */
    LR_FOUND_BINARY_FORMAT = 24,
    /* How often a disk is open. object: what counts that (see counter_of_disk()). name: the disk's.
     * There may be several of one object. */
    LR_FOUND_DISK = 25,
    /* A bound loop device. object: it, or its backing file if that holds the module. within: the
     * file's super block. name: the disk's. path: of the file. */
    LR_FOUND_LOOP = 26,
    /* An active swap. path: where. */
    LR_FOUND_SWAP = 27,
    /* A device of the device mapper, a target in one of its tables, a device below it. name: the
     * device's. */
    LR_FOUND_DM_DEVICE = 28,
    LR_FOUND_DM_TARGET = 29,
    LR_FOUND_DM_BELOW = 30,
    /* A socket in a file table. object: the struct file. within: the net namespace's inode number.
     * number: the socket's. socket: what it is. */
    LR_FOUND_SOCKET = 40,
    /* The socket of AF_ALG that a transform is bound to, found by a file: itself, or one accepted
     * from it. object: the struct sock; the rest as above. */
    LR_FOUND_ALG_SOCKET = 41,
    /* One of TCP's that no file leads to. object: the struct sock. within: the net namespace.
     * number: enum lr_tcp. socket: what it is. */
    LR_FOUND_TCP_SOCKET = 42,
    /* One that a protocol has made for itself; as above. */
    LR_FOUND_KERNEL_SOCKET = 43,
    /* Default of a net namespace. object: the variable. name: the algorithm. */
    LR_FOUND_CONGESTION_DEFAULT = 44,
    /* object: what it is. within: the net namespace. number: the device's. traffic: the rest. */
    LR_FOUND_QDISC = 46,
    LR_FOUND_FILTER = 47,
    LR_FOUND_FILTER_TEMPLATE = 48,
    /* An algorithm of the crypto API that has users. object: the struct crypto_alg. name: its
     * driver's name. path: its name. */
    LR_FOUND_ALGORITHM = 70,
    /* Such a user: the socket of AF_ALG that a transform belongs to, as LR_FOUND_ALG_SOCKET. name
     * and path as above. */
    LR_FOUND_TRANSFORM = 71,
    /* A directory made in configfs. object: its configfs_dirent. path: below the root. A directory
     * comes before what is in it. */
    LR_FOUND_CONFIGFS_ITEM = 72,
    /* Not a holder: a link to or in such a directory, as above; that cannot be removed before. */
    LR_FOUND_CONFIGFS_LINK = 73,
    /* A DMA buffer. object: its file. number: its inode's. name: its exporter's. */
    LR_FOUND_DMA_BUF = 74,
    /* Something of netfilter's. object: it. within: the net namespace. number: the handle of
     * nf_tables, or which rule of the chain, from 1. netfilter: what it is. path: two names, each
     * up to its 0: of the table, and of the chain (unless it is a hook's), set, … */
    LR_FOUND_NETFILTER = 80,
    /* An action of traffic control. object: it. within: the net namespace. number: its index.
     * where: how many filters use it. name: its kind. */
    LR_FOUND_TC_ACTION = 81,
};

/* Where a mount is that is in no ordinary namespace. */
enum lr_mounted {
    LR_MOUNTED_NOWHERE = 0,   /* unmounted lazily */
    LR_MOUNTED_INTERNAL = 1,  /* by the kernel, for itself */
    LR_MOUNTED_ANONYMOUS = 2, /* held by a descriptor of fsmount(2) or open_tree(2) */
};

enum lr_use {
    LR_USE_CWD = 1,
    LR_USE_ROOT = 2,
    LR_USE_EXE = 3,
    LR_USE_FD = 4,
};

/* Why an object holds the module: each bit stands for one reference. */
enum lr_pin {
    LR_PIN_FILE_OPERATIONS = 1 << 0,    /* file->f_op->owner */
    LR_PIN_CHARACTER_DEVICE = 1 << 1,   /* inode->i_cdev->owner */
    LR_PIN_BLOCK_DEVICE = 1 << 2,       /* bdev->bd_disk->fops->owner */
    LR_PIN_DEBUGFS = 1 << 3,            /* the file operations behind debugfs' own */
    LR_PIN_PERF_TRACEPOINT = 1 << 4,    /* perf_event->tp_event->module */
    LR_PIN_PERF_PMU = 1 << 5,           /* perf_event->pmu->module */
    LR_PIN_CONFIGFS = 1 << 6,           /* configfs_buffer->owner */
    LR_PIN_DMA_BUF = 1 << 7,            /* dma_buf->owner */
    LR_PIN_FILE_SYSTEM = 1 << 9,        /* super_block->s_type->owner */
    LR_PIN_SCSI_HOST = 1 << 10,         /* scsi_device->host->hostt->module */
    LR_PIN_FS_CONTEXT = 1 << 8,         /* fs_context->fs_type->owner, of fsopen(2) */
    LR_PIN_SOCKET_OPERATIONS = 1 << 16, /* socket->ops->owner */
    LR_PIN_SOCKET_PROTOCOL = 1 << 17,   /* sk->sk_prot_creator->owner */
    LR_PIN_TCP_CONGESTION = 1 << 18,    /* icsk_ca_ops->owner */
    LR_PIN_TCP_ULP = 1 << 19,           /* icsk_ulp_ops->owner */
    LR_PIN_NETLINK = 1 << 20,           /* netlink_sock->module */
    LR_PIN_NETLINK_DUMP = 1 << 21,      /* netlink_sock->cb.module, while a dump goes on */
    LR_PIN_ALG_TYPE = 1 << 22,          /* alg_sock->type->owner */
    LR_PIN_VSOCK_TRANSPORT = 1 << 23,   /* vsock_sock->transport->module */
    LR_PIN_DEVICE_SOCKET = 1 << 24,     /* the same as PROTOCOL, of the socket inside tun's file */
    LR_PINS_OF_SOCKETS = 0xff << 16,
};

/* What a socket is. Ports are 0 where there are none. */
struct lr_socket {
    __u16 family;
    __u16 type;     /* SOCK_STREAM, … */
    __u16 protocol; /* IPPROTO_TCP, NETLINK_ROUTE, … */
    __u16 port;
    __u16 peer_port;
    __u16 state; /* of TCP: 10 listens */
    __u8 address[16];
    __u8 peer_address[16]; /* IPv4 in the first four bytes */
};

enum lr_tcp {
    LR_TCP_NOT_ACCEPTED = 1,
    LR_TCP_CLOSED = 2, /* and still has something to send */
    LR_TCP_OF_KERNEL = 3,
};

enum lr_direction { LR_INGRESS = 1, LR_EGRESS = 2 };

/* Something of traffic control. */
struct lr_traffic {
    char device[16];
    char kind[16]; /* "htb", "flower" */
    __u32 handle;
    __u32 parent;
    __u32 chain;
    __u32 priority;
    __u16 protocol;  /* ETH_P_IP, … */
    __u16 direction; /* enum lr_direction; 0: of what leads to the qdisc */
};

enum lr_netfilter_part {
    LR_NFT_RULE = 1,
    LR_NFT_CHAIN = 2,
    LR_NFT_SET = 3,
    LR_NFT_OBJECT = 4,
    LR_NFT_FLOWTABLE = 5,
    LR_XT_RULE = 6,
    LR_XT_TABLE = 7,
};

/* Something of netfilter's. */
struct lr_netfilter {
    __u32 part;   /* enum lr_netfilter_part */
    __u32 family; /* NFPROTO_IPV4, … */
    __u32 type;   /* of an object: NFT_OBJECT_COUNTER, …; of a hook's chain: the hook, from 1 */
};

struct lr_finding_task {
    __u32 tgid;
    __u32 tid;     /* of the thread whose files they are */
    __u32 ns_tgid; /* in its own pid namespace */
    __u32 unused;
    __u64 start_ns; /* when it started, boot clock */
    __u64 cgroup;   /* id of its cgroup (v2), as in open_by_handle_at(2) */
    char comm[LR_COMM];
};

struct lr_finding {
    __u32 kind; /* enum lr_finding_kind */
    __u32 pins; /* enum lr_pin; 0 where `refs` says all */
    __u32 refs; /* references on the module that this object takes */
    __s32 fd;   /* -1: none */
    __u64 object;
    __u64 within;
    __u64 number;
    struct lr_finding_task task; /* tgid 0: none */
    union {
        char name[LR_FINDING_NAME];
        struct lr_socket socket;
        struct lr_traffic traffic;
        struct lr_netfilter netfilter;
    };
    __u64 counted_in; /* an object that counts some of these references too: LR_FOUND_DISK, … */
    __u32 counted;    /* how many */
    __u32 path;       /* which of the paths, from 1; 0: none */
    __u32 where;
    __u32 reserved;
};
LR_STATIC_ASSERT(sizeof(struct lr_finding) == 176, "lr_finding");

/* A path, at text + start up to its 0. */
struct lr_path {
    __u32 start;
    __u32 whole; /* else it begins with more than there was room for */
    char text[LR_PATH];
};

enum {
    LR_TASKS_MAX = 128,
    LR_STACK_INNER = 16, /* of a deeper stack: so many frames from its inner end, the rest */
};

/* Why a task is of interest. */
enum lr_task_reason {
    LR_TASK_THREAD = 1 << 0, /* a kernel thread whose function lies in the module */
    LR_TASK_STACK = 1 << 1,  /* a frame of its stack lies in the module */
    LR_TASK_UNLOAD = 1 << 2, /* it is in delete_module(2), with the module on its stack */
    LR_TASK_LOAD = 1 << 3,   /* the same in init_module(2) or finit_module(2) */
    LR_TASK_QUEUED = 1 << 4, /* in delete_module(2), only with the module's name on its stack */
};

/* A task that runs in the module, or on its behalf: what a finding is too small for. */
struct lr_task {
    __u32 reasons; /* enum lr_task_reason */
    __u32 tid;
    __u32 running; /* 1: on a processor, so that its stack could not be read */
    __u32 frames;  /* how many of frames[] are filled */
    __u32 skipped; /* frames left out after the first LR_STACK_INNER */
    __u32 kernel;  /* 1: a kernel thread */
    __u64 task;    /* address of its task_struct */
    __u64 start_ns;
    __u64 switches; /* how often it left a processor, of itself or not */
    __u64 cpu_ns;   /* what it has used of processors */
    /* From when it came onto a processor last until lastref did: 0: not known. */
    __u64 since_arrival_ns;
    __u64 ts_ns;                       /* boot clock */
    struct lr_finding_task process;    /* its process */
    struct lr_finding_task parent;     /* of its process; tgid 0: none */
    struct lr_finding_task lock_owner; /* of the mutex that it waits for; tgid 0: not known */
    char comm[LR_COMM];                /* of the thread */
    char inside[LR_SYMBOL];            /* its innermost frame in the module; may be empty */
    char symbols[LR_FRAMES][LR_SYMBOL];
};
LR_STATIC_ASSERT(sizeof(struct lr_task) == 72 + 3 * 48 + 16 + LR_SYMBOL * (LR_FRAMES + 1),
                 "lr_task");

enum lr_target_status {
    LR_TARGET_NOT_RUN = 0,
    LR_TARGET_FOUND = 1,
    LR_TARGET_ABSENT = 2,
    LR_TARGET_CHANGED = 3, /* the list of modules changed while it was read: try again */
};

/* Addresses from `start` on; size 0: none. */
struct lr_range {
    __u64 start;
    __u64 size;
};

/* The module that is asked about, as it was when `target` ran last. */
struct lr_target {
    __u64 module; /* address of its struct module */
    __u64 instance_id;
    __u32 status;  /* enum lr_target_status */
    __u32 state;   /* enum lr_module_state */
    __s32 hard;    /* hard references without the kernel's base; -1 while going */
    __s32 soft;    /* outstanding soft references; -1: this kernel has none */
    __u32 freeing; /* 1: unformed, and not for the first time: it is being freed */
    __u32 soft_base;
    __u32 soft_used;
    __u32 has_init;
    __u32 has_exit; /* 0 with has_init: it can only be unloaded by force */
    __u64 ts_ns;
    char name[LR_MODULE_NAME]; /* set by userspace */
    struct lr_range text;      /* where its code is */
    struct lr_range init_text; /* the part that is freed when init has returned */
};

#endif /* LASTREF_HOLDERS_H */
