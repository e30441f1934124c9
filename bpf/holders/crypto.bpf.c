// SPDX-License-Identifier: GPL-2.0-only
/*
 * Algorithms of the crypto API that the module has registered, and who uses them. A transform, and
 * whatever else uses an algorithm, takes a reference on it and one on its module, both by
 * crypto_mod_get(); so the number of users is known for sure. Who they are is not recorded, but for
 * sockets of AF_ALG, which lead to their transform: core/why.cpp takes those away from the number.
 */
#include "bpf/holders/sockets.bpf.h"

/* Addresses from /proc/kallsyms; the last two are of what tells two kinds of algorithms. */
const volatile __u64 crypto_algorithms_address = 0;
const volatile __u64 crypto_shash_type_address = 0;
const volatile __u64 crypto_lskcipher_type_address = 0;

enum {
    ALGORITHMS_MAX = 1 << 16,
    CRYPTO_ALG_LARVAL = 0x10, /* include/linux/crypto.h, crypto/internal.h */
    CRYPTO_ALG_DEAD = 0x20,
    USERS_MAX = 1 << 24, /* more is no number of users */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct refcount_struct {
    atomic_t refs;
};

struct crypto_alg {
    struct list_head cra_list;
    __u32 cra_flags;
    struct refcount_struct cra_refcnt;
    char cra_name[128];
    char cra_driver_name[128];
    const struct crypto_type *cra_type;
    struct module *cra_module;
};

struct crypto_tfm {
    struct crypto_alg *__crt_alg;
};

struct crypto_ahash {
    struct crypto_tfm base;
};

struct crypto_skcipher {
    struct crypto_tfm base;
};

struct crypto_aead {
    struct crypto_tfm base;
};

struct crypto_rng {
    struct crypto_tfm base;
};

/* crypto/algif_aead.c, until it needed no transform of its own for copying (v6.1.y has either) */
struct aead_tfm {
    struct crypto_aead *aead;
};

/* crypto/algif_rng.c */
struct rng_parent_ctx {
    struct crypto_rng *drng;
};

#pragma clang attribute pop

/* What a bound socket of AF_ALG calls the kind of its transform. */
static __always_inline bool is_kind(const char *kind, const char *wanted)
{
    for (int i = 0; i < 9; i++) {
        if (kind[i] != wanted[i]) {
            return false;
        }
        if (!wanted[i]) {
            break;
        }
    }
    return true;
}

/* The algorithm of a bound socket's transform. */
static __always_inline const struct crypto_alg *algorithm_of(const struct alg_sock *alg)
{
    const void *private = BPF_CORE_READ(alg, private);
    char kind[16] = {};

    if (!private) {
        return NULL;
    }
    BPF_CORE_READ_STR_INTO(&kind, alg, type, name);
    if (is_kind(kind, "hash") && bpf_core_type_exists(struct crypto_ahash)) {
        const struct crypto_ahash *hash = private;

        return BPF_CORE_READ(hash, base.__crt_alg);
    }
    if (is_kind(kind, "skcipher") && bpf_core_type_exists(struct crypto_skcipher)) {
        const struct crypto_skcipher *cipher = private;

        return BPF_CORE_READ(cipher, base.__crt_alg);
    }
    if (is_kind(kind, "aead") && bpf_core_type_exists(struct crypto_aead)) {
        const struct crypto_aead *aead = private;

        if (bpf_core_type_exists(struct aead_tfm)) {
            const struct aead_tfm *both = private;

            aead = BPF_CORE_READ(both, aead);
        }
        return BPF_CORE_READ(aead, base.__crt_alg);
    }
    if (is_kind(kind, "rng") && bpf_core_type_exists(struct rng_parent_ctx)) {
        const struct rng_parent_ctx *context = private;

        return BPF_CORE_READ(context, drng, base.__crt_alg);
    }
    return NULL;
}

static __always_inline void name_algorithm(struct lr_finding *finding, const struct crypto_alg *alg)
{
    BPF_CORE_READ_STR_INTO(&finding->name, alg, cra_driver_name);
    finding->path = note_names((__u64)alg + bpf_core_field_offset(struct crypto_alg, cra_name), 0);
}

/* Writes a finding about the transform of a bound socket of AF_ALG, or of one accepted from it. */
__noinline int report_transform(__u64 file_address, __u64 task_address, __u32 fd)
{
    const struct file *file = (const void *)file_address;
    const struct sock *sk = bound_alg_socket(sock_of_file(file));
    const struct crypto_alg *alg;
    struct lr_finding *finding;
    __u32 refs = 1;
    __u64 type;

    if (!sk || !bpf_core_type_exists(struct crypto_alg)) {
        return 0;
    }
    alg = algorithm_of((const void *)sk);
    if (!is_target(BPF_CORE_READ(alg, cra_module))) {
        return 0;
    }
    /* These take one more for the simpler transform below: crypto_init_shash_ops_async() (6.1),
     * crypto_init_ahash_using_shash() and crypto_init_lskcipher_ops_sg() (6.12). */
    type = (__u64)BPF_CORE_READ(alg, cra_type);
    if (type && (type == crypto_shash_type_address || type == crypto_lskcipher_type_address)) {
        refs = 2;
    }
    finding = found(LR_FOUND_TRANSFORM, refs, sk);
    if (!finding) {
        return 0;
    }
    finding->fd = fd;
    finding->number = BPF_CORE_READ(file, f_inode, i_ino);
    finding->within = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    name_task(&finding->task, (const void *)task_address);
    name_algorithm(finding, alg);
    if (!(BPF_CORE_READ(alg, cra_flags) & CRYPTO_ALG_DEAD)) { /* else it is not in the list */
        finding->counted_in = (__u64)alg;
        finding->counted = refs;
    }
    return 0;
}

static __always_inline void visit_algorithm(const struct crypto_alg *alg)
{
    struct lr_finding *finding;
    __u32 users;

    if (!is_target(BPF_CORE_READ(alg, cra_module)) ||
        BPF_CORE_READ(alg, cra_flags) & CRYPTO_ALG_LARVAL) {
        return;
    }
    users = BPF_CORE_READ(alg, cra_refcnt.refs.counter) - 1; /* the first one is of the list */
    if (!users || users > USERS_MAX) {
        return;
    }
    finding = found(LR_FOUND_ALGORITHM, users, alg);
    if (finding) {
        name_algorithm(finding, alg);
    }
}

struct algorithms_walk {
    struct list_walk list;
    __u32 changed;
};

static long visit_listed_algorithm(__u32 index, struct algorithms_walk *walk)
{
    enum list_step step = list_look(&walk->list);

    if (step != LIST_ELEMENT) {
        walk->changed = step == LIST_CHANGED;
        return 1;
    }
    visit_algorithm(
        (const void *)(walk->list.node - bpf_core_field_offset(struct crypto_alg, cra_list)));
    list_next(&walk->list);
    return 0;
}

SEC("syscall")
int crypto_algorithms(void *ctx)
{
    struct algorithms_walk walk = {};

    if (bpf_core_type_exists(struct crypto_alg) &&
        list_begin(&walk.list, crypto_algorithms_address)) {
        bpf_loop(ALGORITHMS_MAX, visit_listed_algorithm, &walk, 0);
    }
    return walk.changed;
}
