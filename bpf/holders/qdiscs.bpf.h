/* SPDX-License-Identifier: GPL-2.0-only */
/* What the searches for queueing disciplines and for filters share. */
#ifndef LASTREF_QDISCS_BPF_H
#define LASTREF_QDISCS_BPF_H

#include "bpf/holders/net_walk.bpf.h"
#include "bpf/holders/qdisc_types.bpf.h"

/* Filters in the blocks of a Qdisc, in filters.bpf.c. */
int check_filters(__u64 qdisc_address, __u64 device);

/* Room for a finding that is one reference, by something on a network device. */
static __always_inline struct lr_finding *found_on_device(__u32 kind, const void *object,
                                                          __u64 device)
{
    const struct net_device *dev = (const void *)device;
    struct lr_finding *finding = found(kind, 1, object);

    if (finding) {
        finding->within = BPF_CORE_READ(dev, nd_net.net, ns.inum);
        finding->number = BPF_CORE_READ(dev, ifindex);
        BPF_CORE_READ_STR_INTO(&finding->traffic.device, dev, name);
    }
    return finding;
}

#endif /* LASTREF_QDISCS_BPF_H */
