// SPDX-License-Identifier: GPL-2.0-only
// Ways to have files open, and places.

#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void allow_files(rlim_t count)
{
    struct rlimit limit = {count, count};

    must(setrlimit(RLIMIT_NOFILE, &limit));
}

// open PATH
static void take_open(char **argument)
{
    keep(open_or_give_up(argument[0]));
}

// open_r PATH: to read alone
static void take_open_r(char **argument)
{
    keep(open(argument[0], O_RDONLY));
}

// open_w PATH: to write alone
static void take_open_w(char **argument)
{
    keep(open(argument[0], O_WRONLY | O_CREAT, 0600));
}

// path PATH: only with O_PATH
static void take_path(char **argument)
{
    keep(open(argument[0], O_PATH));
}

// high FD PATH: as that file descriptor
static void take_high(char **argument)
{
    int wanted = atoi(argument[0]), fd = open_or_give_up(argument[1]);

    allow_files(wanted + 1);
    keep(dup2(fd, wanted));
    close(fd);
}

// dup N PATH: one file under N file descriptors
static void take_dup(char **argument)
{
    int fd = keep(open_or_give_up(argument[1]));

    for (int i = 1; i < atoi(argument[0]); i++)
        keep(dup(fd));
}

// many N PATH: opened N times, more than are told of
static void take_many(char **argument)
{
    int fd = -1, count = atoi(argument[0]);

    allow_files(count + 64);
    for (int i = 0; i < count; i++)
        fd = open_or_give_up(argument[1]);
    tell(" last=%d", fd);
}

// sockets N FAMILY TYPE PROTOCOL: the same
static void take_sockets(char **argument)
{
    int fd = -1, count = atoi(argument[0]);

    allow_files(count + 64);
    for (int i = 0; i < count; i++)
        fd = must(socket(atoi(argument[1]), atoi(argument[2]), atoi(argument[3])));
    tell(" last=%d", fd);
}

// close NUMBER
static void take_close(char **argument)
{
    must(close(kept(argument[0])));
}

// map PATH: the memory map alone is left
static void take_map(char **argument)
{
    int fd = open_or_give_up(argument[0]);

    if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
        give_up();
    close(fd);
}

// work DIRECTORY
static void take_work(char **argument)
{
    must(chdir(argument[0]));
}

// pair: two unix sockets
static void take_pair(char **argument)
{
    int ends[2];

    (void)argument;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    keep(ends[0]);
    keep(ends[1]);
}

static void of_unix(const char *path, int (*join)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = keep(socket(AF_UNIX, SOCK_STREAM, 0));

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    must(join(fd, (void *)&address, sizeof(address)));
    if (join == bind)
        must(listen(fd, 8));
}

// unix_listen PATH
static void take_unix_listen(char **argument)
{
    of_unix(argument[0], bind);
}

// unix_connect PATH
static void take_unix_connect(char **argument)
{
    of_unix(argument[0], connect);
}

// pass SOCKET NUMBER: sends a descriptor, which nobody receives
static void take_pass(char **argument)
{
    char byte = 0, room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd = kept(argument[1]);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    must(sendmsg(kept(argument[0]), &message, 0));
}

const struct step file_steps[] = {
    {"open", 1, take_open},
    {"open_r", 1, take_open_r},
    {"open_w", 1, take_open_w},
    {"path", 1, take_path},
    {"high", 2, take_high},
    {"dup", 2, take_dup},
    {"many", 2, take_many},
    {"sockets", 4, take_sockets},
    {"close", 1, take_close},
    {"map", 1, take_map},
    {"work", 1, take_work},
    {"pair", 0, take_pair},
    {"unix_listen", 1, take_unix_listen},
    {"unix_connect", 1, take_unix_connect},
    {"pass", 2, take_pass},
    {NULL, 0, NULL},
};
