// SPDX-License-Identifier: GPL-2.0-only
// cycles GOAL: loads and unloads copies of lr_soak_00 under 64 names, as fast as it can, until GOAL
// of them have gone; prints how often each name was unloaded, as JSON. lr_board must be loaded.
//
// Each copy holds soft references, and is told to put them when delete_module has returned: so
// every free is deferred. None may fail but a load under a name that is still being freed.

#include "guest/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GO "/sys/kernel/debug/lr_board/go"

enum { NAMES = 64, PROCESSES = 4, LAST_FREE_SECONDS = 120 };

struct shared {
    atomic_long unloaded[NAMES], all;
    atomic_bool stop;
};

static struct shared *shared;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "cycles: %s %s: %s\n", what, name, strerror(errno));
    shared->stop = true;
    exit(1);
}

static bool is_there(int slot)
{
    char path[64];
    snprintf(path, sizeof(path), "/sys/module/lr_soak_%02d", slot);
    return !access(path, F_OK);
}

// False when the name is not free yet.
static bool load(int slot, long nth)
{
    static char *images[NAMES];
    static unsigned long size;
    char text[64];

    if (is_there(slot))
        return false;
    if (!images[slot])
        images[slot] = soak_image(slot, &size);
    // One actor of each context in turn.
    snprintf(text, sizeof(text), "slot=%d actors=%d tick_us=20000", slot, 1 << (slot + nth) % 4);
    if (!syscall(SYS_init_module, images[slot], size, text))
        return true;
    if (errno != EEXIST && errno != EBUSY)
        die("cannot load", text);
    return false;
}

// False when whoever loaded it still holds the hard reference that a load has for a moment.
static bool unload(int slot)
{
    char name[SOAK_NAME];

    soak_name(slot, name);
    if (syscall(SYS_delete_module, name, O_NONBLOCK)) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            die("cannot unload", name);
        return false;
    }
    shared->unloaded[slot]++;
    shared->all++;
    snprintf(name, sizeof(name), "%d", slot);
    if (!soak_write(GO, name))
        die("cannot write", GO);
    return true;
}

static void cycle(int nth, long goal)
{
    bool loaded[NAMES] = {false};
    long loads = 0;
    while (!shared->stop && shared->all < goal) {
        int idle = 0;
        for (int slot = nth; slot < NAMES; slot += PROCESSES) {
            if (loaded[slot])
                loaded[slot] = !unload(slot);
            else if (load(slot, loads))
                loads += loaded[slot] = true;
            else
                idle++;
        }
        if (idle == NAMES / PROCESSES)
            soak_sleep_us(2000);
    }
    for (int slot = nth; slot < NAMES; slot += PROCESSES)
        while (loaded[slot])
            loaded[slot] = !unload(slot);
    for (int slot = nth; slot < NAMES; slot += PROCESSES)
        for (int tries = 0; is_there(slot); tries++) {
            if (tries == LAST_FREE_SECONDS * 50) {
                errno = ETIMEDOUT;
                die("is not freed:", "a module");
            }
            soak_sleep_us(20000);
        }
}

int main(int argc, char **argv)
{
    long goal = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    int failed = 0, status;

    if (goal <= 0) {
        fputs("usage: cycles GOAL\n", stderr);
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("cycles: no memory");
        return 1;
    }
    for (int nth = 0; nth < PROCESSES; nth++) {
        pid_t pid = fork();
        if (pid < 0)
            die("cannot start", "a process");
        if (!pid) {
            cycle(nth, goal);
            exit(0);
        }
    }
    while (wait(&status) > 0)
        failed |= status;
    for (int slot = 0; slot < NAMES; slot++)
        printf("%s\"lr_soak_%02d\":%ld", slot ? "," : "{", slot, (long)shared->unloaded[slot]);
    puts("}");
    return failed ? 1 : 0;
}
