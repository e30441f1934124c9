// SPDX-License-Identifier: GPL-2.0-only
// cycles GOAL: loads and unloads copies of lr_soak_00 under 64 names, as fast as it can, until GOAL
// of them have gone; prints how often each name was unloaded, as JSON. lr_board must be loaded.
//
// Each copy holds soft references, and is told to put them when delete_module has returned: so
// every free is deferred. None may fail but a load under a name that is still being freed.

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IMAGE "/root/modules/lr_soak_00.ko"
#define GO "/sys/kernel/debug/lr_board/go"

enum { NAMES = 64, PROCESSES = 4, LAST_FREE_SECONDS = 120 };

struct shared {
    atomic_long unloaded[NAMES], all;
    atomic_bool stop;
};

static struct shared *shared;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "cycles: %s %s: %s\n", what, name, strerror(errno));
    shared->stop = true;
    exit(1);
}

static void name_of(int slot, char name[24])
{
    snprintf(name, 24, "lr_soak_%02d", slot);
}

static void nap(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

// The module under another name of the same length, wherever it stands in the image.
static char *image_of(int slot, size_t *size)
{
    struct stat about;
    char name[24];
    int fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about))
        die("cannot read", IMAGE);
    char *image = malloc(about.st_size);
    if (!image || read(fd, image, about.st_size) != about.st_size)
        die("cannot read", IMAGE);
    close(fd);
    name_of(slot, name);
    for (char *at = image; at + 10 <= image + about.st_size; at++)
        if (!memcmp(at, "lr_soak_00", 10))
            memcpy(at, name, 10);
    *size = about.st_size;
    return image;
}

static bool is_there(int slot)
{
    char path[64];
    snprintf(path, sizeof(path), "/sys/module/lr_soak_%02d", slot);
    return !access(path, F_OK);
}

// False when the name is not free yet.
static bool load(int slot, long nth)
{
    static char *images[NAMES];
    static size_t size;
    char text[64];

    if (is_there(slot))
        return false;
    if (!images[slot])
        images[slot] = image_of(slot, &size);
    // One actor of each context in turn.
    snprintf(text, sizeof(text), "slot=%d actors=%d tick_us=20000", slot, 1 << (slot + nth) % 4);
    if (!syscall(SYS_init_module, images[slot], size, text))
        return true;
    if (errno != EEXIST && errno != EBUSY)
        die("cannot load", text);
    return false;
}

// False when whoever loaded it still holds the hard reference that a load has for a moment.
static bool unload(int slot)
{
    char name[24];

    name_of(slot, name);
    if (syscall(SYS_delete_module, name, O_NONBLOCK)) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            die("cannot unload", name);
        return false;
    }
    shared->unloaded[slot]++;
    shared->all++;
    int fd = open(GO, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || dprintf(fd, "%d", slot) < 0)
        die("cannot write", GO);
    close(fd);
    return true;
}

static void cycle(int nth, long goal)
{
    bool loaded[NAMES] = {false};
    long loads = 0;
    while (!shared->stop && shared->all < goal) {
        int idle = 0;
        for (int slot = nth; slot < NAMES; slot += PROCESSES) {
            if (loaded[slot])
                loaded[slot] = !unload(slot);
            else if (load(slot, loads))
                loads += loaded[slot] = true;
            else
                idle++;
        }
        if (idle == NAMES / PROCESSES)
            nap(2000);
    }
    for (int slot = nth; slot < NAMES; slot += PROCESSES)
        while (loaded[slot])
            loaded[slot] = !unload(slot);
    for (int slot = nth; slot < NAMES; slot += PROCESSES)
        for (int tries = 0; is_there(slot); tries++) {
            if (tries == LAST_FREE_SECONDS * 50) {
                errno = ETIMEDOUT;
                die("is not freed:", "a module");
            }
            nap(20000);
        }
}

int main(int argc, char **argv)
{
    long goal = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    int failed = 0, status;

    if (goal <= 0) {
        fputs("usage: cycles GOAL\n", stderr);
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("cycles: no memory");
        return 1;
    }
    for (int nth = 0; nth < PROCESSES; nth++) {
        pid_t pid = fork();
        if (pid < 0)
            die("cannot start", "a process");
        if (!pid) {
            cycle(nth, goal);
            exit(0);
        }
    }
    while (wait(&status) > 0)
        failed |= status;
    for (int slot = 0; slot < NAMES; slot++)
        printf("%s\"lr_soak_%02d\":%ld", slot ? "," : "{", slot, (long)shared->unloaded[slot]);
    puts("}");
    return failed ? 1 : 0;
}
