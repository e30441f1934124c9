// SPDX-License-Identifier: GPL-2.0-only
// Processes in states in which they are easily overlooked, and where they are.

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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

// name NAME
static void take_name(char **argument)
{
    must(prctl(PR_SET_NAME, argument[0]));
}

// share N: N processes have what this one has
static void take_share(char **argument)
{
    tell_pid(getpid());
    for (int i = 1; i < atoi(argument[0]); i++) {
        pid_t pid = another();

        if (!pid)
            stay();
        tell_pid(pid);
    }
}

static const char *wanted;
static int fd_of_thread;
static sem_t ready;

static void in_thread(void *(*run)(void *))
{
    pthread_t thread;

    if (sem_init(&ready, 0, 0) || pthread_create(&thread, NULL, run, NULL) || sem_wait(&ready))
        give_up();
}

static void *own_table(void *nothing)
{
    must(unshare(CLONE_FILES));
    fd_of_thread = open_or_give_up(wanted);
    sem_post(&ready);
    stay();
    return nothing;
}

// thread PATH: a thread that shares its files with no other; to those the number is /dev/zero
static void take_thread(char **argument)
{
    wanted = argument[0];
    in_thread(own_table);
    keep(dup2(open("/dev/zero", O_RDONLY), fd_of_thread));
}

static void *own_place(void *nothing)
{
    must(unshare(CLONE_FS));
    must(chdir(wanted));
    sem_post(&ready);
    stay();
    return nothing;
}

// elsewhere DIRECTORY: a thread works there, and no other does
static void take_elsewhere(char **argument)
{
    wanted = argument[0];
    in_thread(own_place);
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
    answer();
    stay();
    return nothing;
}

// leaderless: the first thread ends, and three others do not
static void take_leaderless(char **argument)
{
    pthread_t thread;

    (void)argument;
    if (pthread_create(&thread, NULL, linger, NULL) ||
        pthread_create(&thread, NULL, linger, NULL) || pthread_create(&thread, NULL, speak, NULL))
        give_up();
    pthread_exit(NULL);
}

// zombie PATH: had it open
static void take_zombie(char **argument)
{
    siginfo_t ended;
    pid_t pid = another();

    if (!pid) {
        open(argument[0], O_RDONLY | O_NONBLOCK);
        _exit(0);
    }
    must(waitid(P_PID, pid, &ended, WEXITED | WNOWAIT));
    tell_pid(pid);
}

// stopped PATH: by SIGSTOP
static void take_stopped(char **argument)
{
    pid_t pid = another();

    if (!pid) {
        open_or_give_up(argument[0]);
        raise(SIGSTOP);
        stay();
    }
    must(waitpid(pid, NULL, WUNTRACED));
    tell_pid(pid);
}

// pid_namespace: all that follows is done in one by another process, to which this /proc is strange
static void take_pid_namespace(char **argument)
{
    char outside[16] = "";

    (void)argument;
    must(unshare(CLONE_NEWPID));
    if (another())
        stay();
    must(readlink("/proc/self", outside, sizeof(outside) - 1));
    tell_pid(atoi(outside));
    tell(" ns_pid=%d", getpid());
}

// namespaces PATH NAME: in a pid and a mount namespace of its own, the device PATH is /mnt/NAME
static void take_namespaces(char **argument)
{
    struct stat device;
    char path[256];

    snprintf(path, sizeof(path), "/mnt/%s", argument[1]);
    must(stat(argument[0], &device));
    must(unshare(CLONE_NEWNS));
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    must(mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
    must(mknod(path, device.st_mode, device.st_rdev));
    take_pid_namespace(NULL);
    keep(open_or_give_up(path));
}

// net_namespace NAME
static void take_net_namespace(char **argument)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "/run/netns/%s", argument[0]);
    fd = must(open(path, O_RDONLY | O_CLOEXEC));
    must(setns(fd, CLONE_NEWNET));
    close(fd);
}

// join CGROUP: with its path below /sys/fs/cgroup
static void take_join(char **argument)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.procs", argument[0]);
    fd = must(open(path, O_WRONLY | O_CLOEXEC));
    must(write(fd, "0", 1));
    close(fd);
}

// short PATH: processes that open it and end a moment later, one after the other, for as long as it
// goes. They sleep meanwhile: without that they would take a processor of the machine.
static void take_short(char **argument)
{
    answer();
    for (;;) {
        pid_t pid = another();

        if (!pid) {
            open(argument[0], O_RDONLY | O_NONBLOCK);
            usleep(10 * 1000);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

const struct step process_steps[] = {
    {"name", 1, take_name},
    {"share", 1, take_share},
    {"thread", 1, take_thread},
    {"elsewhere", 1, take_elsewhere},
    {"leaderless", 0, take_leaderless},
    {"zombie", 1, take_zombie},
    {"stopped", 1, take_stopped},
    {"pid_namespace", 0, take_pid_namespace},
    {"namespaces", 2, take_namespaces},
    {"net_namespace", 1, take_net_namespace},
    {"join", 1, take_join},
    {"short", 1, take_short},
    {NULL, 0, NULL},
};
