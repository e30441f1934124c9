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
    LR_RECEIVERS_MAX = 64,
    LR_PATHS_MAX = 2048,
    LR_PATH = 512, /* a power of two */
};

/* What a finding is. The comment says what `object`, `within`, `number` and `name` are. */
enum lr_finding_kind {
    /* An open file. object: the struct file. within: its super block. number: the device number of
     * a device file. name: the last part of its path. */
    LR_FOUND_FILE = 1,
    /* A terminal that a process has open. name: its name. */
    LR_FOUND_TTY = 31,
    /* A socket in a file table. object: the struct file. within: the net namespace's inode number.
     * number: the socket's. socket: what it is. */
    LR_FOUND_SOCKET = 40,
    /* One of TCP's that no file leads to. object: the struct sock. within: the net namespace.
     * number: enum lr_tcp. socket: what it is. */
    LR_FOUND_TCP_SOCKET = 42,
    /* One that a protocol has made for itself; as above. */
    LR_FOUND_KERNEL_SOCKET = 43,
    /* A file in flight. object: the struct file. within: the net namespace. number: the inode
     * number of the socket that it waits at; 0: of one not accepted. name: part of its path. */
    LR_FOUND_IN_FLIGHT = 49,
    /* Not a holder: who has such a socket. number: as above. */
    LR_FOUND_RECEIVER = 50,
    /* A file that is registered with an io_uring. object: the struct file. fd: of the ring.
     * number: the slot. name: part of its path. */
    LR_FOUND_REGISTERED = 51,
    /* A module that uses this one. object: the struct module_use. number: enum lr_module_state.
     * within: the soft references that it waits for, if its exit routine has returned. */
    LR_FOUND_DEPENDENT = 60,
    /* The same for a module that this one uses: it holds nothing, but is held. */
    LR_FOUND_USED = 61,
    /* A BPF program. object: the struct bpf_prog. number: its id. within: the id of the link by
     * which it was found, or 0. name: its name. */
    LR_FOUND_BPF_PROG = 62,
    /* A BPF link. object: the struct bpf_link or bpf_trampoline. The rest is as above. */
    LR_FOUND_BPF_LINK = 63,
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
    LR_PIN_SCSI_HOST = 1 << 10,         /* scsi_device->host->hostt->module */
    LR_PIN_TTY_DRIVER = 1 << 11,        /* tty->driver->owner */
    LR_PIN_TTY_DISCIPLINE = 1 << 12,    /* tty->ldisc->ops->owner */
    LR_PIN_FS_CONTEXT = 1 << 8,         /* fs_context->fs_type->owner, of fsopen(2) */
    LR_PIN_SOCKET_OPERATIONS = 1 << 16, /* socket->ops->owner */
    LR_PIN_SOCKET_PROTOCOL = 1 << 17,   /* sk->sk_prot_creator->owner */
    LR_PIN_TCP_CONGESTION = 1 << 18,    /* icsk_ca_ops->owner */
    LR_PIN_TCP_ULP = 1 << 19,           /* icsk_ulp_ops->owner */
    LR_PIN_NETLINK = 1 << 20,           /* netlink_sock->module */
    LR_PIN_NETLINK_DUMP = 1 << 21,      /* netlink_sock->cb.module, while a dump goes on */
    LR_PIN_VSOCK_TRANSPORT = 1 << 23,   /* vsock_sock->transport->module */
    LR_PIN_DEVICE_SOCKET = 1 << 24,     /* the same as PROTOCOL, of the socket inside tun's file */
    LR_PINS_OF_SOCKETS = 0xff << 16,
    LR_PIN_BPF_ATTACH = 1 << 25,     /* prog->aux->mod */
    LR_PIN_BPF_VARIABLES = 1 << 26,  /* prog->aux->used_btfs[].module */
    LR_PIN_BPF_FUNCTIONS = 1 << 27,  /* prog->aux->kfunc_btf_tab->descs[].module */
    LR_PIN_BPF_TRAMPOLINE = 1 << 28, /* trampoline->mod */
    LR_PIN_BPF_TRACEPOINT = 1 << 29, /* the module that link->btp lies in */
    LR_PIN_BPF_KPROBES = 1 << 30,    /* link->mods[] */
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

/* The module that is asked about; set by userspace. */
struct lr_target {
    __u64 module; /* address of its struct module */
};

#endif /* LASTREF_HOLDERS_H */
