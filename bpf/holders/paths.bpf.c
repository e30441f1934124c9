// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of files and mount points, put together from the kernel's own dentries and mounts: what
 * /proc says of them takes locks that a hung mount may hold.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/mount_types.bpf.h"

enum {
    COMPONENTS_MAX = 128, /* of a path, mounts on the way counted in */
    COMPONENT_MAX = 256,  /* bytes of a name, a power of two */
};

/* Names are written from the end of the text, the second half of this, to its beginning. The
 * verifier does not see that a name ends where the last one began: so there is room for one more at
 * the end. */
static char scratch[2 * LR_PATH + COMPONENT_MAX];
struct lr_path paths[LR_PATHS_MAX];
__u32 paths_count;

struct climb {
    const struct dentry *dentry;
    const struct mount *mount;
};

/* Not on the stack: the verifier of 6.1 takes for dead what never happens in the first step of
 * bpf_loop(). */
static __u32 text_start; /* of the text so far */
/* It has reached the root. Volatile, or clang makes a byte of it, which its BTF does not say. */
static volatile __u32 whole;

/* Returns whether there was room. */
static __always_inline bool prepend(struct climb *climb)
{
    const struct dentry *dentry = climb->dentry;
    const struct qstr___length *name = (const void *)&dentry->d_name;
    __u32 length = BPF_CORE_READ(name, len) & (COMPONENT_MAX - 1);
    __u32 end = text_start & (LR_PATH - 1);
    __u32 begin;

    if (end < length + 1) {
        return false;
    }
    begin = (LR_PATH + end - length) & (2 * LR_PATH - 1);
    barrier_var(begin);
    bpf_probe_read_kernel(scratch + begin, length, BPF_CORE_READ(dentry, d_name.name));
    begin = (begin - 1) & (2 * LR_PATH - 1);
    barrier_var(begin);
    scratch[begin] = '/';
    text_start = begin - LR_PATH;
    return true;
}

static long climb_one(__u32 index, struct climb *climb)
{
    const struct dentry *dentry = climb->dentry;
    const struct mount *mount = climb->mount;
    const struct dentry *parent;

    if (mount && dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
        const struct mount *above = BPF_CORE_READ(mount, mnt_parent);

        if (above == mount) {
            whole = 1;
            return 1;
        }
        climb->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        climb->mount = above;
        return 0;
    }
    parent = BPF_CORE_READ(dentry, d_parent);
    if (!parent || parent == dentry) {
        whole = 1; /* the root of a file system that is mounted no more */
        return 1;
    }
    if (!prepend(climb)) {
        return 1;
    }
    climb->dentry = parent;
    return 0;
}

/* Keeps the path of a dentry as it is seen through a mount (0: below the root of its file system).
 * Returns its place, counted from 1, or 0 when there is no room. */
__noinline __u32 note_path(__u64 vfsmount, __u64 dentry)
{
    struct climb climb = {.dentry = (const void *)dentry,
                          .mount = mount_of((const void *)vfsmount)};
    __u32 at = paths_count;

    if (at >= LR_PATHS_MAX || !dentry) {
        return 0;
    }
    text_start = LR_PATH - 1;
    whole = 0;
    scratch[2 * LR_PATH - 1] = '\0';
    bpf_loop(COMPONENTS_MAX, climb_one, &climb, 0);
    if (whole && text_start == LR_PATH - 1) {
        text_start = LR_PATH - 2;
        scratch[2 * LR_PATH - 2] = '/';
    }
    paths[at].start = text_start;
    paths[at].whole = whole;
    bpf_probe_read_kernel(paths[at].text, LR_PATH, scratch + LR_PATH);
    paths_count = at + 1;
    return at + 1;
}
