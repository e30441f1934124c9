// SPDX-License-Identifier: GPL-2.0-only
#pragma once

// Writes a line to the kernel's console.
void log_line(int level, const char *text, int length);

// Ends the guest: with its first process gone the kernel panics, and the host sees why.
void die(const char *what, const char *which) __attribute__((noreturn));

// Makes the machine look like Debian. Must come before anything that can die().
void mount_all(void);
void configure(void);

// Opens a serial port for bytes as they are.
int open_port(const char *path);
