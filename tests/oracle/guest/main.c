// SPDX-License-Identifier: GPL-2.0-only
// oracle LASTREF: reads steps, one a line, and answers each with one line of JSON. What it writes
// is one zlib stream (packed.c).
//
//   begin                          the referee forgets all
//   load SLOT                      lr_refs under the slot's name
//   do SLOT COMMAND                a command for its control
//   unload SLOT
//   failinit PARAMETERS            loads lr_failinit
//   freed                          waits until everything that was unloaded is freed
//   refs start PACE [SLOT COMMAND] -- ARGUMENTS
//                                  PACE is free, or held: stopped between documents. The command
//                                  (or "open": of its file) is repeated while lastref attaches
//   refs stop
//   record start ARGUMENTS
//   record stop
//
// lr_referee must be loaded. tests/oracle/README.md has the answers.

#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int busy_slot;
static char busy_command[64];
static unsigned busy_times;

static void be_busy(void)
{
    if (!strcmp(busy_command, "open"))
        slot_open(busy_slot);
    else if (slot_control(busy_slot, busy_command))
        die("refused:", busy_command);
    busy_times++;
}

// Cuts off the first word, and returns what follows.
static char *cut(char *line)
{
    char *space = strchrnul(line, ' ');
    if (*space)
        *space++ = 0;
    return space;
}

static int slot_of(const char *word)
{
    int slot = atoi(word);
    if (slot < 0 || slot >= SLOTS) {
        errno = EINVAL;
        die("no such slot:", word);
    }
    return slot;
}

static void start_refs(char *pace)
{
    char *arguments = strstr(pace, "-- "), *rest;

    if (!arguments) {
        errno = EINVAL;
        die("no arguments in", pace);
    }
    arguments[-1] = 0;
    rest = cut(pace);
    busy_times = 0;
    if (*rest) {
        char *command = cut(rest);
        busy_slot = slot_of(rest);
        snprintf(busy_command, sizeof(busy_command), "%s", command);
    }
    refs_start(arguments + 3, !strcmp(pace, "held"), *rest ? be_busy : NULL);
    printf(",\"busy\":%u", busy_times);
    if (*rest)
        slot_show(busy_slot);
}

// Returns the slot that was touched, or -1.
static int run(const char *word, char *rest, long *ret)
{
    int slot = -1;

    if (!strcmp(word, "load") || !strcmp(word, "unload") || !strcmp(word, "do")) {
        char *command = cut(rest);
        slot = slot_of(rest);
        *ret = *word == 'l'   ? slot_load(slot)
               : *word == 'u' ? slot_unload(slot)
                              : slot_control(slot, command);
    } else if (!strcmp(word, "failinit")) {
        *ret = failinit_load(rest);
    } else if (!strcmp(word, "begin")) {
        referee_reset();
    } else if (!strcmp(word, "freed")) {
        referee_show();
    } else if (!strcmp(word, "refs") || !strcmp(word, "record")) {
        char *arguments = cut(rest);
        bool is_start = !strcmp(rest, "start");
        if (word[2] == 'c')
            is_start ? record_start(arguments) : record_stop();
        else
            is_start ? start_refs(arguments) : refs_stop();
    } else {
        errno = EINVAL;
        die("no such step:", word);
    }
    return slot;
}

int main(int argc, char **argv)
{
    static char line[512];

    if (argc != 2) {
        fputs("usage: oracle LASTREF\n", stderr);
        return 2;
    }
    tracers_init(argv[1]);
    answers_packed();

    slots_init();
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = cut(line);
        long ret = 0;
        unsigned long long before = now_ns(), after;

        printf("{\"t0\":%llu", before);
        int slot = run(line, rest, &ret);
        after = now_ns();
        printf(",\"t1\":%llu,\"ret\":%ld", after, ret);
        if (slot >= 0 && slot_loaded(slot))
            slot_show(slot);
        if (refs_running())
            refs_document(now_ns());
        puts("}");
        fflush(stdout);
    }
    return 0;
}
