// SPDX-License-Identifier: GPL-2.0-only
// lastref under test: started at any moment, asked for a document after each step, stopped.

#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDING "/tmp/oracle.recording"

enum { WORDS = 24, PIPE_BYTES = 4096 };

struct tracer {
    pid_t pid; // 0: there is none
    int out, err;
    bool held;        // stopped but for the time in which it takes a snapshot
    struct text said; // on stderr
    struct text lines;
};

static struct tracer refs, recorder;
static const char *program;

static const char *const not_in_refs[] = {
    "stack",   "first",  "last",       "address",         "host",
    "boot_id", "kernel", "not_loaded", "clock_offset_ns", "call_sites_omitted",
    NULL};
static const char *const not_in_report[] = {
    "last_put", "verdict",         "holders", "host",  "boot_id", "kernel",    "clock_offset_ns",
    "comm",     "command",         "address", "flags", "ongoing", "call_site", "pid",
    "exact",    "after_return_ns", "context", NULL};

void tracers_init(const char *lastref)
{
    program = lastref;
}

static void start(struct tracer *t, char *arguments)
{
    char *argv[WORDS + 1] = {(char *)program};
    int out[2], err[2], words = 1;

    for (char *word = strtok(arguments, " "); word && words < WORDS; word = strtok(NULL, " "))
        argv[words++] = word;
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        die("no pipe for", "lastref");
    // So that few old documents wait in it.
    if (fcntl(out[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
        die("cannot make smaller", "a pipe");
    t->pid = fork();
    if (t->pid < 0)
        die("cannot start", "lastref");
    if (!t->pid) {
        dup2(out[1], 1);
        dup2(err[1], 2);
        execvp(argv[0], argv);
        die("cannot execute", argv[0]);
    }
    close(out[1]);
    close(err[1]);
    t->out = out[0];
    t->err = err[0];
    t->held = false;
    text_clear(&t->said);
    text_clear(&t->lines);
}

// Reads what is there, or waits for it; false at the end of the stream.
static bool take(int fd, struct text *to)
{
    char piece[4096];
    long got = read(fd, piece, sizeof(piece));
    if (got < 0)
        die("cannot read from", "lastref");
    text_add(to, piece, got);
    return got > 0;
}

// Fails the whole run: without its tracer there is nothing to compare.
static void died(struct tracer *t)
{
    while (take(t->err, &t->said))
        ;
    fprintf(stderr, "oracle: lastref ended by itself, and said:\n%s\n", t->said.data);
    exit(1);
}

// `meanwhile` is called again and again, so that things go on while probes are attached.
static void wait_attached(struct tracer *t, void (*meanwhile)(void))
{
    struct pollfd poll_fd = {.fd = t->err, .events = POLLIN};

    while (!strstr(t->said.data, "lastref: attached (")) {
        if (meanwhile)
            meanwhile();
        if (poll(&poll_fd, 1, meanwhile ? 0 : -1) > 0 && !take(t->err, &t->said))
            died(t);
    }
}

static void hold(struct tracer *t)
{
    int status;
    if (kill(t->pid, SIGSTOP) || waitpid(t->pid, &status, WUNTRACED) != t->pid)
        die("cannot stop", "lastref");
    if (!WIFSTOPPED(status))
        died(t);
}

void refs_start(char *arguments, bool held, void (*meanwhile)(void))
{
    start(&refs, arguments);
    wait_attached(&refs, meanwhile);
    refs.held = held;
    if (held)
        hold(&refs);
}

bool refs_running(void)
{
    return refs.pid != 0;
}

// The first line, taken out; NULL if there is no whole one.
static char *first_line(struct text *lines, struct text *line)
{
    char *end = memchr(lines->data, '\n', lines->used);
    if (!end)
        return NULL;
    text_clear(line);
    text_add(line, lines->data, end - lines->data);
    lines->used -= end + 1 - lines->data;
    memmove(lines->data, end + 1, lines->used + 1);
    return line->data;
}

static unsigned long long stamp(const char *document)
{
    const char *at = strstr(document, "\"ts_ns\":\"");
    return at ? strtoull(at + 9, NULL, 10) : 0;
}

static void show(const char *name, const char *document, const char *const *dropped)
{
    static struct text small;
    json_compact(document, dropped, &small);
    printf(",\"%s\":%s", name, small.data);
}

// "got":NS,"doc":{…}: the first one whose snapshot began after that moment.
void refs_document(unsigned long long after_ns)
{
    static struct text line;
    char *document = NULL;

    if (refs.held && kill(refs.pid, SIGCONT))
        die("cannot continue", "lastref");
    for (;;) {
        document = first_line(&refs.lines, &line);
        if (document && stamp(document) >= after_ns)
            break;
        if (!document && !take(refs.out, &refs.lines))
            died(&refs);
    }
    printf(",\"got\":%llu", now_ns());
    if (refs.held)
        hold(&refs);
    show("doc", document, not_in_refs);
}

// "status":N; its last words are left in t->lines.
static void stop(struct tracer *t)
{
    int status;
    kill(t->pid, SIGINT);
    kill(t->pid, SIGCONT);
    while (take(t->out, &t->lines))
        ;
    while (take(t->err, &t->said))
        ;
    if (waitpid(t->pid, &status, 0) != t->pid)
        die("cannot wait for", "lastref");
    close(t->out);
    close(t->err);
    t->pid = 0;
    printf(",\"status\":%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// Ends with a document of its own.
void refs_stop(void)
{
    static struct text line, last;

    stop(&refs);
    printf(",\"got\":%llu", now_ns());
    text_clear(&last);
    while (first_line(&refs.lines, &line)) {
        text_clear(&last);
        text_add(&last, line.data, line.used);
    }
    show("doc", last.used ? last.data : "null", not_in_refs);
}

void record_start(char *arguments)
{
    start(&recorder, arguments);
    wait_attached(&recorder, NULL);
}

// "report":{…}, of the recording.
void record_stop(void)
{
    char report[] = "report -j " RECORDING;
    int status;

    stop(&recorder);
    start(&recorder, report);
    while (take(recorder.out, &recorder.lines))
        ;
    while (take(recorder.err, &recorder.said))
        ;
    if (waitpid(recorder.pid, &status, 0) != recorder.pid || !recorder.lines.used)
        died(&recorder);
    close(recorder.out);
    close(recorder.err);
    recorder.pid = 0;
    *strchrnul(recorder.lines.data, '\n') = 0;
    if (unlink(RECORDING)) // the next one would not be written over it
        die("cannot remove", RECORDING);
    show("report", recorder.lines.data, not_in_report);
}
