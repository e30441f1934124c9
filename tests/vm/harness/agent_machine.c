// SPDX-License-Identifier: GPL-2.0-only
//
// What the guest's first process does once: mounts, settings, ports; and how it reports trouble.

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int console = -1;

// One write makes one line. (dprintf() would not do: it seeks, which this file refuses.)
void log_line(int level, const char *text, int length)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "<%d>lastref-vm: %.*s\n", level, length, text);

    if (write(console, line, n) != n)
        _exit(1);
}

static void say(const char *what, const char *which)
{
    char text[400];
    int n = snprintf(text, sizeof(text), "%s %s: %s", what, which, strerror(errno));

    log_line(3, text, n);
}

// Ends the guest: with its first process gone the kernel panics, and the host sees why above.
void die(const char *what, const char *which)
{
    say(what, which);
    _exit(1);
}

static const struct {
    const char *type, *where, *options;
} mounts[] = {
    {"devtmpfs", "/dev", ""},
    {"proc", "/proc", ""},
    {"sysfs", "/sys", ""},
    {"tmpfs", "/tmp", "mode=1777"},
    {"tmpfs", "/run", "mode=755"},
    {"tmpfs", "/dev/shm", "mode=1777"},
    {"devpts", "/dev/pts", "ptmxmode=666"},
    {"debugfs", "/sys/kernel/debug", ""},
    {"tracefs", "/sys/kernel/tracing", ""},
    {"bpf", "/sys/fs/bpf", ""},
    {"cgroup2", "/sys/fs/cgroup", ""},
};

// As Debian sets them; kptr_restrict too, which its kernels leave at 0.
static const struct {
    const char *path, *value;
} settings[] = {
    {"/proc/sys/kernel/kptr_restrict", "0"},
    {"/proc/sys/kernel/perf_event_paranoid", "3"},
    {"/proc/sys/kernel/hostname", "guest"},
};

void mount_all(void)
{
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].where, 0755);
        if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options))
            die("cannot mount", mounts[i].where);
        if (i == 0 && (console = open("/dev/kmsg", O_WRONLY | O_CLOEXEC)) < 0)
            _exit(1);
    }
}

void configure(void)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, settings[i].value, strlen(settings[i].value)) < 0)
            die("cannot set", settings[i].path);
        close(fd);
    }

    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback))
        die("cannot bring up", "lo");
    close(fd);

    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("HOME", "/root", 1);
    setenv("USER", "root", 1);
    setenv("SHELL", "/bin/bash", 1);
    setenv("TERM", "dumb", 1);
    setenv("LANG", "C.UTF-8", 1);
    if (chdir("/root"))
        die("cannot enter", "/root");
}

int open_port(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;

    if (fd < 0 || tcgetattr(fd, &raw))
        die("cannot open", path);
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CLOCAL;
    cfsetspeed(&raw, B115200);
    if (tcsetattr(fd, TCSANOW, &raw))
        die("cannot set up", path);
    return fd;
}
