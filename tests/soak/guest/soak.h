// SPDX-License-Identifier: GPL-2.0-only
// The guest's side of a soak run: processes that load and unload copies of one module, and others
// that look at them meanwhile. What they do is counted in memory that all of them share.
#ifndef SOAK_H
#define SOAK_H

#include <stdatomic.h>
#include <stdbool.h>

// A name's class is a range of slots: what is expected of an unload depends on the name alone.
enum soak_class {
    HOLD,  // told to leave when delete_module has returned: every unload is deferred
    RACE,  // leaves by itself around the end of its exit routine
    FAIL,  // its init fails while its actors are at work
    PLAIN, // never uses soft references
    HARD,  // holds a hard reference, and is unloaded by force
    CLASSES
};

struct soak_class_counts {
    atomic_long loaded, unloaded, failed, busy;
};

struct soak_shared {
    long goal; // deferred unloads of the class HOLD
    bool forced, leaky;
    atomic_bool stop;
    atomic_long told, refused, looked, written, too_late;
    struct soak_class_counts classes[CLASSES];
};

extern struct soak_shared *shared;

// files.c
void soak_die(const char *what, const char *name) __attribute__((noreturn));
unsigned long soak_random(void);
void soak_seed(unsigned long seed);
void soak_sleep_us(unsigned us);
char *soak_read(const char *path, unsigned long *size);
bool soak_write(const char *path, const char *text);

// copies.c
void soak_name(int slot, char name[24]);
char *soak_image(int slot, unsigned long *size);
bool soak_is_there(int slot);
void soak_tell(int slot);

// owners.c
enum { SLOTS = 44, OWNERS = 4 };
extern const char *const soak_class_names[CLASSES];
enum soak_class soak_class_of(int slot);
void soak_owner(int nth);
void soak_competitor(void);

// readers.c
void soak_modules_reader(void);
void soak_kallsyms_reader(void);

#endif
