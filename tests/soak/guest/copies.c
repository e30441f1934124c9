// SPDX-License-Identifier: GPL-2.0-only
// Copies of lr_soak_00, each under a name of its own.

#include "soak.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMAGE "/root/modules/lr_soak_00.ko"
#define GO "/sys/kernel/debug/lr_board/go"

void soak_name(int slot, char name[24])
{
    snprintf(name, 24, "lr_soak_%02d", slot);
}

// The module under another name of the same length, wherever it stands in the image.
char *soak_image(int slot, unsigned long *size)
{
    char name[24];
    char *image = soak_read(IMAGE, size);
    if (!image)
        soak_die("cannot read", IMAGE);
    soak_name(slot, name);
    for (char *at = image; at + 10 <= image + *size; at++)
        if (!memcmp(at, "lr_soak_00", 10))
            memcpy(at, name, 10);
    return image;
}

// Also while it is being freed.
bool soak_is_there(int slot)
{
    char path[64];
    snprintf(path, sizeof(path), "/sys/module/lr_soak_%02d", slot);
    return !access(path, F_OK);
}

// Its actors put their references and leave.
void soak_tell(int slot)
{
    char number[12];
    snprintf(number, sizeof(number), "%d", slot);
    if (!soak_write(GO, number))
        soak_die("cannot write", GO);
}
