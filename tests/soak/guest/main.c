// SPDX-License-Identifier: GPL-2.0-only
// soak GOAL SEED [forced] [leaky]: until GOAL unloads were deferred, and an init failed and a
// module was forced out; prints what was done, as JSON. lr_board must be loaded.

#include "soak.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHERS = 3, FREE_SECONDS = 120 };

struct soak_shared *shared;

static void start(int nth, unsigned long seed)
{
    pid_t pid = fork();
    if (pid < 0)
        soak_die("cannot start", "a process");
    if (pid)
        return;
    soak_seed(seed + nth);
    if (nth < OWNERS)
        soak_owner(nth);
    else if (nth == OWNERS)
        soak_competitor();
    else if (nth == OWNERS + 1)
        soak_modules_reader();
    else
        soak_kallsyms_reader();
    exit(0);
}

// One that fails stops all; the others finish what they have begun.
static bool wait_for_all(void)
{
    bool ok = true;
    int status;
    while (wait(&status) > 0) {
        if (status) {
            ok = false;
            shared->stop = true;
        }
    }
    return ok;
}

static bool wait_for_the_last_free(void)
{
    for (int tries = 0; tries < FREE_SECONDS * 50; tries++) {
        unsigned long size;
        char *text = soak_read("/proc/modules", &size);
        if (!text)
            soak_die("cannot read", "/proc/modules");
        bool there = memmem(text, size, "lr_soak_", 8);
        free(text);
        if (!there)
            return true;
        soak_sleep_us(20000);
    }
    fprintf(stderr, "soak: modules are left %d s after the last unload\n", FREE_SECONDS);
    return false;
}

static void report(void)
{
    printf("{\"told\":%ld,\"refused\":%ld,\"looked\":%ld,\"too_late\":%ld,\"written\":%ld",
           shared->told, shared->refused, shared->looked, shared->too_late, shared->written);
    for (int kind = 0; kind < CLASSES; kind++) {
        struct soak_class_counts *c = &shared->classes[kind];
        printf(",\"%s\":{\"loaded\":%ld,\"unloaded\":%ld,\"failed\":%ld,\"busy\":%ld}",
               soak_class_names[kind], c->loaded, c->unloaded, c->failed, c->busy);
    }
    puts("}");
}

int main(int argc, char **argv)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        soak_die("no memory for", "the counters");
    shared->goal = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "forced"))
            shared->forced = true;
        else if (!strcmp(argv[i], "leaky"))
            shared->leaky = true;
        else
            shared->goal = 0;
    }
    if (shared->goal <= 0) {
        fputs("usage: soak GOAL SEED [forced] [leaky]\n", stderr);
        return 2;
    }
    for (int nth = 0; nth < OWNERS + OTHERS; nth++)
        start(nth, strtoul(argv[2], NULL, 10));
    bool ok = wait_for_all();
    ok &= wait_for_the_last_free();
    report();
    return ok ? 0 : 1;
}
