// SPDX-License-Identifier: GPL-2.0-only
// Holds something that no shell can hold, until its standard input ends. Says "holding PID" when it
// does.
//
//   hold fsopen TYPE         a file system that is being set up
//   hold map FILE            a mapping of a file, whose descriptor is closed
//   hold tracepoint ID       a perf event on a tracepoint
//   hold discipline N        a pseudoterminal with that line discipline
//   hold mapper DEVICE       a device of the device mapper, "held", linear on that one

#include <err.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/perf_event.h>
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
             .spec = {.length = 8, .target_type = "linear"}};

    if (device) {
        all.head.target_count = 1;
        snprintf(all.parameters, sizeof(all.parameters), "%s 0", device);
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
    } things[] = {{"fsopen", hold_fsopen},
                  {"map", hold_map},
                  {"tracepoint", hold_tracepoint},
                  {"discipline", hold_discipline},
                  {"mapper", hold_mapper}};
    char byte;

    for (size_t i = 0; argc == 3 && i < sizeof(things) / sizeof(things[0]); i++) {
        if (!strcmp(argv[1], things[i].name)) {
            if (things[i].hold(argv[2]) < 0) {
                err(1, "%s %s", argv[1], argv[2]);
            }
            printf("holding %d\n", getpid());
            fflush(stdout);
            while (read(0, &byte, 1) > 0) {
            }
            let_go();
            return 0;
        }
    }
    errx(2, "usage: hold fsopen|map|tracepoint|discipline|mapper WHAT");
}
