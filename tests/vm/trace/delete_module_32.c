// SPDX-License-Identifier: GPL-2.0-only
// A 32-bit program that unloads lr_slow: its system call enters the kernel by another door.
// Built with -m32 -nostdlib, so no 32-bit library is needed.

enum { SYS_EXIT = 1, SYS_DELETE_MODULE = 129, O_NONBLOCK = 04000 };

static int call(int number, const void *a, int b)
{
    int ret;

    __asm__ volatile("int $0x80" : "=a"(ret) : "a"(number), "b"(a), "c"(b) : "memory");
    return ret;
}

void _start(void)
{
    int ret = call(SYS_DELETE_MODULE, "lr_slow", O_NONBLOCK);

    for (;;)
        __asm__ volatile("int $0x80" : : "a"(SYS_EXIT), "b"(-ret & 0xff));
}
