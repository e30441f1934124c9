// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that use a file system of the module: they hold its mounts, not the module, but no
 * mount can go before them.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/file_tables.bpf.h"
#include "bpf/holders/map_types.bpf.h"
#include "bpf/holders/mount_types.bpf.h"

extern __u32 super_blocks_found;

static __always_inline bool is_there(const struct vfsmount *mount)
{
    return mount && pins_of_super_block((__u64)BPF_CORE_READ(mount, mnt_sb));
}

static __always_inline void report_user(const struct task_struct *task,
                                        const struct vfsmount *mount, const struct dentry *dentry,
                                        __u32 use, __s32 fd)
{
    struct lr_finding *finding = found(LR_FOUND_MOUNT_USER, 0, NULL);

    if (finding) {
        finding->within = (__u64)BPF_CORE_READ(mount, mnt_sb);
        finding->number = use;
        finding->where = !!BPF_CORE_READ(mount_of(mount), mnt_ns);
        finding->fd = fd;
        finding->path = note_path((__u64)mount, (__u64)dentry);
        name_task(&finding->task, task);
        bpf_probe_read_kernel_str(finding->name, sizeof(finding->name),
                                  BPF_CORE_READ(dentry, d_name.name));
    }
}

static long visit_fd_there(__u32 fd, struct file_table *table)
{
    const struct file *file = file_at(table, fd);
    const struct vfsmount *mount = BPF_CORE_READ(file, f_path.mnt);

    if (!file || !is_there(mount)) {
        return 0;
    }
    report_user((const void *)table->task, mount, BPF_CORE_READ(file, f_path.dentry), LR_USE_FD,
                fd);
    return 1; /* one is enough to name the process */
}

/* What a process uses without a descriptor. */
static __always_inline bool report_place(const struct task_struct *task)
{
    const struct task_struct___fs *with_fs = (const void *)task;
    const struct fs_struct *fs = BPF_CORE_READ(with_fs, fs);
    const struct mm_struct___maps *mm = (const void *)BPF_CORE_READ(task, mm);
    const struct file *exe = BPF_CORE_READ(mm, exe_file);
    const struct vfsmount *mount = BPF_CORE_READ(fs, pwd.mnt);

    if (is_there(mount)) {
        report_user(task, mount, BPF_CORE_READ(fs, pwd.dentry), LR_USE_CWD, -1);
        return true;
    }
    mount = BPF_CORE_READ(fs, root.mnt);
    if (is_there(mount)) {
        report_user(task, mount, BPF_CORE_READ(fs, root.dentry), LR_USE_ROOT, -1);
        return true;
    }
    mount = BPF_CORE_READ(exe, f_path.mnt);
    if (is_there(mount)) {
        report_user(task, mount, BPF_CORE_READ(exe, f_path.dentry), LR_USE_EXE, -1);
        return true;
    }
    return false;
}

SEC("iter/task")
int mount_users(struct bpf_iter__task *ctx)
{
    const struct task_struct *task = ctx->task;

    if (!super_blocks_found || !task || is_worker(task)) {
        return 0;
    }
    if (BPF_CORE_READ(task, group_leader) != task || !report_place(task)) {
        for_each_fd(task, visit_fd_there);
    }
    return 0;
}
