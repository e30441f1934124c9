// SPDX-License-Identifier: GPL-2.0-only
#include "base/confinement.h"

#include "base/capabilities.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <memory>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <type_traits>
#include <unistd.h>

namespace lastref {
namespace {

/// Allowed whatever their arguments are.
constexpr std::array allowed{
    // wait for events
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(restart_syscall),
    // read and write what is open
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(lseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(close),
    // look at files
    SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    // answer a scrape
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
    SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(eventfd2),
    // memory, threads and time of its own
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
    SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(uname), SCMP_SYS(sysinfo),
    // signals, and the end
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

/// Of bpf(2): reading maps, what programs and links tell about themselves, and running those that
/// are loaded. Not: loading, creating, attaching.
constexpr std::array bpf_commands{BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_PROG_TEST_RUN,
                                  BPF_OBJ_GET_INFO_BY_FD, BPF_ITER_CREATE};

/// Of ioctl(2): asking what the terminal is like, and detaching in the end.
constexpr std::array ioctl_requests{std::uint64_t{TCGETS}, std::uint64_t{TIOCGWINSZ},
                                    std::uint64_t{PERF_EVENT_IOC_DISABLE}};

/// Of fcntl(2): all but whom a file is to send signals to, and locks and leases.
constexpr std::array fcntl_commands{F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};

struct Release {
    void operator()(void *filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

/// Allows a call if an argument, masked, has a value.
int allow_if(scmp_filter_ctx filter, int call, unsigned argument, std::uint64_t mask,
             std::uint64_t value)
{
    const scmp_arg_cmp wanted{argument, SCMP_CMP_MASKED_EQ, mask, value};
    return ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &wanted);
}

/// 0, or an errno as a negative number.
int add_rules(scmp_filter_ctx filter)
{
    constexpr std::uint64_t all = 0xffffffff;
    int error = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (const int call : allowed) {
        error = error != 0 ? error : ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
    for (const auto command : bpf_commands) {
        error = error != 0 ? error : allow_if(filter, SCMP_SYS(bpf), 0, all, command);
    }
    for (const auto request : ioctl_requests) {
        error = error != 0 ? error : allow_if(filter, SCMP_SYS(ioctl), 1, all, request);
    }
    for (const auto command : fcntl_commands) {
        error = error != 0 ? error
                           : allow_if(filter, SCMP_SYS(fcntl), 1, all,
                                      static_cast<std::uint64_t>(command));
    }
    // Signals, which abort(3) takes, and limits: this process's own.
    const auto self = static_cast<std::uint64_t>(::getpid());
    error = error != 0 ? error : allow_if(filter, SCMP_SYS(tgkill), 0, all, self);
    error = error != 0 ? error : allow_if(filter, SCMP_SYS(prlimit64), 0, all, 0);
    // Files, only to be read.
    constexpr std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
    error = error != 0 ? error : allow_if(filter, SCMP_SYS(open), 1, writing, O_RDONLY);
    return error != 0 ? error : allow_if(filter, SCMP_SYS(openat), 2, writing, O_RDONLY);
}

/// Whether it was built with CONFIG_SECCOMP_FILTER; else prctl(2) says that there is no such thing.
bool kernel_has_filters()
{
    return ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

Result<void> give_up_system_calls()
{
    const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    int error = filter ? add_rules(filter.get()) : -ENOMEM;
    error = error != 0 ? error : ::seccomp_load(filter.get());
    if (error != 0 && kernel_has_filters()) {
        return fail({.what = "cannot give up system calls", .errnum = -error, .hint = ""});
    }
    return {};
}

} // namespace

Result<void> confine()
{
    auto confined = give_up_capabilities();
    return confined ? give_up_system_calls() : confined;
}

} // namespace lastref
