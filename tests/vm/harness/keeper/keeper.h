/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keeper: has processes of its own hold things, as told line by line on standard input. A line is
 * steps, which one process takes in their order. It answers each line with one of its own, when
 * what it asks for is in place:
 *
 *     open /dev/net/tun                    →  ok group=71 pid=71 fd=3
 *     open /dev/net/tun share 2            →  ok group=72 pid=72,73 fd=3
 *     listen 5000 connect 5000 accept 0    →  ok group=74 pid=74 fd=3,4,5
 *     open /no/such/file                   →  error open: No such file or directory
 *     end 71                               →  ok
 *
 * What was asked for stays until its group is ended, or until standard input ends. Steps name the
 * descriptors of those before them by their numbers in the answer's list, from 0.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

/* Fails with give_up(); the process goes on to the next step if it returns. */
struct step {
    const char *name;
    int arguments;
    void (*take)(char **argument);
};

extern const struct step call_steps[]; /* each ends with an empty one */
extern const struct step device_steps[];
extern const struct step file_steps[];
extern const struct step fuse_steps[];
extern const struct step process_steps[];
extern const struct step socket_steps[];

/* A descriptor for the answer's list; gives up if it is none. */
int keep(int fd);
/* The descriptor of that number in the list. */
int kept(const char *number);
/* More for the answer, like printf; begins with a space. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The process holds something, in place of the one that takes the steps, or beside others. */
void tell_pid(pid_t pid);
/* The answer, now, by a step after which there is none. */
void answer(void);
/* The answer is "error" with the text of errno. */
_Noreturn void give_up(void);
_Noreturn void stay(void);

/* Gives up if that is negative. */
long must(long result);
/* For reading and writing, if that is possible. */
int open_or_give_up(const char *path);
/* A process of the same group, which ends with it; 0 in that process. */
pid_t another(void);

#endif
