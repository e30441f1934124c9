// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/vmcore.h"

#include "census/btf_source.h"
#include "census/kallsyms.h"
#include "census/kernel.h"
#include "census/read_range.h"
#include "census/walks.h"

#include <algorithm>
#include <cerrno>
#include <elf.h>
#include <fmt/format.h>
#include <libkdumpfile/kdumpfile.h>
#include <map>
#include <sys/utsname.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lastref {
namespace {

using census::Address;

struct Close {
    void operator()(kdump_ctx_t *dump) const { kdump_free(dump); }
};
using Dump = std::unique_ptr<kdump_ctx_t, Close>;

/// What vmcoreinfo says of a symbol; 0: nothing.
Address place_of(kdump_ctx_t *dump, const char *symbol)
{
    kdump_addr_t address = 0;
    return kdump_vmcoreinfo_symbol(dump, symbol, &address) == KDUMP_OK ? address : 0;
}

bool set(kdump_ctx_t *dump, const char *name, const char *value)
{
    kdump_attr_t attribute = {};
    attribute.type = KDUMP_STRING;
    attribute.val.string = value;
    return kdump_set_attr(dump, name, &attribute) == KDUMP_OK;
}

/// QEMU does not write it into the header of a compressed core: then it is that of this machine.
bool know_architecture(kdump_ctx_t *dump)
{
    kdump_attr_t attribute = {};
    attribute.type = KDUMP_STRING;
    if (kdump_get_typed_attr(dump, KDUMP_ATTR_ARCH_NAME, &attribute) == KDUMP_OK) {
        return true;
    }
    struct utsname here = {};
    return uname(&here) == 0 && set(dump, KDUMP_ATTR_ARCH_NAME, here.machine);
}

Error unusable(const std::string &path, std::string_view why, std::string hint)
{
    return {fmt::format("cannot read {}: {}", path, why), 0, std::move(hint), ExitCode::Failed};
}

class Vmcore final : public census::BtfSource {
public:
    Vmcore(Fd file, Dump dump) : file_(std::move(file)), dump_(std::move(dump)) {}

    /// What is in the way of it; empty where nothing is.
    std::optional<Error> read_symbols(const std::string &path)
    {
        const auto at = [this](const char *symbol) { return place_of(dump_.get(), symbol); };
        const census::KallsymsPlaces places{
            .names = at("kallsyms_names"),
            .num_syms = at("kallsyms_num_syms"),
            .token_table = at("kallsyms_token_table"),
            .token_index = at("kallsyms_token_index"),
            .offsets = at("kallsyms_offsets"),
            .relative_base = at("kallsyms_relative_base"),
            .stext = at("_stext"),
        };
        if (places.names == 0) {
            return unusable(path, "it does not tell where the kernel's symbols are",
                            "vmcoreinfo of Linux 6.0 or later does, and what a hypervisor dumps "
                            "has that only if it was told (QEMU: -device vmcoreinfo)");
        }
        kallsyms_ = census::Kallsyms::read(*this, places);
        if (!kallsyms_) {
            return unusable(path, "the kernel's table of symbols cannot be read from it",
                            "is the file whole?");
        }
        return std::nullopt;
    }

    void read(std::span<census::Request> requests) override
    {
        for (auto &one : requests) {
            auto size = one.to.size();
            one.done =
                kdump_read(dump_.get(), KDUMP_KVADDR, one.at, one.to.data(), &size) == KDUMP_OK &&
                size == one.to.size();
        }
    }

    std::optional<Address> symbol(const std::string &name) override
    {
        const auto colon = name.find(':');
        if (colon == std::string::npos) {
            return kallsyms_->find(name);
        }
        const auto &of_module = symbols_of(name.substr(0, colon));
        const auto bare = name.substr(colon + 1);
        const auto found = of_module.find(bare);
        return found != of_module.end() ? std::optional(found->second) : kallsyms_->find(bare);
    }

private:
    using Symbols = std::unordered_map<std::string, Address>;

    /// Those that the kernel keeps of a module for itself: struct mod_kallsyms.
    const Symbols &symbols_of(const std::string &module)
    {
        const auto [known, is_new] = modules_.try_emplace(module);
        if (!is_new) {
            return known->second;
        }
        auto &symbols = known->second;
        census::Kernel kernel(*this);
        auto &memory = kernel.memory();
        census::each_module(kernel, [&](const census::Object &one) {
            if (one["name"].text() != module) {
                return;
            }
            const auto table = one["kallsyms"];
            const auto strings = table["strtab"].pointer();
            const auto count = table["num_symtab"].number().value_or(0);
            constexpr std::int64_t most = 1 << 20;
            for (std::int64_t i = 0; i < std::min(count, most); i++) {
                const auto at =
                    table["symtab"].pointer() + static_cast<Address>(i) * sizeof(Elf64_Sym);
                const auto symbol = memory.read<Elf64_Sym>(at);
                if (!symbol || symbol->st_shndx == SHN_UNDEF) {
                    continue;
                }
                if (const auto text = memory.text(strings + symbol->st_name, longest_name)) {
                    symbols.try_emplace(*text, symbol->st_value);
                }
            }
        });
        return symbols;
    }

    /// Of a module as the kernel keeps it: kernel/bpf/btf.c.
    std::vector<std::byte> types_of(const std::string &module)
    {
        std::vector<std::byte> out;
        census::Kernel kernel(*this);
        census::each_in_list(kernel.at_symbol("btf_modules", "list_head"), "btf_module", "list",
                             [&](const census::Object &one) {
                                 if (one["module"]["name"].text() != module) {
                                     return;
                                 }
                                 const auto btf = one["btf"];
                                 const auto size = btf["data_size"].number().value_or(0);
                                 constexpr std::int64_t most = 1 << 26;
                                 if (size > 0 && size < most) {
                                     out = census::read_range(*this, btf["data"].pointer(),
                                                              static_cast<std::size_t>(size));
                                 }
                             });
        return out;
    }

    std::vector<std::byte> btf(const std::string &name) override
    {
        return name == "vmlinux" ? census::read_types(*this) : types_of(name);
    }

    static constexpr std::size_t longest_name = 512; // KSYM_NAME_LEN

    Fd file_; // which the library leaves open
    Dump dump_;
    std::optional<census::Kallsyms> kallsyms_;
    std::map<std::string, Symbols> modules_;
};

} // namespace

Result<std::unique_ptr<census::Source>> open_vmcore(Fd file, const std::string &path)
{
    Dump dump(kdump_new());
    if (!dump) {
        return fail({"cannot read " + path, ENOMEM, "free some memory", ExitCode::Failed});
    }
    if (kdump_open_fd(dump.get(), file.get()) != KDUMP_OK) {
        return fail(
            unusable(path, kdump_get_err(dump.get()),
                     "give it a vmcore of kdump, or what a hypervisor has dumped as ELF; "
                     "one that came through a pipe is flattened: makedumpfile -R mends it"));
    }
    if (!know_architecture(dump.get()) || !set(dump.get(), KDUMP_ATTR_OSTYPE, "linux")) {
        return fail(
            unusable(path, kdump_get_err(dump.get()), "the memory of a Linux kernel is needed"));
    }
    auto out = std::make_unique<Vmcore>(std::move(file), std::move(dump));
    if (auto in_the_way = out->read_symbols(path)) {
        return fail(std::move(*in_the_way));
    }
    return std::unique_ptr<census::Source>(std::move(out));
}

} // namespace lastref
