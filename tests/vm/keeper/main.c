// SPDX-License-Identifier: GPL-2.0-only
// keeper.h says what this does.

#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 16, ACTIONS = 4096 };

static pid_t begun[ACTIONS];
static int count;

static int answers = -1; // of a process that does an action, to the first one

void answer(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    dprintf(answers, "ok ");
    vdprintf(answers, format, arguments);
    dprintf(answers, "\n");
    va_end(arguments);
    close(answers);
}

void give_up(void)
{
    dprintf(answers, "error %s\n", strerror(errno));
    _exit(1);
}

void stay(void)
{
    for (;;)
        pause();
}

int open_or_give_up(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK);

    if (fd < 0)
        fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        give_up();
    return fd;
}

pid_t another(void)
{
    pid_t pid = fork();

    if (pid < 0)
        give_up();
    if (!pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static const struct action *find(const struct action *actions, const char *name)
{
    for (; actions->name; actions++)
        if (!strcmp(actions->name, name))
            return actions;
    return NULL;
}

static void begin(const struct action *action, int argc, char **argv)
{
    char line[4096];
    ssize_t got, length = 0;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
        printf("error %s\n", strerror(errno));
        return;
    }
    if (!pid) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        dup2(null, 0);
        dup2(null, 1);
        close(null);
        close(ends[0]);
        answers = ends[1];
        action->run(argc, argv);
        _exit(0);
    }
    setpgid(pid, pid);
    if (count < ACTIONS)
        begun[count++] = pid;
    close(ends[1]);
    while ((got = read(ends[0], line + length, sizeof(line) - 1 - length)) > 0) {
        length += got;
        if (line[length - 1] == '\n')
            break;
    }
    close(ends[0]);
    line[length] = 0;
    printf("%s", length ? line : "error it ended without an answer\n");
}

// All processes of an action, of which that is the first.
static void end(pid_t pid)
{
    kill(-pid, SIGKILL);
    while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
        ;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (getline(&line, &size, stdin) > 0) {
        char *argv[ARGUMENTS + 1] = {0};
        const struct action *action;
        int argc = 0;

        for (char *word = strtok(line, " \n"); word && argc < ARGUMENTS; word = strtok(NULL, " \n"))
            argv[argc++] = word;
        if (!argc)
            continue;
        if (!strcmp(argv[0], "end") && argc == 2) {
            end(atoi(argv[1]));
            printf("ok\n");
            continue;
        }
        action = find(file_actions, argv[0]);
        if (!action)
            action = find(process_actions, argv[0]);
        if (!action)
            action = find(fuse_actions, argv[0]);
        if (!action || argc - 1 < action->arguments)
            printf("error nobody knows how to %s\n", argv[0]);
        else
            begin(action, argc, argv);
    }
    for (int i = 0; i < count; i++) // one may wait for another
        kill(-begun[i], SIGKILL);
    while (count)
        end(begun[--count]);
    return 0;
}
