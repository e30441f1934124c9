// SPDX-License-Identifier: GPL-2.0-only
/*
 * With two arguments, an object file and a path in a bpffs: attaches its only program and pins the
 * link. With one: has a BPF object (a path in a bpffs) or a tracepoint (its id) open until it is
 * killed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
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

static int attach(const char *file, const char *pin)
{
    struct bpf_object *object = bpf_object__open(file);
    struct bpf_link *link = NULL;

    if (object && !bpf_object__load(object)) {
        link = bpf_program__attach(bpf_object__next_program(object, NULL));
    }
    if (!link || bpf_link__pin(link, pin)) {
        perror("why_bpf: attach");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return attach(argv[1], argv[2]);
    }

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
