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

enum { WORDS = 1024, GROUPS = 4096, DESCRIPTORS = 512 };

static pid_t begun[GROUPS];
static int count;

// Of a process that takes steps.
static int answers = -1; // to the first process
static const char *now;  // the step
static int descriptors[DESCRIPTORS], descriptor_count;
static char pids[1024], more[512];

int keep(int fd)
{
    must(fd);
    if (descriptor_count < DESCRIPTORS)
        descriptors[descriptor_count++] = fd;
    return fd;
}

int kept(const char *number)
{
    int at = atoi(number);

    if (at >= descriptor_count) {
        errno = EBADF;
        give_up();
    }
    return descriptors[at];
}

void tell(const char *format, ...)
{
    size_t length = strlen(more);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(more + length, sizeof(more) - length, format, arguments);
    va_end(arguments);
}

void tell_pid(pid_t pid)
{
    size_t length = strlen(pids);

    snprintf(pids + length, sizeof(pids) - length, "%s%d", length ? "," : "", pid);
}

void answer(void)
{
    char fds[DESCRIPTORS * 8] = "";
    size_t length = 0;

    if (!*pids)
        tell_pid(getpid());
    for (int i = 0; i < descriptor_count; i++)
        length +=
            snprintf(fds + length, sizeof(fds) - length, i ? ",%d" : " fd=%d", descriptors[i]);
    dprintf(answers, "pid=%s%s%s\n", pids, fds, more);
    close(answers);
}

void give_up(void)
{
    dprintf(answers, "error %s: %s\n", now, strerror(errno));
    _exit(1);
}

void stay(void)
{
    for (;;)
        pause();
}

long must(long result)
{
    if (result < 0)
        give_up();
    return result;
}

int open_or_give_up(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK);

    return must(fd < 0 ? open(path, O_RDONLY | O_NONBLOCK) : fd);
}

pid_t another(void)
{
    pid_t pid = must(fork());

    if (!pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static const struct step *find(const char *name)
{
    static const struct step *const all[] = {file_steps, process_steps, socket_steps,
                                             call_steps, device_steps,  fuse_steps};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        for (const struct step *step = all[i]; step->name; step++)
            if (!strcmp(step->name, name))
                return step;
    return NULL;
}

// Whether all steps are known and have their arguments.
static int make_sense(int words, char **word)
{
    for (int at = 0; at < words;) {
        const struct step *step = find(word[at]);

        if (!step || at + 1 + step->arguments > words) {
            printf("error nobody knows how to %s\n", word[at]);
            return 0;
        }
        at += 1 + step->arguments;
    }
    return 1;
}

static _Noreturn void take(int words, char **word)
{
    for (int at = 0; at < words;) {
        const struct step *step = find(word[at]);

        now = step->name;
        step->take(&word[at + 1]);
        at += 1 + step->arguments;
    }
    answer();
    stay();
}

static void begin(int words, char **word)
{
    char line[DESCRIPTORS * 8];
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
        // The descriptors of what is held begin with 3.
        answers = fcntl(ends[1], F_DUPFD_CLOEXEC, 200);
        close(ends[1]);
        take(words, word);
    }
    setpgid(pid, pid);
    if (count < GROUPS)
        begun[count++] = pid;
    close(ends[1]);
    while ((got = read(ends[0], line + length, sizeof(line) - 1 - length)) > 0) {
        length += got;
        if (line[length - 1] == '\n')
            break;
    }
    close(ends[0]);
    line[length] = 0;
    if (!length)
        printf("error it ended without an answer\n");
    else if (!strncmp(line, "error", 5))
        printf("%s", line);
    else
        printf("ok group=%d %s", pid, line);
}

static void end(pid_t group)
{
    kill(-group, SIGKILL);
    while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
        ;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (getline(&line, &size, stdin) > 0) {
        char *word[WORDS + 1] = {0};
        int words = 0;

        for (char *at = strtok(line, " \n"); at && words < WORDS; at = strtok(NULL, " \n"))
            word[words++] = at;
        if (words == 2 && !strcmp(word[0], "end")) {
            end(atoi(word[1]));
            printf("ok\n");
        } else if (make_sense(words, word)) {
            begin(words, word);
        }
    }
    for (int i = 0; i < count; i++) // one may wait for another
        kill(-begun[i], SIGKILL);
    while (count)
        end(begun[--count]);
    return 0;
}
