/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keeper: has processes of its own hold things, as told line by line on standard input. It answers
 * each line with one of its own, when what it asks for is in place:
 *
 *     open /dev/net/tun         →  ok pid=71 fd=3
 *     open /no/such/file        →  error No such file or directory
 *     end 71                    →  ok
 *
 * What was asked for stays until `end PID`, or until standard input ends.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

/* What a line asks for; runs in a process of its own, and does not return. */
struct action {
    const char *name;
    int arguments; /* at least so many */
    void (*run)(int argc, char **argv);
};

extern const struct action file_actions[]; /* each ends with an empty one */
extern const struct action fuse_actions[];
extern const struct action process_actions[];

/* The answer is "ok" and this, like printf. */
void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The answer is "error" with the text of errno. */
_Noreturn void give_up(void);
_Noreturn void stay(void);

int open_or_give_up(const char *path);
/* A process of the same action, which ends with it; 0 in that process. */
pid_t another(void);

#endif
