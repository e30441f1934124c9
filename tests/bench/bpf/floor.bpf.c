// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor: programs that do nothing, attached where -DFIRST, -DSECOND and -DTHIRD say. What they
 * cost is the way to a program and back.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC(FIRST)
int first(void *ctx)
{
    return 0;
}

SEC(SECOND)
int second(void *ctx)
{
    return 0;
}

#ifdef THIRD
SEC(THIRD)
int third(void *ctx)
{
    return 0;
}
#endif
