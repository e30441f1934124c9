// SPDX-License-Identifier: GPL-2.0-only
// Sockets, and who else has them.

#include "keeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <linux/nbd.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// socket FAMILY TYPE PROTOCOL
static void take_socket(char **argument)
{
    keep(socket(atoi(argument[0]), atoi(argument[1]), atoi(argument[2])));
}

// alg TYPE NAME: bound
static void take_alg(char **argument)
{
    struct sockaddr_alg address = {.salg_family = AF_ALG};
    int fd = keep(socket(AF_ALG, SOCK_SEQPACKET, 0));

    snprintf((char *)address.salg_type, sizeof(address.salg_type), "%s", argument[0]);
    snprintf((char *)address.salg_name, sizeof(address.salg_name), "%s", argument[1]);
    must(bind(fd, (void *)&address, sizeof(address)));
}

static void fill(struct sockaddr_in *address, char **argument)
{
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons(atoi(argument[0]));
}

// listen PORT
static void take_listen(char **argument)
{
    struct sockaddr_in address = {0};
    int fd = keep(socket(AF_INET, SOCK_STREAM, 0)), on = 1;

    fill(&address, argument);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    must(bind(fd, (void *)&address, sizeof(address)));
    must(listen(fd, 8));
}

// connect PORT
static void take_connect(char **argument)
{
    struct sockaddr_in address = {0};
    int fd = keep(socket(AF_INET, SOCK_STREAM, 0));

    fill(&address, argument);
    must(connect(fd, (void *)&address, sizeof(address)));
}

// vsock_listen PORT; vsock_connect PORT: to this machine itself
static void of_vsock(char **argument, int listens)
{
    struct sockaddr_vm address = {.svm_family = AF_VSOCK,
                                  .svm_port = atoi(argument[0]),
                                  .svm_cid = listens ? VMADDR_CID_ANY : VMADDR_CID_LOCAL};
    int fd = keep(socket(AF_VSOCK, SOCK_STREAM, 0));

    if (listens) {
        must(bind(fd, (void *)&address, sizeof(address)));
        must(listen(fd, 8));
    } else {
        must(connect(fd, (void *)&address, sizeof(address)));
    }
}

// congestion SOCKET NAME
static void take_congestion(char **argument)
{
    must(setsockopt(kept(argument[0]), IPPROTO_TCP, TCP_CONGESTION, argument[1],
                    strlen(argument[1])));
}

// ulp SOCKET NAME
static void take_ulp(char **argument)
{
    must(setsockopt(kept(argument[0]), IPPROTO_TCP, TCP_ULP, argument[1], strlen(argument[1])));
}

// fill SOCKET: writes what fits, which nobody reads
static void take_fill(char **argument)
{
    static char data[1 << 16];
    int fd = kept(argument[0]);

    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        ;
    if (errno != EAGAIN)
        give_up();
}

// nbd NUMBER PATH: gives a socket to a block device, which keeps it
static void take_nbd(char **argument)
{
    int device = keep(open(argument[1], O_RDWR));

    must(ioctl(device, NBD_SET_SOCK, (unsigned long)kept(argument[0])));
}

// queue NUMBER: gets the packets of that queue of netfilter
static void take_queue(char **argument)
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
        .netfilter = {.version = NFNETLINK_V0, .res_id = htons(atoi(argument[0]))},
        .attribute = {.nla_len = sizeof(request.attribute) + sizeof(request.command),
                      .nla_type = NFQA_CFG_CMD},
        .command = {.command = NFQNL_CFG_CMD_BIND},
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } reply;
    int fd = keep(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));

    must(send(fd, &request, sizeof(request), 0));
    must(recv(fd, &reply, sizeof(reply), 0));
    errno = -reply.error.error;
    must(reply.error.error);
}

// accept NUMBER
static void take_accept(char **argument)
{
    keep(accept(kept(argument[0]), NULL, NULL));
}

static void take_vsock_listen(char **argument)
{
    of_vsock(argument, 1);
}

static void take_vsock_connect(char **argument)
{
    of_vsock(argument, 0);
}

const struct step socket_steps[] = {
    {"socket", 3, take_socket},
    {"alg", 2, take_alg},
    {"listen", 1, take_listen},
    {"connect", 1, take_connect},
    {"accept", 1, take_accept},
    {"vsock_listen", 1, take_vsock_listen},
    {"vsock_connect", 1, take_vsock_connect},
    {"congestion", 2, take_congestion},
    {"ulp", 2, take_ulp},
    {"fill", 1, take_fill},
    {"nbd", 2, take_nbd},
    {"queue", 1, take_queue},
    {NULL, 0, NULL},
};
