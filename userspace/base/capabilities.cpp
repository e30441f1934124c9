// SPDX-License-Identifier: GPL-2.0-only
#include "base/capabilities.h"

#include <array>
#include <cerrno>
#include <exception>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lastref {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// capget and capset have no wrapper in the C library.
long call(long number, Sets &sets)
{
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return ::syscall(number, &header, sets.data());
}

/// Root without a capability still owns what root owns: nobody does not. This thread alone: the
/// library's functions would have all threads do it, and they end the process where some of them
/// cannot any more. Who has no such user or may not become it stays what it is.
void become_nobody()
{
    constexpr unsigned nobody = 65534;
    if (::geteuid() == 0 && ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
        ::syscall(SYS_setresgid, nobody, nobody, nobody) == 0) {
        ::syscall(SYS_setresuid, nobody, nobody, nobody);
    }
}

} // namespace

std::uint64_t effective_capabilities()
{
    Sets sets{};
    if (call(SYS_capget, sets) != 0) {
        return 0;
    }
    return sets[0].effective | static_cast<std::uint64_t>(sets[1].effective) << 32U;
}

Result<void> give_up_capabilities()
{
    become_nobody();
    Sets none{}; // and with the permitted ones go the ambient ones
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || call(SYS_capset, none) != 0) {
        return fail({.what = "cannot give up capabilities", .errnum = errno, .hint = ""});
    }
    return {};
}

void begin_without_capabilities()
{
    if (!give_up_capabilities()) {
        std::terminate();
    }
}

} // namespace lastref
