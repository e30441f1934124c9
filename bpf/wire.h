/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records that BPF programs and userspace exchange, and that recordings keep.
 *
 * A record is a struct lr_header followed by the payload that its type names. All fields have a
 * fixed width and no implicit padding. Times are nanoseconds of the boot clock
 * (bpf_ktime_get_boot_ns). The same stream of records, live or replayed, gives the same report:
 * whatever userspace adds (snapshots, the command's end, losses) is a record too.
 */
#ifndef LASTREF_WIRE_H
#define LASTREF_WIRE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#define LR_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define LR_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

enum lr_limits {
    LR_MODULE_NAME = 64, /* the kernel's MODULE_NAME_LEN is 64 - sizeof(long) */
    LR_COMM = 16,
    LR_SYMBOL = 96, /* one "function+0xoff/0xsize [module]", cut if longer */
    LR_FRAMES = 24,
    LR_TEXT = 256,
    LR_ARGUMENTS = 128, /* of a command; cut if longer */
};

enum lr_type {
    LR_NONE = 0,

    /* From BPF programs, as it happens. */
    LR_MODULE_LOAD = 1,      /* tracepoint module_load                         lr_module_load */
    LR_UNLOAD_REQUESTED = 2, /* entry of delete_module                         lr_requested */
    LR_EXIT_START = 3,       /* delete_module found the module                 no payload */
    LR_EXIT_DONE = 4,        /* the exit routine returned, or init failed      lr_exit_done */
    LR_SOFT_GET = 5,         /* a get that succeeded (only when all are asked) lr_soft_op */
    LR_SOFT_PUT = 6,         /* a put (of a going module, or all)              lr_soft_op */
    LR_GRACE_START = 7,      /* entry of delayed_free_module                   no payload */
    LR_FREEING = 8,          /* the free itself begins                         no payload */
    LR_FREED = 9,            /* free_module returned                           no payload */
    LR_RETURNED = 10,        /* delete_module returned                         lr_returned */
    LR_TASK_GONE = 11,       /* a task inside delete_module died               no payload */
    LR_SITE = 12,            /* a call site was seen for the first time        lr_site */
    LR_MODULE_REQUEST = 13,  /* the kernel has modprobe called for an alias    lr_module_request */

    /* From userspace. */
    LR_SNAPSHOT_BEGIN = 32, /* no payload; then LR_CELL of puts, LR_MODULE, LR_CELL of gets */
    LR_MODULE = 33,         /* a loaded module and the kernel's own counters   lr_module */
    LR_CELL = 34,           /* the count of one call site                      lr_cell */
    LR_SNAPSHOT_END = 35,   /* no payload */
    LR_LOSSES = 36,         /* what was lost up to now, in total               lr_losses */
    LR_COMMAND = 37,        /* the command that `run` started                  lr_text (its argv) */
    LR_COMMAND_END = 38,    /* it ended                                        lr_command_end */
    LR_NOT_ATTEMPTED = 39,  /* it ended without asking the kernel              lr_text (reason) */
    LR_END = 40,            /* the end of the observation                      no payload */
    LR_DENIED = 41,         /* requests by who may not unload, in total        lr_denied */
};

/*
 * What every record starts with. The task is the one that was running: for an operation in
 * interrupt context it is only the interrupted one, see lr_soft_op.context. A record from
 * userspace that concerns no task or module leaves them 0 and empty.
 */
struct lr_header {
    __u32 type; /* enum lr_type */
    __u32 size; /* of the whole record, this header included */
    __u64 ts_ns;
    __u64 instance_id; /* inode number of /sys/module/NAME; 0 where not known */
    __u32 pid;         /* thread group id: what userspace calls pid */
    __u32 tid;
    char comm[LR_COMM];
    char module[LR_MODULE_NAME]; /* NUL-terminated; empty where not known */
};
LR_STATIC_ASSERT(sizeof(struct lr_header) == 112, "lr_header");

struct lr_requested {
    struct lr_header h; /* h.module: as the caller spelt it, empty if it could not be read */
    __u32 flags;        /* O_NONBLOCK, O_TRUNC: delete_module(2) */
    __u32 from_command; /* 1: the caller is the command of `lastref run`, or a descendant of it */
};
LR_STATIC_ASSERT(sizeof(struct lr_requested) == 120, "lr_requested");

/* In recordings of earlier versions this record was only a header. */
struct lr_module_load {
    struct lr_header h; /* the task that loads: modprobe, or udev's worker */
    __u32 parent_pid;   /* of its parent; 0: not known */
    __u32 size;         /* of arguments[], NULs included */
    char parent_comm[LR_COMM];
    char arguments[LR_ARGUMENTS]; /* its command line, each argument ended by a NUL */
};
LR_STATIC_ASSERT(sizeof(struct lr_module_load) == 264, "lr_module_load");

struct lr_module_request {
    struct lr_header h; /* the task on whose behalf the kernel asks */
    __u64 call_site;    /* return address of request_module() */
    __u32 wait;         /* 1: the task waits until modprobe has ended */
    __u32 zero;
    char alias[LR_MODULE_NAME]; /* what is asked for: "net-pf-10", or a module's name */
    char symbol[LR_SYMBOL];     /* the call site, "%pB" */
};
LR_STATIC_ASSERT(sizeof(struct lr_module_request) == 288, "lr_module_request");

/*
 * On a kernel with soft references this is the entry of module_soft_drop_base(), on others the
 * GOING notification. A module whose init failed gets one too, from a task that is not in
 * delete_module.
 */
struct lr_exit_done {
    struct lr_header h;
    __s32 outstanding; /* soft references at that moment; -1: this kernel has none */
    __u32 soft_used;   /* 1: a soft reference was taken at some time */
    __u32 forced;      /* 1: unloaded in spite of hard references */
    __u32 init_failed; /* 1: not in delete_module: the init routine failed */
};
LR_STATIC_ASSERT(sizeof(struct lr_exit_done) == 128, "lr_exit_done");

enum lr_context {
    LR_CONTEXT_UNKNOWN = 0,
    LR_CONTEXT_TASK = 1,
    LR_CONTEXT_SOFTIRQ = 2,
    LR_CONTEXT_HARDIRQ = 3,
};

struct lr_soft_op {
    struct lr_header h;
    __u64 call_site;         /* return address of the get or the put */
    __s32 outstanding;       /* after the operation; -1: not known */
    __u32 outstanding_exact; /* 0: read beside the operation, may be off under concurrency */
    __u32 context;           /* enum lr_context */
    __u32 zero;
};
LR_STATIC_ASSERT(sizeof(struct lr_soft_op) == 136, "lr_soft_op");

struct lr_returned {
    struct lr_header h;
    __s32 ret; /* 0 or -errno */
    __u32 zero;
};
LR_STATIC_ASSERT(sizeof(struct lr_returned) == 120, "lr_returned");

enum lr_counter { LR_SOFT = 1, LR_HARD = 2 };
enum lr_kind { LR_GET = 1, LR_PUT = 2 };

/* The header names the task that was seen first at this site. */
struct lr_site {
    struct lr_header h;
    __u64 call_site;
    __u32 counter;          /* enum lr_counter */
    __u32 kind;             /* enum lr_kind */
    __u32 context;          /* enum lr_context, of that first time */
    __u32 frames;           /* how many of symbols[] are filled; 0: no stack could be taken */
    char symbol[LR_SYMBOL]; /* the call site itself, "%pB" */
    char symbols[LR_FRAMES][LR_SYMBOL]; /* its stack, innermost frame (the call site) first */
};
LR_STATIC_ASSERT(sizeof(struct lr_site) == 112 + 24 + LR_SYMBOL * (LR_FRAMES + 1), "lr_site");

/* Numbers are the kernel's enum module_state. */
enum lr_module_state {
    LR_STATE_LIVE = 0,
    LR_STATE_COMING = 1,
    LR_STATE_GOING = 2,
    LR_STATE_UNFORMED = 3,
};

struct lr_module {
    struct lr_header h; /* h.ts_ns: when the counters were read */
    __u32 state;        /* enum lr_module_state */
    __s32 hard;         /* hard references without the kernel's base; -1 while going */
    __s32 soft;         /* outstanding soft references; -1: this kernel has none */
    __u32 soft_base;    /* 1: the base is held (from init until the exit routine has returned) */
    __u32 soft_used;    /* 1: a soft reference was taken at some time */
    __u32 zero;
};
LR_STATIC_ASSERT(sizeof(struct lr_module) == 136, "lr_module");

/* h.pid, h.tid, h.comm: the task seen last at this site (within a tick); 0 and "" if unknown. */
struct lr_cell {
    struct lr_header h;
    __u64 call_site; /* 0: operations at sites that found no place in the table */
    __u64 count;     /* since tracing began */
    __u32 counter;   /* enum lr_counter */
    __u32 kind;      /* enum lr_kind */
};
LR_STATIC_ASSERT(sizeof(struct lr_cell) == 136, "lr_cell");

/*
 * What could not be observed since tracing began. `unknown` says that a count is a lower bound
 * because this kernel does not tell.
 */
struct lr_losses {
    struct lr_header h;
    __u64 events;         /* records that found the ring buffer full */
    __u64 missed_probes;  /* runs of a probe that the kernel skipped */
    __u64 map_full;       /* operations counted without their call site */
    __u32 missed_unknown; /* 1: this kernel does not count all skipped runs */
    __u32 refs_missed;    /* some were of gets and puts: LR_SOFT, LR_HARD or both */
};
LR_STATIC_ASSERT(sizeof(struct lr_losses) == 144, "lr_losses");

/* Anybody may call delete_module as often as he likes: of calls that the kernel refuses at once,
 * for want of CAP_SYS_MODULE, there is no record each. Follows LR_LOSSES where the number has
 * grown. */
struct lr_denied {
    struct lr_header h;
    __u64 requests;
};
LR_STATIC_ASSERT(sizeof(struct lr_denied) == 120, "lr_denied");

struct lr_command_end {
    struct lr_header h;
    __s32 status; /* exit status; 128 + N after signal N; -1: still running at the deadline */
    __u32 zero;
};
LR_STATIC_ASSERT(sizeof(struct lr_command_end) == 120, "lr_command_end");

struct lr_text {
    struct lr_header h;
    char text[LR_TEXT]; /* NUL-terminated */
};
LR_STATIC_ASSERT(sizeof(struct lr_text) == 368, "lr_text");

#endif /* LASTREF_WIRE_H */
