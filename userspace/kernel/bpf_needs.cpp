// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/bpf_needs.h"

#include <array>

namespace lastref::kernel {

std::span<const BpfNeed> bpf_needs()
{
    static constexpr std::array needs{
        BpfNeed{"bpf_func_id", "BPF_FUNC_get_current_task_btf", "bpf_get_current_task_btf()",
                "5.11"},
        BpfNeed{"bpf_func_id", "BPF_FUNC_snprintf", "bpf_snprintf()", "5.13"},
        BpfNeed{"bpf_prog_type", "BPF_PROG_TYPE_SYSCALL", "programs of type syscall", "5.14"},
        BpfNeed{"bpf_func_id", "BPF_FUNC_task_pt_regs", "bpf_task_pt_regs()", "5.15"},
        BpfNeed{"bpf_func_id", "BPF_FUNC_loop", "bpf_loop()", "5.17"},
    };
    return needs;
}

} // namespace lastref::kernel
