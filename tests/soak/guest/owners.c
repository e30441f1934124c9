// SPDX-License-Identifier: GPL-2.0-only
// Who loads and unloads: owners, each with slots of its own, and a competitor who unloads anything.

#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const soak_class_names[CLASSES] = {"hold", "race", "fail", "plain", "hard"};
static const int first_slot[CLASSES + 1] = {0, 24, 32, 36, 40, SLOTS};
static char *images[SLOTS];
static unsigned long image_size;
static bool loaded[SLOTS];

enum soak_class soak_class_of(int slot)
{
    enum soak_class kind = 0;
    while (slot >= first_slot[kind + 1])
        kind++;
    return kind;
}

static void load(int slot)
{
    static const char *const extra[CLASSES] = {
        [HOLD] = "tick_us=10000",
        [RACE] = "tick_us=2000 race_us=4000",
        [FAIL] = "tick_us=2000 race_us=4000 fail=5",
        [PLAIN] = "",
        [HARD] = "hard=1",
    };
    enum soak_class kind = soak_class_of(slot);
    struct soak_class_counts *counts = &shared->classes[kind];
    unsigned actors = kind >= PLAIN ? 0 : 1 + soak_random() % 15;
    char text[128];

    if (!images[slot])
        images[slot] = soak_image(slot, &image_size);
    snprintf(text, sizeof(text), "slot=%d actors=%u leak=%d %s", slot, actors, shared->leaky,
             extra[kind]);
    if (!syscall(SYS_init_module, images[slot], image_size, text)) {
        counts->loaded++;
        loaded[slot] = true;
    } else if (errno == EEXIST || errno == EBUSY) {
        counts->busy++;
    } else if (kind == FAIL && errno == EIO) {
        counts->failed++;
    } else {
        soak_name(slot, text);
        soak_die("cannot load", text);
    }
}

// A short run too does something of all that is judged: the owners of slow unloads may come late.
static bool is_enough(void)
{
    const struct soak_class_counts *classes = shared->classes;
    return shared->told >= shared->goal && classes[FAIL].failed &&
           (!shared->forced || classes[HARD].unloaded);
}

// Whoever unloads a module of the class HOLD tells it to leave, and nobody else does: so its
// references outlive the system call. False if the module is still loaded: whoever loads it holds a
// hard reference on it for a moment after it went live.
static bool unload(int slot)
{
    enum soak_class kind = soak_class_of(slot);
    char name[24];

    soak_name(slot, name);
    if (syscall(SYS_delete_module, name, O_NONBLOCK | (kind == HARD ? O_TRUNC : 0))) {
        if (errno != EBUSY && errno != ENOENT && errno != EAGAIN)
            soak_die("cannot unload", name);
        shared->refused++;
        return errno != EAGAIN;
    }
    shared->classes[kind].unloaded++;
    if (kind != HOLD)
        return true;
    if (soak_random() % 4 == 0)
        soak_sleep_us(soak_random() % 20000);
    soak_tell(slot);
    shared->told++;
    if (is_enough())
        shared->stop = true;
    return true;
}

// A name that is still there is being freed: now and then it is loaded nevertheless.
static bool is_worth_a_load(int slot)
{
    return !soak_is_there(slot) || soak_random() % 64 == 0;
}

// Unloads of the class HOLD do not wait, the others do: they have owners of their own.
static bool is_owned(int slot, int nth)
{
    enum soak_class kind = soak_class_of(slot);
    if (kind == HARD && !shared->forced)
        return false;
    return slot % 2 == nth % 2 && (kind == HOLD) == (nth < 2);
}

void soak_owner(int nth)
{
    while (!shared->stop) {
        for (int slot = 0; slot < SLOTS && !shared->stop; slot++) {
            if (!is_owned(slot, nth))
                continue;
            if (loaded[slot] && soak_random() % 2)
                loaded[slot] = !unload(slot);
            else if (!loaded[slot] && is_worth_a_load(slot))
                load(slot);
        }
        soak_sleep_us(2000);
    }
    for (int slot = 0; slot < SLOTS; slot++)
        while (loaded[slot])
            loaded[slot] = !unload(slot);
}

// Its unloads meet those of the owners, loads under way, and inits that fail.
void soak_competitor(void)
{
    while (!shared->stop) {
        int slot = soak_random() % first_slot[HARD];
        unload(slot);
        soak_sleep_us(20000 + soak_random() % 40000);
    }
}
