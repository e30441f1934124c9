// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words algorithm_words{
    .detail = "users of {driver}[ ({name})]; the kernel does not record who",
    .clause = "its algorithm {driver}[ ({name})] is in use, the kernel does not record by whom",
};
constexpr Words transform_words{
    .detail = "fd {fd}, AF_ALG socket{where}: uses {driver}[ ({name})]",
    .clause = "{who} uses {driver}[ ({name})] by an AF_ALG socket{where}",
    .remedy = end_process,
};
constexpr Words socket_words{
    .detail = "fd {fd}, AF_ALG socket{where}, or the one that it was accepted from",
    .clause = "{who} has an AF_ALG socket{where} open",
    .remedy = end_process,
};

constexpr std::int64_t af_alg = 38;
constexpr std::int64_t larval = 0x10, dead = 0x20; // CRYPTO_ALG_LARVAL, CRYPTO_ALG_DEAD

void name_algorithm(Finding &found, const Object &algorithm)
{
    const auto driver = algorithm["cra_driver_name"].text();
    const auto name = algorithm["cra_name"].text();
    found.with("driver", driver).with("name", name == driver ? "" : name);
}

/// A transform, and whatever else uses an algorithm, takes a reference on it and one on its module,
/// both by crypto_mod_get(); so the number of users is known for sure. Who they are is not
/// recorded, but for sockets of AF_ALG: core/why.cpp takes those away from the number.
void look_for_users(Search &search)
{
    const auto list = search.kernel().symbol_if_any("crypto_alg_list");
    each_in_list(search.kernel().at(list, "list_head"), "crypto_alg", "cra_list",
                 [&](const Object &algorithm) {
                     const auto flags = algorithm["cra_flags"].number();
                     if (!search.is_target(algorithm["cra_module"]) || !flags ||
                         (*flags & larval) != 0) {
                         return;
                     }
                     const auto counter = algorithm["cra_refcnt"]["refs"]["counter"].number();
                     const auto users = counter.value_or(0) - 1; // the first one is of the list
                     if (users > 0) {
                         auto &found = search.found("crypto", algorithm_words, algorithm, users);
                         found.path = algorithm["cra_driver_name"].text();
                         name_algorithm(found, algorithm);
                     }
                 });
}

/// The algorithm of a bound socket's transform.
Object algorithm_of(const Object &bound)
{
    const auto kind = bound["type"]["name"].text();
    auto transform = bound["private"];
    if (kind == "hash") {
        transform = transform.as("crypto_ahash", "algif_hash");
    } else if (kind == "skcipher") {
        transform = transform.as("crypto_skcipher", "algif_skcipher");
    } else if (kind == "aead") {
        // until it needed no transform of its own for copying (v6.1.y has either)
        const bool is_one_of_two = bound.kernel()->has_type("aead_tfm", "algif_aead");
        transform = is_one_of_two ? transform.as("aead_tfm", "algif_aead")["aead"]
                                  : transform.as("crypto_aead", "algif_aead");
    } else if (kind == "rng") {
        transform = transform.as("rng_parent_ctx", "algif_rng")["drng"];
    } else {
        return {};
    }
    return transform["base"]["__crt_alg"].target();
}

/// References that a transform takes. Those of two types have one more for the simpler transform
/// below: crypto_init_shash_ops_async() (6.1), crypto_init_ahash_using_shash() and
/// crypto_init_lskcipher_ops_sg() (6.12).
std::int64_t refs_of_transform(const Object &algorithm)
{
    const auto type = algorithm["cra_type"].pointer();
    auto &kernel = *algorithm.kernel();
    return kernel.leads_to(type, "crypto_shash_type") ||
                   kernel.leads_to(type, "crypto_lskcipher_type")
               ? 2
               : 1;
}

/// A bound socket, sighted by a file that leads to it.
Finding &found_by(Search &search, const OpenFile &file, const HolderKind &kind, const Words &words,
                  const Object &bound, std::int64_t refs)
{
    const auto inode = search.kernel().at(file.file, "file")["f_inode"]["i_ino"].number();
    auto &found = search.found(kind, words, bound, refs);
    found.task = search.owner_of(file);
    found.fd = file.fd;
    found.path = "socket:[" + std::to_string(inode.value_or(0)) + "]";
    found.netns = Search::number_of(bound["sk"]["__sk_common"]["skc_net"]["net"]);
    return found;
}

/// AF_ALG has two kinds of sockets: those that are bound to a transform, and those accepted from
/// them. A bound one lives as long as one of the latter, even without a descriptor of its own; so
/// it is an object of its own. It holds its protocol, the type that alg_bind() found, and what its
/// transform does.
void look_at_socket(Search &search, const OpenFile &file)
{
    const auto socket = search.kernel().at(file.file, "file")["private_data"].as("socket");
    const auto sk = socket["sk"];
    if (sk["__sk_common"]["skc_family"].number() != af_alg) {
        return;
    }
    const auto own = sk.as("alg_sock", "af_alg");
    const auto parent = own["parent"];
    const auto bound = parent ? parent.as("alg_sock", "af_alg") : own;
    const auto refs = std::int64_t{search.is_target(bound["sk"]["sk_prot_creator"]["owner"])} +
                      std::int64_t{search.is_target(bound["type"]["owner"])};
    const auto algorithm = algorithm_of(bound);
    const bool uses_it = search.is_target(algorithm["cra_module"]);
    if ((refs == 0 && !uses_it) || !search.is_still_open(file)) {
        return;
    }
    if (refs > 0) {
        found_by(search, file, HolderKind::Socket, socket_words, bound, refs);
    }
    if (!uses_it) {
        return;
    }
    const auto taken = refs_of_transform(algorithm);
    auto &found = found_by(search, file, "crypto", transform_words, bound, taken);
    name_algorithm(found, algorithm);
    if ((algorithm["cra_flags"].number().value_or(0) & dead) == 0) { // else it is in no list
        found.count_in(algorithm.address(), taken);
    }
}

void look(Search &search)
{
    look_for_users(search);
    if (!search.has_module("af_alg") && !search.kernel().has_type("alg_sock")) {
        return;
    }
    for (const auto &file : search.open_files_with("socket_file_ops")) {
        look_at_socket(search, file);
    }
}

constexpr Symbol symbols[] = {
    // A kernel without the crypto API has crypto_alg of a header, too.
    {"crypto_alg_list", "users of its algorithms", "crypto_larval"},
};

constexpr Reference references[] = {
    {"`crypto`", "1 for each user of an algorithm", "`crypto_mod_get()`",
     "`crypto_alg_list`: `cra_refcnt`, without the list's own"},
    {"`crypto`", "of these 1 for each bound AF_ALG socket",
     "`alg_bind()`: `crypto_alloc_ahash()` and the like",
     "`alg_sock->private`, `alg_sock->parent`"},
    {"`crypto`", "1 more where it is an `shash` (6.12: or an `lskcipher`)",
     "`crypto_init_shash_ops_async()` (6.1), `crypto_init_ahash_using_shash()`, "
     "`crypto_init_lskcipher_ops_sg()` (6.12)",
     "`tfm->__crt_alg->cra_type`"},
};
constexpr Doc doc{"An algorithm of the module's is in use", references,
                  "Of an AF_ALG socket, its process ends; others are not recorded"};

} // namespace

extern const Kind crypto{"users of its algorithms", doc, symbols, look};

} // namespace lastref::census
