// SPDX-License-Identifier: GPL-2.0-only
// Devices that are made, and files that belong to none.

#include "keeper.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/dm-ioctl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// fsopen TYPE: a file system that is being set up
static void take_fsopen(char **argument)
{
    keep(syscall(SYS_fsopen, argument[0], 0));
}

// bpf PATH: an object in a bpffs
static void take_bpf(char **argument)
{
    union bpf_attr attr = {.pathname = (unsigned long)argument[0]};

    keep(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)));
}

// tracepoint ID: for perf
static void take_tracepoint(char **argument)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
                                   .size = sizeof(attr),
                                   .config = strtoul(argument[0], NULL, 10)};

    keep(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0));
}

// discipline N: a pseudoterminal with that line discipline
static void take_discipline(char **argument)
{
    int discipline = atoi(argument[0]), fd = keep(posix_openpt(O_RDWR | O_NOCTTY));

    must(grantpt(fd));
    must(unlockpt(fd));
    must(ioctl(fd, TIOCSETD, &discipline));
}

struct target {
    const char *type, *parameters;
    unsigned long long sectors;
};

static void mapper(int control, unsigned long request, const struct target *target)
{
    struct {
        struct dm_ioctl head;
        struct dm_target_spec spec;
        char parameters[64];
    } all = {.head = {.version = {DM_VERSION_MAJOR, 0, 0},
                      .data_size = sizeof(all),
                      .data_start = sizeof(all.head),
                      .name = "held"}};

    if (target) {
        all.head.target_count = 1;
        all.spec.length = target->sectors;
        snprintf(all.spec.target_type, sizeof(all.spec.target_type), "%s", target->type);
        snprintf(all.parameters, sizeof(all.parameters), "%s", target->parameters);
    }
    must(ioctl(control, request, &all));
}

// A device of the device mapper, "held", which stays until `unmap`.
static void map_device(const struct target *target)
{
    int control = must(open("/dev/mapper/control", O_RDWR));

    mapper(control, DM_DEV_CREATE, NULL);
    mapper(control, DM_TABLE_LOAD, target);
    mapper(control, DM_DEV_SUSPEND, NULL); // resumes it
    close(control);
}

// linear DEVICE
static void take_linear(char **argument)
{
    char parameters[64];

    snprintf(parameters, sizeof(parameters), "%s 0", argument[0]);
    map_device(&(struct target){"linear", parameters, 8});
}

// snapshot ORIGIN CHANGES
static void take_snapshot(char **argument)
{
    char parameters[64];

    snprintf(parameters, sizeof(parameters), "%s %s N 8", argument[0], argument[1]);
    map_device(&(struct target){"snapshot", parameters, 8});
}

// cache METADATA CACHE ORIGIN
static void take_cache(char **argument)
{
    char parameters[64];

    snprintf(parameters, sizeof(parameters), "%s %s %s 128 1 writethrough smq 0", argument[0],
             argument[1], argument[2]);
    map_device(&(struct target){"cache", parameters, 2048});
}

// unmap: removes the device "held"
static void take_unmap(char **argument)
{
    int control = must(open("/dev/mapper/control", O_RDWR));

    (void)argument;
    mapper(control, DM_DEV_REMOVE, NULL);
    close(control);
}

const struct step device_steps[] = {
    {"fsopen", 1, take_fsopen},
    {"bpf", 1, take_bpf},
    {"tracepoint", 1, take_tracepoint},
    {"discipline", 1, take_discipline},
    {"linear", 1, take_linear},
    {"snapshot", 2, take_snapshot},
    {"cache", 3, take_cache},
    {"unmap", 0, take_unmap},
    {NULL, 0, NULL},
};
