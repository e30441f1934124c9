// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/module_list.h"

#include "lastref_skeleton.skel.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>

namespace lastref::kernel {
namespace {

constexpr int attempts = 20;

/// One walk; the result is an lr_module_list_status.
Result<std::uint32_t> walk(const lastref_skeleton &skeleton)
{
    DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
    skeleton.bss->modules_status = LR_MODULE_LIST_NOT_RUN;
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton.progs.module_list), &options) != 0) {
        return fail({"cannot read the kernel's list of modules", errno,
                     "lastref doctor says what this kernel offers", ExitCode::Unsupported});
    }
    return skeleton.bss->modules_status;
}

lr_module to_record(const lr_module_entry &entry)
{
    lr_module out{};
    out.h.ts_ns = entry.ts_ns;
    out.h.instance_id = entry.instance_id;
    std::memcpy(out.h.module, entry.name, sizeof(out.h.module));
    out.h.module[sizeof(out.h.module) - 1] = '\0';
    out.state = entry.state;
    out.hard = entry.refcnt - 1; // the kernel's base
    out.soft = entry.outstanding;
    out.soft_base = entry.soft_base;
    out.soft_used = entry.soft_used;
    return out;
}

} // namespace

Result<std::vector<lr_module>> list_modules(const lastref_skeleton &skeleton)
{
    for (int attempt = 0; attempt < attempts; attempt++) {
        const auto status = walk(skeleton);
        if (!status) {
            return fail(status.error());
        }
        if (*status == LR_MODULE_LIST_FULL) {
            return fail({"more modules are loaded than lastref has room for", 0,
                         "report this; 4096 is its limit"});
        }
        if (*status != LR_MODULE_LIST_COMPLETE) {
            continue; // the list changed under the walk
        }
        std::vector<lr_module> modules;
        for (std::uint32_t i = 0; i < skeleton.bss->modules_count; i++) {
            const auto &entry = skeleton.bss->modules_entries[i];
            // Without an instance it is on its way in or out of the list, in this very moment.
            if (entry.instance_id != 0) {
                modules.push_back(to_record(entry));
            }
        }
        return modules;
    }
    return fail({"the kernel's list of modules cannot be read: it changes all the time, or is not "
                 "where /proc/kallsyms says",
                 0, "try again; report this if it happens again"});
}

} // namespace lastref::kernel
