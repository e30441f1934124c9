// SPDX-License-Identifier: GPL-2.0-only
// rounds N STEP…: does the steps N times, as fast as system calls can. A step is a load, written
// "+FILE PARAMETERS", or an unload, "-NAME". None may fail: the first that does ends the run.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int load(const char *step)
{
    char file[4096];
    size_t length = strcspn(step, " ");
    if (length >= sizeof(file)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(file, step, length);
    file[length] = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int ret = syscall(SYS_finit_module, fd, step + length, 0);
    int error = errno;
    close(fd);
    errno = error;
    return ret;
}

static int unload(const char *name)
{
    return syscall(SYS_delete_module, name, O_NONBLOCK);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds <= 0) {
        fputs("usage: rounds N STEP…, a step is \"+FILE PARAMETERS\" or -NAME\n", stderr);
        return 2;
    }
    double began = now();
    for (long round = 1; round <= rounds; round++) {
        for (int i = 2; i < argc; i++) {
            const char *step = argv[i];
            if (step[0] != '+' && step[0] != '-') {
                fprintf(stderr, "rounds: %s is no step: give +FILE or -NAME\n", step);
                return 2;
            }
            if (step[0] == '+' ? load(step + 1) : unload(step + 1)) {
                fprintf(stderr, "rounds: round %ld, %s: %s\n", round, step, strerror(errno));
                return 1;
            }
        }
    }
    printf("%ld rounds in %.1f s\n", rounds, now() - began);
    return 0;
}
