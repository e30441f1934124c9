// SPDX-License-Identifier: GPL-2.0-only
// Who looks at the modules while they come and go.

#include "soak.h"

#include <stdio.h>
#include <stdlib.h>

static void look(const char *path)
{
    unsigned long size;
    char *text = soak_read(path, &size);
    if (text)
        shared->looked++;
    else
        shared->too_late++;
    free(text);
}

// sysfs, and a parameter that is written while its module goes.
void soak_modules_reader(void)
{
    static const char *const files[] = {"soft_refcnt", "refcnt",         "initstate",
                                        "coresize",    "sections/.text", "parameters/actors"};
    char path[96];

    while (!shared->stop) {
        int slot = soak_random() % SLOTS;
        look("/proc/modules");
        for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++) {
            snprintf(path, sizeof(path), "/sys/module/lr_soak_%02d/%s", slot, files[i]);
            look(path);
        }
        snprintf(path, sizeof(path), "/sys/module/lr_soak_%02d/parameters/tick_us",
                 (int)(soak_random() % SLOTS));
        if (soak_write(path, "3000"))
            shared->written++;
        soak_sleep_us(5000);
    }
}

void soak_kallsyms_reader(void)
{
    while (!shared->stop) {
        look("/proc/kallsyms");
        soak_sleep_us(1000000);
    }
}
