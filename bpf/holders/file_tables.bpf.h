/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes over the files that a task has open. Tables are read as they are, without taking a reference
 * on a file: to give back the last one would run its driver's release here.
 */
#ifndef LASTREF_FILE_TABLES_BPF_H
#define LASTREF_FILE_TABLES_BPF_H

#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/file_types.bpf.h"

struct file_table {
    __u64 task; /* a number: pointers to tasks are not handed to functions */
    struct file **files;
};

/* The file of that number; NULL: there is none. */
static __always_inline struct file *file_at(const struct file_table *table, __u32 fd)
{
    struct file *file = NULL;

    bpf_probe_read_kernel(&file, sizeof(file), &table->files[fd]);
    return file;
}

/* Threads share the table of their process, unless they have asked for one of their own. */
static __always_inline bool has_own_table(const struct task_struct *task)
{
    const struct task_struct *leader = BPF_CORE_READ(task, group_leader);

    return task == leader || BPF_CORE_READ(task, files) != BPF_CORE_READ(leader, files);
}

/* Calls that for each number up to the highest; for tasks that share a table, once. */
static __always_inline void for_each_fd(const struct task_struct *task,
                                        long (*visit)(__u32 fd, struct file_table *table))
{
    const struct fdtable *fdt;
    struct file_table table;

    if (!task || is_worker(task) || !has_own_table(task)) {
        return;
    }
    fdt = BPF_CORE_READ(task, files, fdt);
    if (fdt) {
        bpf_probe_read_kernel(&table.task, sizeof(table.task), &task);
        table.files = BPF_CORE_READ(fdt, fd);
        bpf_loop(BPF_CORE_READ(fdt, max_fds), visit, &table, 0);
    }
}

#endif /* LASTREF_FILE_TABLES_BPF_H */
