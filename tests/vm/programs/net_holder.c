// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds sockets for tests/vm/test_why_net*.py: does the steps that its arguments name, in order,
 * says "ready PID" and stays until it is killed. Sockets are numbered as they are made.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <linux/io_uring.h>
#include <linux/nbd.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int fds[512];
static int count;

static int keep(int fd, const char *what)
{
    if (fd < 0) {
        err(1, "%s", what);
    }
    fds[count++] = fd;
    return fd;
}

static void must(int result, const char *what)
{
    if (result < 0) {
        err(1, "%s", what);
    }
}

/* socket FAMILY TYPE PROTOCOL */
static void step_socket(char **arg)
{
    keep(socket(atoi(arg[0]), atoi(arg[1]), atoi(arg[2])), "socket");
}

/* alg TYPE NAME: bound */
static void step_alg(char **arg)
{
    struct sockaddr_alg address = {.salg_family = AF_ALG};
    int fd = keep(socket(AF_ALG, SOCK_SEQPACKET, 0), "AF_ALG");

    snprintf((char *)address.salg_type, sizeof(address.salg_type), "%s", arg[0]);
    snprintf((char *)address.salg_name, sizeof(address.salg_name), "%s", arg[1]);
    must(bind(fd, (void *)&address, sizeof(address)), "bind to a transform");
}

static void fill(struct sockaddr_in *address, char **arg)
{
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons(atoi(arg[0]));
}

/* listen PORT */
static void step_listen(char **arg)
{
    struct sockaddr_in address = {0};
    int fd = keep(socket(AF_INET, SOCK_STREAM, 0), "TCP"), on = 1;

    fill(&address, arg);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    must(bind(fd, (void *)&address, sizeof(address)), "bind");
    must(listen(fd, 8), "listen");
}

/* connect PORT */
static void step_connect(char **arg)
{
    struct sockaddr_in address = {0};
    int fd = keep(socket(AF_INET, SOCK_STREAM, 0), "TCP");

    fill(&address, arg);
    must(connect(fd, (void *)&address, sizeof(address)), "connect");
}

/* vsock_listen PORT; vsock_connect PORT: to this machine itself */
static void step_vsock(char **arg, int listens)
{
    struct sockaddr_vm address = {.svm_family = AF_VSOCK,
                                  .svm_port = atoi(arg[0]),
                                  .svm_cid = listens ? VMADDR_CID_ANY : VMADDR_CID_LOCAL};
    int fd = keep(socket(AF_VSOCK, SOCK_STREAM, 0), "AF_VSOCK");

    if (listens) {
        must(bind(fd, (void *)&address, sizeof(address)), "bind");
        must(listen(fd, 8), "listen");
    } else {
        must(connect(fd, (void *)&address, sizeof(address)), "connect");
    }
}

/* congestion SOCKET NAME */
static void step_congestion(char **arg)
{
    must(setsockopt(fds[atoi(arg[0])], IPPROTO_TCP, TCP_CONGESTION, arg[1], strlen(arg[1])),
         "congestion control");
}

/* ulp SOCKET NAME */
static void step_ulp(char **arg)
{
    must(setsockopt(fds[atoi(arg[0])], IPPROTO_TCP, TCP_ULP, arg[1], strlen(arg[1])), "ulp");
}

/* fill SOCKET: writes what fits, which nobody reads */
static void step_fill(char **arg)
{
    static char data[1 << 16];
    int fd = fds[atoi(arg[0])];

    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0) {
    }
    if (errno != EAGAIN) {
        err(1, "send");
    }
}

/* open PATH */
static void step_open(char **arg)
{
    keep(open(arg[0], O_RDWR), arg[0]);
}

/* pair: two unix sockets */
static void step_pair(char **arg)
{
    int ends[2];

    (void)arg;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    keep(ends[0], "pair");
    keep(ends[1], "pair");
}

static void step_unix(const char *path, int (*join)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = keep(socket(AF_UNIX, SOCK_STREAM, 0), "unix");

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    must(join(fd, (void *)&address, sizeof(address)), path);
}

/* unix_listen PATH */
static void step_unix_listen(char **arg)
{
    step_unix(arg[0], bind);
    must(listen(fds[count - 1], 8), "listen");
}

/* unix_connect PATH */
static void step_unix_connect(char **arg)
{
    step_unix(arg[0], connect);
}

/* pass SOCKET NUMBER: sends a descriptor, which nobody receives */
static void step_pass(char **arg)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fds[atoi(arg[1])], sizeof(int));
    must(sendmsg(fds[atoi(arg[0])], &message, 0), "sendmsg");
}

/* ring NUMBER: registers a descriptor with an io_uring of its own */
static void step_ring(char **arg)
{
    struct io_uring_params parameters = {0};
    int ring = keep(syscall(SYS_io_uring_setup, 4, &parameters), "io_uring");

    must(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fds[atoi(arg[0])], 1),
         "register a file");
}

static volatile int tid; /* of the thread that was started last */

static void *read_it(void *number)
{
    static char data[1 << 16];

    tid = gettid();
    while (read(fds[(long)number], data, sizeof(data)) > 0) {
    }
    return NULL;
}

static void *accept_it(void *number)
{
    tid = gettid();
    accept(fds[(long)number], NULL, NULL);
    return NULL;
}

static void *poll_it(void *number)
{
    struct pollfd all[12] = {0}; /* more than the kernel has room for on its stack */

    tid = gettid();
    for (int i = 0; i < 11; i++) {
        all[i].fd = fds[(long)number + 1];
    }
    all[11].fd = fds[(long)number];
    all[11].events = POLLIN;
    poll(all, 12, -1);
    return NULL;
}

/* Has a thread of its own make a call, and waits until that sleeps. */
static void wait_in(void *(*call)(void *), char **arg, int number)
{
    char path[64], line[64] = "";
    pthread_t thread;

    tid = 0;
    if (pthread_create(&thread, NULL, call, (void *)atol(arg[0]))) {
        errx(1, "a thread");
    }
    do {
        FILE *file;

        do {
            usleep(10000);
        } while (!tid);
        snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
        file = fopen(path, "r");
        if (!file || !fgets(line, sizeof(line), file)) {
            err(1, "%s", path);
        }
        fclose(file);
    } while (strtol(line, NULL, 10) != number || line[0] == 'r'); /* "running" */
}

/* get NUMBER: reads what is there */
static void step_get(char **arg)
{
    static char data[1 << 16];

    must(read(fds[atoi(arg[0])], data, sizeof(data)), "read");
}

/* read NUMBER: a thread waits for something to read */
static void step_read(char **arg)
{
    wait_in(read_it, arg, SYS_read);
}

/* await NUMBER: a thread waits for a connection */
static void step_await(char **arg)
{
    wait_in(accept_it, arg, SYS_accept);
}

/* poll NUMBER: a thread waits for something to read there, and for nothing at the next one */
static void step_poll(char **arg)
{
    wait_in(poll_it, arg, SYS_poll);
}

/* submit NUMBER: an io_uring of its own is to read, and waits for it */
static void step_submit(char **arg)
{
    struct io_uring_params parameters = {0};
    int ring = keep(syscall(SYS_io_uring_setup, 4, &parameters), "io_uring");
    static char data[1 << 16];
    struct io_uring_sqe *entries =
        mmap(NULL, 4 * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    char *queue = mmap(NULL, parameters.sq_off.array + 4 * sizeof(int), PROT_READ | PROT_WRITE,
                       MAP_SHARED, ring, IORING_OFF_SQ_RING);

    if (entries == MAP_FAILED || queue == MAP_FAILED) {
        err(1, "map a ring");
    }
    entries[0].opcode = IORING_OP_READ;
    entries[0].fd = fds[atoi(arg[0])];
    entries[0].addr = (unsigned long)data;
    entries[0].len = sizeof(data);
    ((unsigned int *)(queue + parameters.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned int *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) - 1, "submit a request");
}

/* nbd NUMBER PATH: gives a socket to a block device, which keeps it */
static void step_nbd(char **arg)
{
    int device = keep(open(arg[1], O_RDWR), arg[1]);

    must(ioctl(device, NBD_SET_SOCK, (unsigned long)fds[atoi(arg[0])]), "NBD_SET_SOCK");
}

/* queue NUMBER: gets the packets of that queue of netfilter */
static void step_queue(char **arg)
{
    struct {
        struct nlmsghdr header;
        struct nfgenmsg netfilter;
        struct nlattr attribute;
        struct nfqnl_msg_config_cmd command;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .netfilter = {.version = NFNETLINK_V0, .res_id = htons(atoi(arg[0]))},
        .attribute = {.nla_len = sizeof(request.attribute) + sizeof(request.command),
                      .nla_type = NFQA_CFG_CMD},
        .command = {.command = NFQNL_CFG_CMD_BIND},
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } answer;
    int fd = keep(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), "NETLINK_NETFILTER");

    must(send(fd, &request, sizeof(request), 0), "ask for a queue");
    must(recv(fd, &answer, sizeof(answer), 0), "get an answer");
    errno = -answer.error.error;
    must(answer.error.error, "get a queue");
}

static void step_accept(char **arg)
{
    keep(accept(fds[atoi(arg[0])], NULL, NULL), "accept");
}

static void step_close(char **arg)
{
    close(fds[atoi(arg[0])]);
}

static void step_vsock_listen(char **arg)
{
    step_vsock(arg, 1);
}

static void step_vsock_connect(char **arg)
{
    step_vsock(arg, 0);
}

static const struct {
    const char *name;
    int arguments;
    void (*step)(char **arg);
} steps[] = {
    {"socket", 3, step_socket},
    {"alg", 2, step_alg},
    {"listen", 1, step_listen},
    {"connect", 1, step_connect},
    {"vsock_listen", 1, step_vsock_listen},
    {"vsock_connect", 1, step_vsock_connect},
    {"congestion", 2, step_congestion},
    {"ulp", 2, step_ulp},
    {"fill", 1, step_fill},
    {"open", 1, step_open},
    {"pair", 0, step_pair},
    {"unix_listen", 1, step_unix_listen},
    {"unix_connect", 1, step_unix_connect},
    {"pass", 2, step_pass},
    {"ring", 1, step_ring},
    {"get", 1, step_get},
    {"read", 1, step_read},
    {"await", 1, step_await},
    {"poll", 1, step_poll},
    {"submit", 1, step_submit},
    {"nbd", 2, step_nbd},
    {"queue", 1, step_queue},
    {"accept", 1, step_accept},
    {"close", 1, step_close},
};

int main(int argc, char **argv)
{
    for (int at = 1; at < argc;) {
        const char *name = argv[at++];
        unsigned int i = 0;

        while (i < sizeof(steps) / sizeof(*steps) && strcmp(steps[i].name, name)) {
            i++;
        }
        if (i == sizeof(steps) / sizeof(*steps) || at + steps[i].arguments > argc) {
            errx(2, "what is %s?", name);
        }
        steps[i].step(&argv[at]);
        at += steps[i].arguments;
    }
    printf("ready %d\n", getpid());
    fflush(stdout);
    pause();
    return 0;
}
