// SPDX-License-Identifier: GPL-2.0-only
// load_copies FILE NAME COUNT: loads so many copies of a module, each under a name of its own of
// the same length: the last three characters of NAME become a number.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what, const char *name)
{
    fprintf(stderr, "load_copies: %s %s: %s\n", what, name, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    size_t length = argc == 4 ? strlen(argv[2]) : 0;
    int count = argc == 4 ? atoi(argv[3]) : 0;
    char last[64], next[64], *image;
    struct stat status;

    if (length < 4 || length >= sizeof(next) || count < 1 || count > 1000) {
        fputs("usage: load_copies FILE NAME COUNT\n", stderr);
        return 2;
    }
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || fstat(fd, &status))
        return fail("cannot open", argv[1]);
    image = malloc(status.st_size);
    if (!image || read(fd, image, status.st_size) != status.st_size)
        return fail("cannot read", argv[1]);
    strcpy(last, argv[2]);
    for (int i = 0; i < count; i++) {
        char *at = image;
        snprintf(next, sizeof(next), "%.*s%03d", (int)length - 3, argv[2], i);
        while ((at = memmem(at, image + status.st_size - at, last, length)))
            memcpy(at, next, length);
        strcpy(last, next);
        if (syscall(SYS_init_module, image, status.st_size, ""))
            return fail("cannot load", next);
    }
    return 0;
}
