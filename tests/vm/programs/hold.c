// SPDX-License-Identifier: GPL-2.0-only
// Holds something that no shell can hold, until its standard input ends. Says "holding PID" when it
// does.
//
//   hold fsopen TYPE         a file system that is being set up
//   hold map FILE            a mapping of a file, whose descriptor is closed
//   hold tracepoint ID       a perf event on a tracepoint
//   hold discipline N        a pseudoterminal with that line discipline
//   hold mapper DEVICE       a device of the device mapper, "held", linear on that one
//   hold snapshot "A B"      the same, a snapshot of A with its changes on B
//   hold cache "M C A"       the same, a cache of A on C, with its metadata on M
//   hold thread DIRECTORY    one of its threads works there, and the others do not
//   hold leaderless DIRECTORY  it works there, and its main thread has ended

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int hold_fsopen(const char *type)
{
    return syscall(SYS_fsopen, type, 0);
}

static int hold_map(const char *path)
{
    int fd = open(path, O_RDWR);

    if (fd < 0 || mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) {
        return -1;
    }
    return close(fd);
}

static int hold_tracepoint(const char *id)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .config = strtoul(id, NULL, 10)};

    return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int hold_discipline(const char *number)
{
    int discipline = atoi(number);
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    return fd < 0 || grantpt(fd) || unlockpt(fd) ? -1 : ioctl(fd, TIOCSETD, &discipline);
}

static const char *target_type = "linear", *after_device = "0";
static unsigned long long sectors = 8;

static int mapper(int control, unsigned long request, const char *device)
{
    struct {
        struct dm_ioctl head;
        struct dm_target_spec spec;
        char parameters[64];
    } all = {.head = {.version = {DM_VERSION_MAJOR, 0, 0},
                      .data_size = sizeof(all),
                      .data_start = sizeof(all.head),
                      .name = "held"},
             .spec = {.length = sectors}};

    if (device) {
        all.head.target_count = 1;
        snprintf(all.spec.target_type, sizeof(all.spec.target_type), "%s", target_type);
        snprintf(all.parameters, sizeof(all.parameters), "%s %s", device, after_device);
    }
    return ioctl(control, request, &all);
}

static int remove_mapped;

static int hold_mapper(const char *device)
{
    int control, ret;

    if (access("/dev/mapper/control", F_OK)) {
        return -1;
    }
    control = open("/dev/mapper/control", O_RDWR);
    ret = control < 0 || mapper(control, DM_DEV_CREATE, NULL) ||
          mapper(control, DM_TABLE_LOAD, device) || mapper(control, DM_DEV_SUSPEND, NULL);
    close(control);
    remove_mapped = !ret;
    return -ret;
}

static int in_place;
static pthread_barrier_t place_taken;

static void *work_elsewhere(void *directory)
{
    in_place = !unshare(CLONE_FS) && !chdir(directory);
    pthread_barrier_wait(&place_taken);
    pause();
    return NULL;
}

static int hold_thread(const char *directory)
{
    pthread_t thread;

    pthread_barrier_init(&place_taken, NULL, 2);
    if (pthread_create(&thread, NULL, work_elsewhere, (void *)directory)) {
        return -1;
    }
    pthread_barrier_wait(&place_taken);
    return in_place ? 0 : -1;
}

static void say_and_wait(void)
{
    char byte;

    printf("holding %d\n", getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0) {
    }
}

static void *outlive(void *unused)
{
    char place[PATH_MAX];

    (void)unused;
    while (readlink("/proc/self/cwd", place, sizeof(place)) >= 0) { /* of the main thread */
        usleep(1000);
    }
    say_and_wait();
    exit(0);
}

static int hold_leaderless(const char *directory)
{
    pthread_t thread;

    if (chdir(directory) || pthread_create(&thread, NULL, outlive, NULL)) {
        return -1;
    }
    pthread_exit(NULL);
}

static int hold_snapshot(const char *devices)
{
    target_type = "snapshot";
    after_device = "N 8";
    return hold_mapper(devices);
}

static int hold_cache(const char *devices)
{
    target_type = "cache";
    after_device = "128 1 writethrough smq 0";
    sectors = 2048;
    return hold_mapper(devices);
}

static void let_go(void)
{
    if (remove_mapped) {
        int control = open("/dev/mapper/control", O_RDWR);

        if (mapper(control, DM_DEV_REMOVE, NULL)) {
            err(1, "removal");
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*hold)(const char *);
    } things[] = {
        {"fsopen", hold_fsopen},         {"map", hold_map},       {"tracepoint", hold_tracepoint},
        {"discipline", hold_discipline}, {"mapper", hold_mapper}, {"snapshot", hold_snapshot},
        {"cache", hold_cache},           {"thread", hold_thread}, {"leaderless", hold_leaderless}};

    for (size_t i = 0; argc == 3 && i < sizeof(things) / sizeof(things[0]); i++) {
        if (!strcmp(argv[1], things[i].name)) {
            if (things[i].hold(argv[2]) < 0) {
                err(1, "%s %s", argv[1], argv[2]);
            }
            say_and_wait();
            let_go();
            return 0;
        }
    }
    errx(2, "usage: hold fsopen|map|tracepoint|discipline|mapper|snapshot|cache|thread|leaderless "
            "WHAT");
}
