// SPDX-License-Identifier: GPL-2.0-only
// Text, files and time.

#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void die(const char *what, const char *name)
{
    fprintf(stderr, "oracle: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

unsigned long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void sleep_us(unsigned us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000L};
    nanosleep(&t, NULL);
}

void text_add(struct text *text, const char *data, size_t length)
{
    if (text->used + length + 1 > text->room) {
        text->room = 2 * (text->used + length + 1);
        text->data = realloc(text->data, text->room);
        if (!text->data)
            die("no memory for", "a text");
    }
    memcpy(text->data + text->used, data, length);
    text->used += length;
    text->data[text->used] = 0;
}

void text_clear(struct text *text)
{
    text->used = 0;
    text_add(text, "", 0);
}

// The whole of a file; false if it is not there.
bool read_file(const char *path, struct text *text)
{
    char piece[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    long got;

    text_clear(text);
    if (fd < 0)
        return false;
    while ((got = read(fd, piece, sizeof(piece))) > 0)
        text_add(text, piece, got);
    if (got < 0)
        die("cannot read", path);
    close(fd);
    return true;
}

long write_file(const char *path, const char *data)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    long ret = write(fd, data, strlen(data)) < 0 ? -errno : 0;
    close(fd);
    return ret;
}
