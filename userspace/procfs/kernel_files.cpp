// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/kernel_files.h"

#include "base/fd.h"
#include "procfs/files.h"

#include <filesystem>
#include <fmt/format.h>
#include <sys/mount.h>

namespace lastref::procfs {
namespace {

Fd mount_nowhere(const KernelFiles &files)
{
    // The kernel would ask for a module of that name if it did not know it.
    if (contents("/proc/filesystems").find(fmt::format("\t{}\n", files.type)) ==
        std::string::npos) {
        return {};
    }
    const Fd context(::fsopen(std::string(files.type).c_str(), FSOPEN_CLOEXEC));
    if (!context.valid() ||
        ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return {};
    }
    return Fd(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
}

} // namespace

std::string contents_of(const KernelFiles &files, std::string_view path)
{
    // They are never empty: what is there without anything in it is the bare
    // directory of sysfs.
    std::error_code error;
    if (const std::filesystem::path place(files.place);
        !std::filesystem::is_empty(place, error) && !error) {
        return contents(place / path);
    }
    const auto mount = mount_nowhere(files);
    return mount.valid() ? contents(fmt::format("/proc/self/fd/{}/{}", mount.get(), path)) : "";
}

} // namespace lastref::procfs
