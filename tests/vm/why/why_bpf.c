// SPDX-License-Identifier: GPL-2.0-only
// why_bpf FILE PATH: attaches the only program of an object file, and pins the link in a bpffs.
#include <bpf/libbpf.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct bpf_object *object = argc == 3 ? bpf_object__open(argv[1]) : NULL;
    struct bpf_link *link = NULL;

    if (object && !bpf_object__load(object)) {
        link = bpf_program__attach(bpf_object__next_program(object, NULL));
    }
    if (!link || bpf_link__pin(link, argv[2])) {
        perror("why_bpf");
        return 1;
    }
    return 0;
}
