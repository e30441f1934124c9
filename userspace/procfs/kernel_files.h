// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>

namespace lastref::procfs {

/// A file system of the kernel's own, which need not be mounted anywhere.
struct KernelFiles {
    std::string_view type;  ///< "debugfs"
    std::string_view place; ///< where it is mounted, if it is: "/sys/kernel/debug"
};

constexpr KernelFiles debugfs{"debugfs", "/sys/kernel/debug"};
constexpr KernelFiles securityfs{"securityfs", "/sys/kernel/security"};
constexpr KernelFiles tracefs{"tracefs", "/sys/kernel/tracing"};

/// What a file of it holds, whether it is mounted or not; empty when it cannot be read.
///
/// Where it is not mounted it is looked at through a mount that has no place in any file tree, so
/// that nobody sees it, and that goes before this returns. That takes CAP_SYS_ADMIN.
std::string contents_of(const KernelFiles &files, std::string_view path);

} // namespace lastref::procfs
