// SPDX-License-Identifier: GPL-2.0-only
// Ways to have files open, in one process or in several.

#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void allow_files(rlim_t count)
{
    struct rlimit limit = {count, count};

    if (setrlimit(RLIMIT_NOFILE, &limit))
        give_up();
}

// open PATH [NAME]: by a process of that name
static void run_open(int argc, char **argv)
{
    int fd = open_or_give_up(argv[1]);

    if (argc > 2)
        prctl(PR_SET_NAME, argv[2]);
    answer("pid=%d fd=%d", getpid(), fd);
    stay();
}

// path PATH: only with O_PATH
static void run_path(int argc, char **argv)
{
    int fd = open(argv[argc - 1], O_PATH);

    if (fd < 0)
        give_up();
    answer("pid=%d fd=%d", getpid(), fd);
    stay();
}

// high FD PATH: as that file descriptor
static void run_high(int argc, char **argv)
{
    int wanted = atoi(argv[1]), fd = open_or_give_up(argv[argc - 1]);

    allow_files(wanted + 1);
    if (dup2(fd, wanted) != wanted)
        give_up();
    close(fd);
    answer("pid=%d fd=%d", getpid(), wanted);
    stay();
}

// dup N PATH: one file under N file descriptors
static void run_dup(int argc, char **argv)
{
    int fd = open_or_give_up(argv[argc - 1]), last = fd;

    for (int i = 1; i < atoi(argv[1]); i++)
        if ((last = dup(fd)) < 0)
            give_up();
    answer("pid=%d fd=%d last=%d", getpid(), fd, last);
    stay();
}

// many N PATH: opened N times
static void run_many(int argc, char **argv)
{
    int fd = -1, count = atoi(argv[1]);

    allow_files(count + 64);
    for (int i = 0; i < count; i++)
        fd = open_or_give_up(argv[argc - 1]);
    answer("pid=%d last=%d", getpid(), fd);
    stay();
}

// share N PATH: one file, in N processes
static void run_share(int argc, char **argv)
{
    int fd = open_or_give_up(argv[argc - 1]);
    char pids[1024];
    int length = snprintf(pids, sizeof(pids), "%d", getpid());

    for (int i = 1; i < atoi(argv[1]); i++) {
        pid_t pid = another();

        if (!pid)
            stay();
        length += snprintf(pids + length, sizeof(pids) - length, ",%d", pid);
    }
    answer("pid=%s fd=%d", pids, fd);
    stay();
}

// map PATH: the memory map alone is left
static void run_map(int argc, char **argv)
{
    int fd = open_or_give_up(argv[argc - 1]);

    if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
        give_up();
    close(fd);
    answer("pid=%d", getpid());
    stay();
}

static void send_fd(int socket, int fd)
{
    char byte = 0, room[CMSG_SPACE(sizeof(fd))] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    if (sendmsg(socket, &message, 0) != 1)
        give_up();
}

// flight PATH: sent to a socket from which nobody has received it
static void run_flight(int argc, char **argv)
{
    int fd = open_or_give_up(argv[argc - 1]), ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        give_up();
    send_fd(ends[0], fd);
    close(fd);
    answer("pid=%d fd=%d", getpid(), ends[1]);
    stay();
}

// socket FAMILY TYPE PROTOCOL: their numbers
static void run_socket(int argc, char **argv)
{
    int fd = socket(atoi(argv[1]), atoi(argv[2]), atoi(argv[argc - 1]));

    if (fd < 0)
        give_up();
    answer("pid=%d fd=%d", getpid(), fd);
    stay();
}

// sockets N FAMILY TYPE PROTOCOL: the same, N times
static void run_sockets(int argc, char **argv)
{
    int fd = -1, count = atoi(argv[1]);

    allow_files(count + 64);
    for (int i = 0; i < count; i++)
        if ((fd = socket(atoi(argv[2]), atoi(argv[3]), atoi(argv[argc - 1]))) < 0)
            give_up();
    answer("pid=%d last=%d", getpid(), fd);
    stay();
}

const struct action file_actions[] = {
    {"open", 1, run_open},       {"path", 1, run_path},     {"high", 2, run_high},
    {"dup", 2, run_dup},         {"many", 2, run_many},     {"share", 2, run_share},
    {"map", 1, run_map},         {"flight", 1, run_flight}, {"socket", 3, run_socket},
    {"sockets", 4, run_sockets}, {NULL, 0, NULL},
};
