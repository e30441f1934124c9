// SPDX-License-Identifier: GPL-2.0-only
// Files, time and chance, and the module under other names.

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IMAGE "/root/modules/lr_soak_00.ko"

static unsigned long state = 1;

void soak_die(const char *what, const char *name)
{
    fprintf(stderr, "soak: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

void soak_seed(unsigned long seed)
{
    state = seed * 2654435761UL + 1;
}

// xorshift: each process has its own, and a run can be repeated with its seed.
unsigned long soak_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

void soak_sleep_us(unsigned us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000L};
    nanosleep(&t, NULL);
}

// The whole of a file, or NULL if it is not there (any more).
char *soak_read(const char *path, unsigned long *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unsigned long room = 1 << 16, used = 0;
    char *text = malloc(room);
    for (;;) {
        if (!text)
            soak_die("no memory for", path);
        long got = read(fd, text + used, room - used);
        if (got <= 0) {
            close(fd);
            if (got < 0) {
                free(text);
                return NULL;
            }
            *size = used;
            return text;
        }
        used += got;
        if (used == room)
            text = realloc(text, room *= 2);
    }
}

bool soak_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = write(fd, text, strlen(text)) == (long)strlen(text);
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

void soak_name(int slot, char name[SOAK_NAME])
{
    snprintf(name, SOAK_NAME, "lr_soak_%02d", slot);
}

// The module under another name of the same length, wherever it stands in the image.
char *soak_image(int slot, unsigned long *size)
{
    char name[SOAK_NAME];
    char *image = soak_read(IMAGE, size);
    if (!image)
        soak_die("cannot read", IMAGE);
    soak_name(slot, name);
    for (char *at = image; at + 10 <= image + *size; at++)
        if (!memcmp(at, "lr_soak_00", 10))
            memcpy(at, name, 10);
    return image;
}
