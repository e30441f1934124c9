// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <span>
#include <string_view>

namespace lastref::kernel {

/// What our BPF programs are, or call, that not all kernels have. The kernel's types tell: each is
/// an enumerator there.
struct BpfNeed {
    std::string_view enumeration; ///< "bpf_func_id"
    std::string_view enumerator;  ///< "BPF_FUNC_loop"
    std::string_view what;        ///< "bpf_loop()"
    std::string_view since;       ///< "5.17"
};

/// What every command that looks at the kernel needs; optional parts of `why` may need more.
std::span<const BpfNeed> bpf_needs();

} // namespace lastref::kernel
