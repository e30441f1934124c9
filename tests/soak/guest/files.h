// SPDX-License-Identifier: GPL-2.0-only
// Files, time and chance, and one module under many names.
#ifndef SOAK_FILES_H
#define SOAK_FILES_H

#include <stdbool.h>

enum { SOAK_NAME = 24 };

void soak_die(const char *what, const char *name) __attribute__((noreturn));
unsigned long soak_random(void);
void soak_seed(unsigned long seed);
void soak_sleep_us(unsigned us);
char *soak_read(const char *path, unsigned long *size);
bool soak_write(const char *path, const char *text);
void soak_name(int slot, char name[SOAK_NAME]);
char *soak_image(int slot, unsigned long *size);

#endif
