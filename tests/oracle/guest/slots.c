// SPDX-License-Identifier: GPL-2.0-only
// The modules: loads, unloads, commands, and what they and the referee have counted.

#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULES "/root/modules/"
#define REFEREE "/sys/kernel/debug/lr_referee/"

enum { FREE_SECONDS = 60, POLL_US = 4000 };

static struct text images[SLOTS], failinit;
static struct {
    bool loaded;
    unsigned opened; // how often we have opened files of this instance, and closed them again
} slots[SLOTS];
static unsigned frees_expected, lines_shown;

static void name_of(int slot, char name[16])
{
    snprintf(name, 16, "lr_ora%d", slot);
}

static void path_of(int slot, const char *file, char path[64])
{
    snprintf(path, 64, "/sys/kernel/debug/lr_ora%d/%s", slot, file);
}

void slots_init(void)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        char name[16], *at;
        struct text *image = &images[slot];

        name_of(slot, name);
        if (!read_file(MODULES "lr_refs.ko", image))
            die("cannot read", MODULES "lr_refs.ko");
        while ((at = memmem(image->data, image->used, "lr_refs", 7)))
            memcpy(at, name, 7);
    }
    if (!read_file(MODULES "lr_failinit.ko", &failinit))
        text_clear(&failinit); // without soft references there is none
}

bool slot_loaded(int slot)
{
    return slots[slot].loaded;
}

long slot_load(int slot)
{
    if (syscall(SYS_init_module, images[slot].data, images[slot].used, ""))
        return -errno;
    slots[slot].loaded = true;
    slots[slot].opened = 0;
    return 0;
}

long slot_unload(int slot)
{
    char name[16];

    name_of(slot, name);
    if (syscall(SYS_delete_module, name, O_NONBLOCK))
        return -errno;
    slots[slot].loaded = false;
    frees_expected++;
    return 0;
}

long slot_control(int slot, const char *command)
{
    char path[64];

    path_of(slot, "control", path);
    slots[slot].opened++;
    return write_file(path, command);
}

void slot_open(int slot)
{
    char path[64];
    int fd;

    path_of(slot, "control", path);
    slots[slot].opened++;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open", path);
    close(fd);
}

long failinit_load(const char *parameters)
{
    if (!syscall(SYS_init_module, failinit.data, failinit.used, parameters))
        return 0;
    long ret = -errno;
    frees_expected++;
    return ret;
}

// "instance":"…","opened":N,"counted":{"get.A":N,…}: each kind by call site, if not 0.
void slot_show(int slot)
{
    static struct text text;
    char path[64], name[32];
    struct stat status;
    long long value;
    const char *separator = "";
    int length;

    snprintf(path, sizeof(path), "/sys/module/lr_ora%d", slot);
    if (stat(path, &status))
        die("cannot stat", path);
    path_of(slot, "counters", path);
    slots[slot].opened++;
    if (!read_file(path, &text))
        die("cannot read", path);
    printf(",\"instance\":\"%lu\",\"opened\":%u,\"counted\":{", status.st_ino, slots[slot].opened);
    for (const char *at = text.data; sscanf(at, "%31s %lld\n%n", name, &value, &length) == 2;
         at += length) {
        const char *dot = strchr(name, '.');
        if (value && dot && strchr("ABC", dot[1]) && !dot[2]) {
            printf("%s\"%s\":%lld", separator, name, value);
            separator = ",";
        }
    }
    putchar('}');
}

void referee_reset(void)
{
    if (write_file(REFEREE "control", "reset"))
        die("cannot reset", "lr_referee");
    frees_expected = lines_shown = 0;
}

static unsigned frees_seen(struct text *text)
{
    unsigned long long freed;
    unsigned seen = 0;

    if (!read_file(REFEREE "unloads", text))
        die("cannot read", REFEREE "unloads");
    for (char *at = text->data; *at; at = strchr(at, '\n') + 1)
        seen += sscanf(at, "%*s %*u %*u %*d %llu", &freed) == 1 && freed;
    return seen;
}

// "unloads":[["NAME",REQUESTED,RETURNED,RET,FREED],…]: the referee's lines since the last time.
void referee_show(void)
{
    static struct text text;
    unsigned long long until = now_ns() + FREE_SECONDS * 1000000000ULL;
    unsigned long long requested, returned, freed;
    unsigned line = 0;
    char name[64];
    long ret;

    while (frees_seen(&text) < frees_expected && now_ns() < until)
        sleep_us(POLL_US);
    printf(",\"unloads\":[");
    for (char *at = text.data; *at; at = strchr(at, '\n') + 1) {
        if (line++ < lines_shown)
            continue;
        if (sscanf(at, "%63s %llu %llu %ld %llu", name, &requested, &returned, &ret, &freed) != 5)
            die("cannot understand", REFEREE "unloads");
        printf("%s[\"%s\",%llu,%llu,%ld,%llu]", lines_shown + 1 == line ? "" : ",", name, requested,
               returned, ret, freed);
    }
    lines_shown = line;
    if (!read_file(REFEREE "losses", &text))
        die("cannot read", REFEREE "losses");
    printf("],\"referee_losses\":");
    json_string(text.data);
}
