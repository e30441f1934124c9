// SPDX-License-Identifier: GPL-2.0-only
// lm_run ROUNDS FILE.ko [PARAMETERS]: loads the module and unloads it again, that many times, and
// prints for each round what the two system calls took of this thread's processor time:
//
//	cpu LOAD_NS UNLOAD_NS
//
// Each round begins when the module of the last one is gone.

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 20000000
#define POLLS_MAX 3000

static void fail(const char *what, const char *whom)
{
    fprintf(stderr, "lm_run: cannot %s %s: %s\n", what, whom, strerror(errno));
    exit(1);
}

static long long now(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time))
        fail("read", "the clock");
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void wait_until_gone(const char *name)
{
    const struct timespec poll = {.tv_nsec = POLL_NS};
    char path[256];
    int polls = 0;

    snprintf(path, sizeof(path), "/sys/module/%s", name);
    // Once more after it has gone from sysfs: the free is not quite through then.
    do {
        if (polls++ == POLLS_MAX) {
            errno = ETIMEDOUT;
            fail("see the end of", path);
        }
        nanosleep(&poll, NULL);
    } while (access(path, F_OK) == 0);
    nanosleep(&poll, NULL);
}

static void round_trip(int file, const char *name, const char *parameters)
{
    long long before, loaded, began, unloaded;

    before = now(CLOCK_THREAD_CPUTIME_ID);
    if (syscall(SYS_finit_module, file, parameters, 0))
        fail("load", name);
    loaded = now(CLOCK_THREAD_CPUTIME_ID);
    // What the load has left for later (its init sections) is not the unload's.
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    began = now(CLOCK_THREAD_CPUTIME_ID);
    if (syscall(SYS_delete_module, name, O_NONBLOCK))
        fail("unload", name);
    unloaded = now(CLOCK_THREAD_CPUTIME_ID);
    wait_until_gone(name);
    printf("cpu %lld %lld\n", loaded - before, unloaded - began);
}

int main(int argc, char **argv)
{
    const char *parameters = argc > 3 ? argv[3] : "";
    char name[64];
    int file, rounds;

    if (argc < 3 || argc > 4 || (rounds = atoi(argv[1])) < 1) {
        fprintf(stderr, "usage: lm_run ROUNDS FILE.ko [PARAMETERS]\n");
        return 2;
    }
    snprintf(name, sizeof(name), "%s", basename(argv[2]));
    name[strcspn(name, ".")] = 0;
    file = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (file < 0)
        fail("open", argv[2]);
    while (rounds--)
        round_trip(file, name, parameters);
    return 0;
}
