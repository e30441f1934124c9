// SPDX-License-Identifier: GPL-2.0-only
//
// Prints how fast this processor's time stamp counter runs, in kHz. An emulated guest sees the same
// counter, and a small kernel without ACPI cannot find out by itself on a busy machine: its only
// reference is the emulated PIT. It would be left without high resolution timers.

#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static double now(unsigned long long *ticks)
{
    struct timespec before, after;

    // The counter is read between two looks at the clock; a disturbed reading is done again.
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &before);
        *ticks = __rdtsc();
        clock_gettime(CLOCK_MONOTONIC, &after);
        double first = (double)before.tv_sec + (double)before.tv_nsec * 1e-9;
        double second = (double)after.tv_sec + (double)after.tv_nsec * 1e-9;
        if (second - first < 20e-6)
            return (first + second) / 2;
    }
}

int main(void)
{
    unsigned long long start_ticks, end_ticks;
    double start = now(&start_ticks);

    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    double end = now(&end_ticks);
    printf("%.0f\n", (double)(end_ticks - start_ticks) / (end - start) / 1000);
    return 0;
}
