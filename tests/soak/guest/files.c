// SPDX-License-Identifier: GPL-2.0-only
// Files, time and chance.

#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long state = 1;

void soak_die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s %s: %s\n", program_invocation_short_name, what, name, strerror(errno));
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
