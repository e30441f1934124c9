// SPDX-License-Identifier: GPL-2.0-only
/* Has a BPF object (a path in a bpffs) or a tracepoint (its id) open until it is killed. */
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_object(const char *path)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.pathname = (uintptr_t)path;
    return (int)syscall(__NR_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
}

static int open_tracepoint(const char *id)
{
    struct perf_event_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.type = PERF_TYPE_TRACEPOINT;
    attr.size = sizeof(attr);
    attr.config = strtoull(id, NULL, 10);
    return (int)syscall(__NR_perf_event_open, &attr, -1, 0, -1, 0);
}

int main(int argc, char **argv)
{
    const int fd = argc != 2           ? -1
                   : argv[1][0] == '/' ? open_object(argv[1])
                                       : open_tracepoint(argv[1]);

    if (fd < 0) {
        perror("why_bpf");
        return 1;
    }
    printf("open %d\n", fd);
    fflush(stdout);
    for (;;) {
        pause();
    }
}
