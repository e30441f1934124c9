/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around BPF programs, links and perf events, as far as they are used here. */
#ifndef LASTREF_BPF_TYPES_BPF_H
#define LASTREF_BPF_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct btf_mod_pair {
    struct module *module;
};

/* kernel/bpf/verifier.c */
struct bpf_kfunc_btf {
    struct module *module;
};

struct bpf_kfunc_btf_tab {
    struct bpf_kfunc_btf descs[256];
    __u32 nr_descs;
};

struct bpf_prog_aux {
    __u32 used_btf_cnt;
    __u32 id;
    const char *attach_func_name;
    struct bpf_kfunc_btf_tab *kfunc_btf_tab;
    struct btf_mod_pair *used_btfs;
    char name[16];
};

/* From commit 31bf1dbccfb0 (in v6.3) on; before, a trampoline held the module. */
struct bpf_prog_aux___mod {
    struct module *mod;
};

struct bpf_trampoline___mod {
    struct module *mod;
};

struct bpf_prog {
    struct bpf_prog_aux *aux;
};

struct bpf_link {
    __u32 id;
    enum bpf_link_type type;
    struct bpf_prog *prog;
};

struct bpf_tramp_link {
    struct bpf_link link;
};

struct bpf_tracing_link {
    struct bpf_tramp_link link;
    struct bpf_trampoline *trampoline;
};

struct bpf_raw_event_map {
    void *bpf_func;
};

struct bpf_raw_tp_link {
    struct bpf_link link;
    struct bpf_raw_event_map *btp;
};

/* kernel/trace/bpf_trace.c; mods[] is not in 6.1 */
struct bpf_kprobe_multi_link {
    struct bpf_link link;
    __u32 mods_cnt;
    struct module **mods;
};

struct module___raw_events {
    unsigned int num_bpf_raw_events;
    struct bpf_raw_event_map *bpf_raw_events;
};

struct bpf_perf_link {
    struct bpf_link link;
    struct file *perf_file;
};

struct bpf_iter__bpf_prog {
    struct bpf_prog *prog;
};

struct bpf_iter__bpf_link {
    struct bpf_link *link;
};

#pragma clang attribute pop

#endif /* LASTREF_BPF_TYPES_BPF_H */
