// SPDX-License-Identifier: GPL-2.0-only
//
// The guest's first process. It mounts what a Debian machine has mounted, and then starts commands
// for the host, several at a time, over two serial ports:
//
//   ttyS1  control, both ways: start, stdin and signals in; stderr, acknowledgements and exits out
//   ttyS2  data, out: what commands write to stdout, so that a flood of it delays no exit
//
// A frame is a header of 12 bytes (type, 3 unused, job, length; little endian) and its payload.
// It is one static program and no shell script because a shell changes what it runs: its
// background jobs ignore SIGINT, and it cannot carry binary data.

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
    MAX_JOBS = 64,
    MAX_PAYLOAD = 64 * 1024,
    MAX_ARGS = 1024,
    STDIN_PIPE = 1, // flags of a start frame
    ON_A_TERMINAL = 2,
};

struct header {
    uint8_t type;
    uint8_t unused[3];
    uint32_t job;
    uint32_t length;
};

struct job {
    bool used, exited;
    uint32_t id;
    pid_t pid;
    int in, out, err; // -1 where closed
    uint64_t stdout_bytes;
    char *pending; // input from the host that the command has not taken yet
    size_t pending_length, pending_done;
};

static struct job jobs[MAX_JOBS];
static int control = -1, data = -1;

// --- frames ---

static void write_all(int fd, const void *bytes, size_t length)
{
    for (const char *at = bytes; length;) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("cannot write to", "the host");
        at += n;
        length -= n;
    }
}

static void send_frame(int port, char type, uint32_t job, const void *payload, uint32_t length)
{
    struct header header = {.type = type, .job = job, .length = length};

    write_all(port, &header, sizeof(header));
    write_all(port, payload, length);
}

// --- jobs ---

static struct job *find_job(uint32_t id)
{
    for (int i = 0; i < MAX_JOBS; i++) {
        if (jobs[i].used && jobs[i].id == id)
            return &jobs[i];
    }
    return NULL;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

// The command's side of a start: default signals, a session and a process group of its own.
static void become(char **argv, int in, int out, int err, bool on_a_terminal)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(125);
    if (on_a_terminal) {
        ioctl(0, TIOCSCTTY, 0);
        setenv("TERM", "xterm", 1);
    }
    execvp(argv[0], argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static int open_terminal(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master < 0 || unlockpt(master))
        die("cannot open", "a terminal");
    return master;
}

static void launch(struct job *job, char **argv, int flags)
{
    int in[2] = {-1, -1}, out[2], err[2];
    bool on_a_terminal = flags & ON_A_TERMINAL;

    if (on_a_terminal) {
        job->in = open_terminal();
        job->out = dup(job->in);
        in[0] = open(ptsname(job->in), O_RDWR | O_NOCTTY | O_CLOEXEC);
        out[1] = dup(in[0]);
        err[1] = dup(in[0]);
    } else {
        if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
            die("cannot make", "a pipe");
        if (!(flags & STDIN_PIPE))
            in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        else if (pipe2(in, O_CLOEXEC))
            die("cannot make", "a pipe");
        job->in = in[1];
        job->out = out[0];
        job->err = err[0];
        fcntl(job->err, F_SETFL, O_NONBLOCK);
    }
    if (job->in >= 0)
        fcntl(job->in, F_SETFL, O_NONBLOCK);
    fcntl(job->out, F_SETFL, O_NONBLOCK);

    job->pid = fork();
    if (job->pid < 0)
        die("cannot", "fork");
    if (job->pid == 0)
        become(argv, in[0], out[1], err[1], on_a_terminal);
    close(in[0]);
    close(out[1]);
    close(err[1]);
}

// A start frame: one byte of flags, then the arguments, each with a NUL behind it.
static void start_job(uint32_t id, char *payload, uint32_t length)
{
    char *argv[MAX_ARGS + 1];
    int argc = 0;
    struct job *job = NULL;

    for (int i = 0; i < MAX_JOBS && !job; i++) {
        if (!jobs[i].used)
            job = &jobs[i];
    }
    for (uint32_t at = 1; at < length && argc < MAX_ARGS; at += strlen(payload + at) + 1)
        argv[argc++] = payload + at;
    argv[argc] = NULL;
    if (!job || !argc || payload[length - 1]) {
        errno = job ? EINVAL : EMFILE;
        die("cannot start", "a command");
    }
    *job = (struct job){.used = true, .id = id, .in = -1, .out = -1, .err = -1};
    launch(job, argv, payload[0]);
}

static void forget_if_done(struct job *job)
{
    if (!job->exited || job->out >= 0 || job->err >= 0)
        return;
    close_end(&job->in);
    free(job->pending);
    job->used = false;
}

// Passes on what the command has written; true when there may be more at once.
static bool pass_on(struct job *job, int *fd)
{
    char buffer[4096];
    bool to_stdout = fd == &job->out;

    if (*fd < 0)
        return false;
    ssize_t n = read(*fd, buffer, sizeof(buffer));
    if (n > 0) {
        send_frame(to_stdout ? data : control, to_stdout ? 'o' : 'e', job->id, buffer, n);
        if (to_stdout)
            job->stdout_bytes += n;
        return true;
    }
    // A terminal whose last user has gone says EIO, not end of file.
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(fd);
    return false;
}

// Gives the command its input; the host sends the next piece only after the acknowledgement.
static void feed(struct job *job)
{
    ssize_t n =
        write(job->in, job->pending + job->pending_done, job->pending_length - job->pending_done);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) // it does not read any more: the rest is dropped, as a broken pipe does
        job->pending_done = job->pending_length;
    else
        job->pending_done += n;
    if (job->pending_done == job->pending_length) {
        free(job->pending);
        job->pending = NULL;
        send_frame(control, 'a', job->id, "", 0);
    }
}

static void reap(void)
{
    int status;

    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (struct job *job = jobs; job < jobs + MAX_JOBS; job++) {
            if (!job->used || job->exited || job->pid != pid)
                continue;
            while (pass_on(job, &job->out) || pass_on(job, &job->err))
                ;
            struct {
                uint64_t stdout_bytes;
                int32_t status;
            } __attribute__((packed)) end = {job->stdout_bytes, status};
            send_frame(control, 'x', job->id, &end, sizeof(end));
            job->exited = true;
            forget_if_done(job);
        }
    }
}

// --- what the host says ---

static void set_size(struct job *job, const char *payload)
{
    struct winsize size = {0};

    memcpy(&size.ws_row, payload, sizeof(uint16_t));
    memcpy(&size.ws_col, payload + sizeof(uint16_t), sizeof(uint16_t));
    ioctl(job->in, TIOCSWINSZ, &size);
}

static void obey(const struct header *header, char *payload)
{
    struct job *job = find_job(header->job);

    if (header->type == 'S') {
        start_job(header->job, payload, header->length);
    } else if (header->type == 'M') {
        log_line(4, payload, header->length);
    } else if (header->type == 'I' && (!job || job->in < 0)) {
        send_frame(control, 'a', header->job, "", 0); // the command has ended meanwhile
    } else if (!job) {
        return;
    } else if (header->type == 'I') {
        job->pending = malloc(header->length + 1);
        if (!job->pending)
            die("no memory for", "input");
        memcpy(job->pending, payload, header->length);
        job->pending_length = header->length;
        job->pending_done = 0;
    } else if (header->type == 'E') {
        close_end(&job->in);
    } else if (header->type == 'K' && !job->exited) {
        kill(-job->pid, payload[0]);
    } else if (header->type == 'W') {
        set_size(job, payload);
    }
}

static void read_control(void)
{
    static char buffer[sizeof(struct header) + MAX_PAYLOAD];
    static size_t have;
    ssize_t n = read(control, buffer + have, sizeof(buffer) - have);

    if (n <= 0)
        die("cannot read from", "the host");
    have += n;
    for (struct header header; have >= sizeof(header);) {
        memcpy(&header, buffer, sizeof(header));
        if (header.length > MAX_PAYLOAD) {
            errno = EMSGSIZE;
            die("cannot understand", "the host");
        }
        size_t whole = sizeof(header) + header.length;
        if (have < whole)
            return;
        obey(&header, buffer + sizeof(header));
        memmove(buffer, buffer + whole, have - whole);
        have -= whole;
    }
}

static void serve(int children)
{
    struct pollfd wait[2 + 3 * MAX_JOBS];

    for (;;) {
        int n = 2;
        wait[0] = (struct pollfd){.fd = control, .events = POLLIN};
        wait[1] = (struct pollfd){.fd = children, .events = POLLIN};
        for (struct job *job = jobs; job < jobs + MAX_JOBS; job++, n += 3) {
            wait[n] = (struct pollfd){.fd = job->used ? job->out : -1, .events = POLLIN};
            wait[n + 1] = (struct pollfd){.fd = job->used ? job->err : -1, .events = POLLIN};
            bool hungry = job->used && job->in >= 0 && job->pending;
            wait[n + 2] = (struct pollfd){.fd = hungry ? job->in : -1, .events = POLLOUT};
        }
        if (poll(wait, n, -1) < 0)
            continue;
        for (int i = 0; i < MAX_JOBS; i++) {
            struct job *job = &jobs[i];
            if (!job->used)
                continue;
            if (wait[2 + 3 * i].revents)
                pass_on(job, &job->out);
            if (wait[3 + 3 * i].revents)
                pass_on(job, &job->err);
            if (wait[4 + 3 * i].revents)
                feed(job);
            forget_if_done(job);
        }
        if (wait[1].revents) {
            struct signalfd_siginfo info;
            if (read(children, &info, sizeof(info)) > 0)
                reap();
        }
        if (wait[0].revents)
            read_control();
    }
}

int main(void)
{
    sigset_t child;
    struct utsname name;

    mount_all();
    configure();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    control = open_port("/dev/ttyS1");
    data = open_port("/dev/ttyS2");
    uname(&name);
    send_frame(control, 'r', 0, name.release, strlen(name.release));
    serve(signalfd(-1, &child, SFD_CLOEXEC));
}
