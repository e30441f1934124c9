// SPDX-License-Identifier: GPL-2.0-only
// Processes in states in which they are easily overlooked.

#include "keeper.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of_thread;
static int fd_of_thread;
static sem_t opened;

static void *own_table(void *nothing)
{
    if (unshare(CLONE_FILES))
        give_up();
    fd_of_thread = open_or_give_up(path_of_thread);
    sem_post(&opened);
    stay();
    return nothing;
}

// thread PATH: a thread that shares its files with no other; to those the number is /dev/zero
static void run_thread(int argc, char **argv)
{
    pthread_t thread;

    path_of_thread = argv[argc - 1];
    if (sem_init(&opened, 0, 0) || pthread_create(&thread, NULL, own_table, NULL) ||
        sem_wait(&opened) || dup2(open("/dev/zero", O_RDONLY), fd_of_thread) != fd_of_thread)
        give_up();
    answer("pid=%d fd=%d", getpid(), fd_of_thread);
    stay();
}

static void *linger(void *nothing)
{
    stay();
    return nothing;
}

static void *speak(void *nothing)
{
    char path[64], line[256] = "";

    // The first thread is a zombie once it has given up its files.
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid(), getpid());
    while (!strstr(line, ") Z ")) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = read(fd, line, sizeof(line) - 1);

        line[got > 0 ? got : 0] = 0;
        close(fd);
    }
    answer("pid=%d fd=%d", getpid(), (int)(long)nothing);
    stay();
    return nothing;
}

// leaderless PATH: a process whose first thread has ended, and three others have not
static void run_leaderless(int argc, char **argv)
{
    long fd = open_or_give_up(argv[argc - 1]);
    pthread_t thread;

    pthread_create(&thread, NULL, linger, NULL);
    pthread_create(&thread, NULL, linger, NULL);
    pthread_create(&thread, NULL, speak, (void *)fd);
    pthread_exit(NULL);
}

// zombie PATH: had it open
static void run_zombie(int argc, char **argv)
{
    siginfo_t ended;
    pid_t pid = another();

    if (!pid) {
        open(argv[argc - 1], O_RDONLY | O_NONBLOCK);
        _exit(0);
    }
    waitid(P_PID, pid, &ended, WEXITED | WNOWAIT);
    answer("pid=%d zombie=%d", getpid(), pid);
    stay();
}

// stopped PATH: by SIGSTOP
static void run_stopped(int argc, char **argv)
{
    pid_t pid = another();
    int status;

    if (!pid) {
        open_or_give_up(argv[argc - 1]);
        raise(SIGSTOP);
        stay();
    }
    waitpid(pid, &status, WUNTRACED);
    answer("pid=%d stopped=%d", getpid(), pid);
    stay();
}

// namespaces PATH NAME: in a pid and a mount namespace of its own, the device PATH is /mnt/NAME
static void run_namespaces(int argc, char **argv)
{
    char path[256], outside[16] = "";
    pid_t first = getpid();
    struct stat device;
    int fd;

    snprintf(path, sizeof(path), "/mnt/%s", argv[argc - 1]);
    if (stat(argv[1], &device) || unshare(CLONE_NEWPID | CLONE_NEWNS) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", "/mnt", "tmpfs", 0, NULL) || mknod(path, device.st_mode, device.st_rdev))
        give_up();
    if (another())
        stay();
    fd = open_or_give_up(path);
    if (readlink("/proc/self", outside, sizeof(outside) - 1) < 0) // that /proc is the first one
        give_up();
    answer("pid=%d inside=%s ns_pid=%d fd=%d", first, outside, getpid(), fd);
    stay();
}

// short PATH: processes that open it and end a moment later, one after the other, for as long as it
// goes. They sleep meanwhile: without that they would take a processor of the machine.
static void run_short(int argc, char **argv)
{
    answer("pid=%d", getpid());
    for (;;) {
        pid_t pid = another();

        if (!pid) {
            open(argv[argc - 1], O_RDONLY | O_NONBLOCK);
            usleep(10 * 1000);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

// sleep: does nothing
static void run_sleep(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    answer("pid=%d", getpid());
    stay();
}

const struct action process_actions[] = {
    {"thread", 1, run_thread},         {"leaderless", 1, run_leaderless},
    {"zombie", 1, run_zombie},         {"stopped", 1, run_stopped},
    {"namespaces", 2, run_namespaces}, {"short", 1, run_short},
    {"sleep", 0, run_sleep},           {NULL, 0, NULL},
};
