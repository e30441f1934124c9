// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace lastref::kernel {

/// The kernel's own types.
constexpr auto types_path = "/sys/kernel/btf/vmlinux";

/// What this process may do to the kernel that it runs on.
struct Privileges {
    std::uint64_t capabilities = 0;
    bool root = false;
    std::int64_t kptr_restrict = 0;

    static Privileges read();

    /// CAP_SYS_ADMIN stands for all of CAP_BPF and CAP_PERFMON; see capabilities(7).
    [[nodiscard]] bool sys_admin() const;
    [[nodiscard]] bool may_load_programs() const;
    /// Of the kernel, where kernel.kptr_restrict is less than 2.
    [[nodiscard]] bool may_see_addresses() const;
    /// libbpf 1.1 lists the types of modules by number where it meets something that is not among
    /// the kernel's, and BPF_BTF_GET_NEXT_ID wants CAP_SYS_ADMIN. Tracing always meets such.
    [[nodiscard]] bool may_list_types() const { return sys_admin(); }
    /// Where kernel.perf_event_paranoid is 3, as on Debian, only CAP_SYS_ADMIN gets kprobes.
    [[nodiscard]] bool may_trace() const { return sys_admin(); }
};

/// For bpf_object_open_opts: the kernel's types by path where those of modules may not be listed,
/// so that libbpf leaves those alone; null where it may look itself.
const char *custom_types(const Privileges &privileges);

} // namespace lastref::kernel
