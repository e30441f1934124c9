// SPDX-License-Identifier: GPL-2.0-only
// cycles GOAL NAMES PROCESSES [SECONDS]: loads and unloads copies of lr_soak_00 under so many
// names, as fast as it can, until GOAL of them have gone or so many seconds; prints how often each
// name was unloaded, as JSON. lr_board must be loaded.
//
// Each copy holds soft references, and is told to put them when delete_module has returned: so
// every free is deferred. None may fail but a load under a name that is still being freed.

#include "guest/soak.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_NAMES = 64, LAST_FREE_SECONDS = 120 };

struct cycles {
    atomic_long unloaded[MOST_NAMES], all;
    atomic_bool stop;
};

static struct cycles *cycles;
static long goal;
static int names, processes;

// False when the name is not free yet.
static bool load(int slot, long nth)
{
    static char *images[MOST_NAMES];
    static unsigned long size;
    char text[64];

    if (soak_is_there(slot))
        return false;
    if (!images[slot])
        images[slot] = soak_image(slot, &size);
    // One actor of each context in turn.
    snprintf(text, sizeof(text), "slot=%d actors=%d tick_us=20000", slot, 1 << (slot + nth) % 4);
    if (!syscall(SYS_init_module, images[slot], size, text))
        return true;
    if (errno != EEXIST && errno != EBUSY)
        soak_die("cannot load", text);
    return false;
}

// False when whoever loaded it still holds the hard reference that a load has for a moment.
static bool unload(int slot)
{
    char name[24];

    soak_name(slot, name);
    if (syscall(SYS_delete_module, name, O_NONBLOCK)) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            soak_die("cannot unload", name);
        return false;
    }
    cycles->unloaded[slot]++;
    cycles->all++;
    soak_tell(slot);
    return true;
}

static void cycle(int nth)
{
    bool loaded[MOST_NAMES] = {false};
    long loads = 0;
    while (!cycles->stop && cycles->all < goal) {
        bool idle = true;
        for (int slot = nth; slot < names; slot += processes) {
            if (loaded[slot]) {
                loaded[slot] = !unload(slot);
                idle = false;
            } else if (load(slot, loads)) {
                loads += loaded[slot] = true;
                idle = false;
            }
        }
        if (idle)
            soak_sleep_us(2000);
    }
    for (int slot = nth; slot < names; slot += processes)
        while (loaded[slot])
            loaded[slot] = !unload(slot);
    for (int slot = nth; slot < names; slot += processes)
        for (int tries = 0; soak_is_there(slot); tries++) {
            if (tries == LAST_FREE_SECONDS * 50) {
                errno = ETIMEDOUT;
                soak_die("is not freed:", "a module");
            }
            soak_sleep_us(20000);
        }
}

static void time_is_up(int signal)
{
    (void)signal;
    cycles->stop = true;
}

int main(int argc, char **argv)
{
    bool failed = false;
    unsigned seconds = 0;
    int status;

    if (argc == 4 || argc == 5) {
        goal = strtol(argv[1], NULL, 10);
        names = atoi(argv[2]);
        processes = atoi(argv[3]);
        seconds = argc == 5 ? atoi(argv[4]) : 0;
    }
    if (goal <= 0 || names <= 0 || names > MOST_NAMES || processes <= 0 || processes > names) {
        fprintf(stderr, "usage: cycles GOAL NAMES PROCESSES [SECONDS], at most %d names\n",
                MOST_NAMES);
        return 2;
    }
    cycles = mmap(NULL, sizeof(*cycles), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cycles == MAP_FAILED)
        soak_die("cannot map", "memory");
    for (int nth = 0; nth < processes; nth++) {
        pid_t pid = fork();
        if (pid < 0) {
            cycles->stop = true;
            soak_die("cannot start", "a process");
        }
        if (!pid) {
            cycle(nth);
            exit(0);
        }
    }
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = time_is_up, .sa_flags = SA_RESTART}, NULL);
    alarm(seconds); // 0: never
    while (wait(&status) > 0)
        if (status)
            cycles->stop = failed = true;
    for (int slot = 0; slot < names; slot++)
        printf("%s\"lr_soak_%02d\":%ld", slot ? "," : "{", slot, (long)cycles->unloaded[slot]);
    puts("}");
    return failed;
}
