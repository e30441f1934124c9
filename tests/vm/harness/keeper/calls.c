// SPDX-License-Identifier: GPL-2.0-only
// Calls and requests that go on, and what io_uring has.

#include "keeper.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int tid; // of the thread that was started last
static int fd_in_call, fd_beside;

static void *read_it(void *nothing)
{
    static char data[1 << 16];

    tid = gettid();
    while (read(fd_in_call, data, sizeof(data)) > 0)
        ;
    return nothing;
}

static void *accept_it(void *nothing)
{
    tid = gettid();
    accept(fd_in_call, NULL, NULL);
    return nothing;
}

static void *poll_it(void *nothing)
{
    struct pollfd all[12] = {0}; // more than the kernel has room for on its stack

    tid = gettid();
    for (int i = 0; i < 11; i++)
        all[i].fd = fd_beside;
    all[11].fd = fd_in_call;
    all[11].events = POLLIN;
    poll(all, 12, -1);
    return nothing;
}

// That waits, whatever it was opened for.
static int waiting(const char *number)
{
    int fd = kept(number);

    must(fcntl(fd, F_SETFL, must(fcntl(fd, F_GETFL)) & ~O_NONBLOCK));
    return fd;
}

// Has a thread of its own make a call, and waits until that sleeps.
static void wait_in(void *(*call)(void *), const char *file_number, int number)
{
    char path[64], line[64] = "";
    pthread_t thread;

    tid = 0;
    fd_in_call = waiting(file_number);
    if (pthread_create(&thread, NULL, call, NULL))
        give_up();
    do {
        FILE *file;

        do
            usleep(10000);
        while (!tid);
        snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
        file = fopen(path, "r");
        if (!file || !fgets(line, sizeof(line), file))
            give_up();
        fclose(file);
    } while (strtol(line, NULL, 10) != number || line[0] == 'r'); // "running"
}

// get NUMBER: reads what is there
static void take_get(char **argument)
{
    static char data[1 << 16];

    must(read(kept(argument[0]), data, sizeof(data)));
}

// read NUMBER: a thread waits for something to read
static void take_read(char **argument)
{
    wait_in(read_it, argument[0], SYS_read);
}

// await NUMBER: a thread waits for a connection
static void take_await(char **argument)
{
    wait_in(accept_it, argument[0], SYS_accept);
}

// poll NUMBER: a thread waits for something to read there, and for nothing at the next one
static void take_poll(char **argument)
{
    char next[16];

    snprintf(next, sizeof(next), "%d", atoi(argument[0]) + 1);
    fd_beside = kept(next);
    wait_in(poll_it, argument[0], SYS_poll);
}

// submit NUMBER: an io_uring of its own is to read, and waits for it
static void take_submit(char **argument)
{
    struct io_uring_params parameters = {0};
    int ring = keep(syscall(SYS_io_uring_setup, 4, &parameters));
    static char data[1 << 16];
    struct io_uring_sqe *entries =
        mmap(NULL, 4 * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    char *queue = mmap(NULL, parameters.sq_off.array + 4 * sizeof(int), PROT_READ | PROT_WRITE,
                       MAP_SHARED, ring, IORING_OFF_SQ_RING);

    if (entries == MAP_FAILED || queue == MAP_FAILED)
        give_up();
    entries[0].opcode = IORING_OP_READ;
    entries[0].fd = waiting(argument[0]);
    entries[0].addr = (unsigned long)data;
    entries[0].len = sizeof(data);
    ((unsigned int *)(queue + parameters.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned int *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) - 1);
}

// ring NUMBER: registers a descriptor with an io_uring of its own
static void take_ring(char **argument)
{
    struct io_uring_params parameters = {0};
    int ring = keep(syscall(SYS_io_uring_setup, 4, &parameters));
    int fd = kept(argument[0]);

    must(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1));
}

const struct step call_steps[] = {
    {"get", 1, take_get},   {"read", 1, take_read},     {"await", 1, take_await},
    {"poll", 1, take_poll}, {"submit", 1, take_submit}, {"ring", 1, take_ring},
    {NULL, 0, NULL},
};
