// SPDX-License-Identifier: GPL-2.0-only
#include "holders/load.h"

#include "bpf/holders/holders.h"
#include "holders/parts.h"
#include "holders_skeleton.skel.h"
#include "kernel/privileges.h"
#include "kernel/requirements.h"
#include "kernel/symbols.h"
#include "kernel/sysfs_modules.h"

#include <algorithm>
#include <array>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

namespace lastref::holders {
namespace {

/// What the programs are told before they are loaded: addresses from /proc/kallsyms, 0 where it has
/// none.
using Addresses = holders_skeleton::holders_skeleton__rodata;
struct AddressOf {
    std::string_view symbol;
    __u64 Addresses::*place;
    std::string_view what; ///< what is not found without it; empty: kernels may do without it
    std::string_view sign; ///< a type or function that only kernels with such things have; unless
                           ///< the symbol is a module's
    std::string_view otherwise{}; ///< what other kernels call it
};

constexpr std::array addresses{
    AddressOf{"modules", &Addresses::modules_address, "", ""},
    AddressOf{"debugfs_full_proxy_file_operations", &Addresses::debugfs_proxy_address, "", ""},
    AddressOf{"perf_fops", &Addresses::perf_fops_address, "", ""},
    AddressOf{"perf_tracepoint", &Addresses::perf_tracepoint_address, "", ""},
    AddressOf{"net_namespace_list", &Addresses::net_namespaces_address,
              "network namespaces and all that is in them", "net"},
    AddressOf{"tcp_cong_list", &Addresses::tcp_congestion_list, "congestion control of TCP sockets",
              "tcp_congestion_ops"},
    AddressOf{"tcp_ulp_list", &Addresses::tcp_ulp_list, "upper layer protocols of TCP sockets",
              "tcp_ulp_ops"},
    AddressOf{"tcp_hashinfo", &Addresses::tcp_hashinfo_address, "TCP sockets without a file",
              "inet_hashinfo"},
    AddressOf{"super_blocks", &Addresses::super_blocks_address, "mounted file systems",
              "super_block"},
    AddressOf{"fscontext_fops", &Addresses::fscontext_fops_address, "", ""},
    AddressOf{"blockdev_superblock", &Addresses::blockdev_superblock_address, "block devices",
              "bdev_inode"},
    AddressOf{"swap_info", &Addresses::swap_info_address, "swap devices", "si_swapinfo"},
    AddressOf{"nr_swapfiles", &Addresses::nr_swapfiles_address, "swap devices", "si_swapinfo"},
    AddressOf{"crypto_alg_list", &Addresses::crypto_algorithms_address, "users of its algorithms",
              "crypto_mod_get"},
    AddressOf{"crypto_shash_type", &Addresses::crypto_shash_type_address, "", ""},
    AddressOf{"crypto_lskcipher_type", &Addresses::crypto_lskcipher_type_address, "", ""},
    AddressOf{"dma_buf_fops", &Addresses::dma_buf_fops_address, "", ""},
    AddressOf{"db_list", &Addresses::dma_bufs_address, "", ""},
    AddressOf{"debugfs_list", &Addresses::dma_bufs_in_debugfs_address, "DMA buffers without a file",
              "dma_buf_export", "db_list"},
    AddressOf{"nf_tables:nf_tables_net_id", &Addresses::nf_tables_id_address, "rules of nf_tables",
              ""},
    AddressOf{"nf_tables:nf_tables_expressions", &Addresses::nft_expressions_address,
              "rules of nf_tables", ""},
    AddressOf{"x_tables:xt_pernet_id", &Addresses::xt_pernet_id_address, "rules of iptables-legacy",
              ""},
    AddressOf{"loggers", &Addresses::loggers_address, "loggers behind rules of netfilter",
              "nf_log_register"},
    AddressOf{"act_base", &Addresses::actions_address, "actions of traffic control",
              "tcf_idr_create"},
};

kernel::Symbols read_symbols()
{
    std::array<std::string_view, addresses.size()> names;
    std::transform(addresses.begin(), addresses.end(), names.begin(),
                   [](const AddressOf &one) { return one.symbol; });
    return kernel::Symbols::read(names);
}

/// Whether this kernel has what the symbol leads to.
bool has_such(const AddressOf &one, const btf *types)
{
    if (const auto colon = one.symbol.find(':'); colon != std::string_view::npos) {
        const auto module = one.symbol.substr(0, colon);
        return kernel::module_presence(module) != kernel::ModulePresence::NotLoaded;
    }
    return types == nullptr ||
           btf__find_by_name_kind(types, one.sign.data(), BTF_KIND_STRUCT) > 0 ||
           btf__find_by_name_kind(types, one.sign.data(), BTF_KIND_FUNC) > 0;
}

/// Names what this kernel has, and /proc/kallsyms does not lead to.
void note_missing(const kernel::Symbols &symbols, std::vector<NotExamined> &not_examined)
{
    std::unique_ptr<btf, decltype(&btf__free)> types(nullptr, btf__free);
    for (const auto &one : addresses) {
        if (one.what.empty() || symbols.address(one.symbol) || symbols.address(one.otherwise)) {
            continue;
        }
        if (!types) {
            types.reset(btf__load_vmlinux_btf());
        }
        if (has_such(one, types.get())) {
            not_examined.push_back(
                {std::string(one.what),
                 fmt::format("/proc/kallsyms does not tell where the kernel's {} is", one.symbol)});
        }
    }
}

void set_addresses(holders_skeleton &skeleton, const kernel::Symbols &symbols)
{
    for (const auto &one : addresses) {
        skeleton.rodata->*one.place = symbols.address(one.symbol).value_or(0);
    }
}

/// What the verifier writes about a program that it refuses; of others it writes nothing. However
/// much does not fit: that there is something tells which one it was.
using Logs = std::map<std::string_view, std::array<char, 256>>;

/// What loading the programs depends on.
struct Circumstances {
    kernel::Symbols symbols;
    kernel::Privileges privileges;
};

/// Opens and loads the programs but for the `refused` ones. Null, with errno, when it fails.
Skeleton open_and_load(const Circumstances &here, const std::set<std::string_view> &refused,
                       Logs &logs)
{
    DECLARE_LIBBPF_OPTS(bpf_object_open_opts, open_options);
    open_options.btf_custom_path = kernel::custom_types(here.privileges);
    Skeleton skeleton(holders_skeleton__open_opts(&open_options));
    if (!skeleton) {
        return skeleton;
    }
    set_addresses(*skeleton, here.symbols);
    for (const auto &part : all_parts) {
        auto *program =
            bpf_object__find_program_by_name(skeleton->obj, std::string(part.program).c_str());
        auto &log = logs[part.program];
        log.fill(0);
        bpf_program__set_log_buf(program, log.data(), log.size());
        bpf_program__set_autoload(program, refused.count(part.program) == 0);
    }
    if (const int error = holders_skeleton__load(skeleton.get()); error != 0) {
        skeleton.reset();
        errno = -error;
    }
    return skeleton;
}

/// Leaves out, one after the other, the parts that this kernel refuses.
Skeleton load_what_is_accepted(const Circumstances &here, std::vector<NotExamined> &not_examined)
{
    std::set<std::string_view> refused;
    for (;;) {
        Logs logs;
        auto skeleton = open_and_load(here, refused, logs);
        const int error = errno;
        const auto part = std::find_if(all_parts.begin(), all_parts.end(), [&](const Part &one) {
            return logs[one.program].front() != 0;
        });
        if (skeleton || part == all_parts.end()) {
            errno = error;
            return skeleton;
        }
        refused.insert(part->program);
        not_examined.push_back(
            {std::string(part->what), error == ENOMEM
                                          ? "the kernel had no memory for its program"
                                          : "this kernel does not accept the program for it"});
    }
}

} // namespace

void DestroySkeleton::operator()(holders_skeleton *skeleton) const
{
    holders_skeleton__destroy(skeleton);
}

Result<Skeleton> load_programs(std::vector<NotExamined> &not_examined)
{
    const Circumstances here{read_symbols(), kernel::Privileges::read()};
    if (!here.symbols.address("modules")) {
        return fail({"/proc/kallsyms does not tell where the kernel's list of modules is", 0,
                     "lastref doctor says what is missing", ExitCode::Unsupported});
    }
    auto skeleton = load_what_is_accepted(here, not_examined);
    if (!skeleton && errno == ENOMEM) {
        return fail({"the kernel had no memory for the BPF programs that look for holders", 0,
                     "try again", ExitCode::Unsupported});
    }
    if (!skeleton) {
        return fail({"the kernel does not accept the BPF programs that look for holders", errno,
                     kernel::after_refused_load(here.privileges), ExitCode::Unsupported});
    }
    note_missing(here.symbols, not_examined);
    if (!here.privileges.may_list_types()) {
        not_examined.push_back({"what only modules have types for, such as rules of netfilter",
                                "CAP_SYS_ADMIN is missing"});
    }
    return skeleton;
}

} // namespace lastref::holders
