// SPDX-License-Identifier: GPL-2.0-only
// floor OBJECT COMMAND…: attaches the programs of a BPF object, and detaches them when the command
// has ended.

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed(const char *what, const char *whom)
{
    perror(what);
    fprintf(stderr, "floor: cannot %s %s\n", what, whom);
    return 1;
}

static int run(char **command)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        execv(command[0], command);
        _exit(failed("execute", command[0]));
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return failed("run", command[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    struct bpf_object *object;
    struct bpf_program *program;

    if (argc < 3) {
        fprintf(stderr, "usage: floor OBJECT COMMAND...\n");
        return 2;
    }
    object = bpf_object__open_file(argv[1], NULL);
    if (!object || bpf_object__load(object))
        return failed("load", argv[1]);
    // The links go with this process.
    bpf_object__for_each_program(program, object)
    {
        if (!bpf_program__attach(program))
            return failed("attach", bpf_program__section_name(program));
    }
    return run(argv + 2);
}
