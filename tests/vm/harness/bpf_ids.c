// SPDX-License-Identifier: GPL-2.0-only
//
// Prints all BPF programs, links and maps that the kernel has, by their numbers, one a line.

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    int next;
} kinds[] = {
    {"program", BPF_PROG_GET_NEXT_ID},
    {"link", BPF_LINK_GET_NEXT_ID},
    {"map", BPF_MAP_GET_NEXT_ID},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        union bpf_attr at;

        memset(&at, 0, sizeof(at));
        for (; !syscall(SYS_bpf, kinds[i].next, &at, sizeof(at)); at.start_id = at.next_id)
            printf("%s %u\n", kinds[i].name, at.next_id);
        if (errno != ENOENT) { // which says that there are no more
            perror("bpf");
            return 1;
        }
    }
    return 0;
}
