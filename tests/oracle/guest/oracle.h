// SPDX-License-Identifier: GPL-2.0-only
// The guest's side of the oracle: does the steps of programs, one a line of its input, and answers
// each with one line of JSON. It judges nothing.
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>

// Text that grows.
struct text {
    char *data; // NUL-terminated once something was added
    size_t used, room;
};

// text.c
void die(const char *what, const char *name) __attribute__((noreturn));
unsigned long long now_ns(void); // of the boot clock, like all of lastref's times
void sleep_us(unsigned us);
void text_add(struct text *text, const char *data, size_t length);
void text_clear(struct text *text);
bool read_file(const char *path, struct text *text);
long write_file(const char *path, const char *data); // 0 or -errno

// packed.c
void answers_packed(void);

// json.c
void json_string(const char *data);
void json_compact(const char *document, const char *const *dropped, struct text *to);

// slots.c: copies of lr_refs under names of their own, lr_ora0 and so on
enum { SLOTS = 3 };
void slots_init(void);
long slot_load(int slot);
long slot_unload(int slot);
long slot_control(int slot, const char *command);
void slot_open(int slot); // a file of it, once
bool slot_loaded(int slot);
void slot_show(int slot); // what it counts itself, as members of the answer
long failinit_load(const char *parameters);
void referee_reset(void);
void referee_show(void); // waits for the frees that must come, then what it has seen since

// tracers.c: one `lastref refs` and one `lastref record`
void tracers_init(const char *lastref);
void refs_start(char *arguments, bool held, void (*meanwhile)(void));
bool refs_running(void);
void refs_document(unsigned long long after_ns);
void refs_stop(void);
void record_start(char *arguments);
void record_stop(void);

#endif
