// SPDX-License-Identifier: GPL-2.0-only
#include "census/sleeping_call.h"

#include "census/probing.h"
#include "census/search.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

namespace lastref::census {
namespace {

constexpr std::array calls_of_files = std::to_array<CallOfFiles>({
    {0, "read"},
    {1, "write"},
    {16, "ioctl"},
    {17, "pread64"},
    {18, "pwrite64"},
    {19, "readv"},
    {20, "writev"},
    {40, "sendfile", "si"},
    {42, "connect"},
    {43, "accept", nullptr, true},
    {44, "sendto"},
    {45, "recvfrom"},
    {46, "sendmsg"},
    {47, "recvmsg"},
    {48, "shutdown"},
    {54, "setsockopt"},
    {55, "getsockopt"},
    {72, "fcntl"},
    {73, "flock"},
    {74, "fsync"},
    {75, "fdatasync"},
    {77, "ftruncate"},
    {78, "getdents"},
    {187, "readahead"},
    {217, "getdents64"},
    {221, "fadvise64"},
    {275, "splice", "dx"},
    {276, "tee", "si"},
    {277, "sync_file_range"},
    {278, "vmsplice"},
    {285, "fallocate"},
    {288, "accept4", nullptr, true},
    {295, "preadv"},
    {296, "pwritev"},
    {299, "recvmmsg"},
    {306, "syncfs"},
    {307, "sendmmsg"},
    {326, "copy_file_range", "dx"},
    {327, "preadv2"},
    {328, "pwritev2"},
});
constexpr std::array<std::int64_t, 4> polling_calls{7, 23, 270,
                                                    271}; // poll, select, pselect6, ppoll

// include/linux/sched.h, where they are macros
constexpr std::int64_t kernels_own = 0x00200000 | 0x00000010; // PF_KTHREAD, PF_IO_WORKER
constexpr std::int64_t stopped_or_traced = 0x4 | 0x8;

std::uint64_t unsigned_of(const Object &value)
{
    return static_cast<std::uint64_t>(value.number().value_or(0));
}

std::uint64_t switches_of(const Object &task)
{
    return unsigned_of(task["nvcsw"]) + unsigned_of(task["nivcsw"]);
}

// Selectors of programs: arch/x86/include/asm/segment.h
constexpr std::uint64_t code = 0x33, code_of_32_bits = 0x23, data = 0x2b;

std::uint64_t selector_of(const Object &segment)
{
    return unsigned_of(segment) & 0xffff;
}

/// Whether these are what a program had in its registers: its segments tell.
bool are_of_program(const Object &registers)
{
    const auto segment = selector_of(registers["cs"]);
    return (segment == code || segment == code_of_32_bits) && selector_of(registers["ss"]) == data;
}

/// The upper end of a task's stack: THREAD_SIZE, which is twice as much with KASAN, less
/// TOP_OF_KERNEL_STACK_PADDING, of which there is some with FRED.
Object registers_of(Kernel &kernel, const Object &task)
{
    const auto stack = task["stack"].pointer();
    const auto size = kernel.at(1, "pt_regs").size();
    for (const std::size_t thread_size : {std::size_t{1} << 14, std::size_t{1} << 15}) {
        for (const std::size_t padding : {0U, 16U}) {
            const auto registers = kernel.at(stack + thread_size - padding - size, "pt_regs");
            if (stack != 0 && size != 0 && are_of_program(registers)) {
                return registers;
            }
        }
    }
    return {};
}

/// The words from the inner end of a stack on to where the registers are.
std::vector<std::uint64_t> words_on_stack(Kernel &kernel, const SleepingCall &call)
{
    constexpr std::uint64_t most = 1 << 15;
    const auto begin = unsigned_of(call.task["thread"]["sp"]);
    const auto end = call.registers.address();
    if (begin % sizeof(std::uint64_t) != 0 || begin >= end || end - begin > most) {
        return {};
    }
    std::vector<std::uint64_t> words((end - begin) / sizeof(std::uint64_t));
    if (!kernel.memory().read(begin, std::as_writable_bytes(std::span(words)))) {
        kernel.problems().lost++;
        return {};
    }
    return words;
}

/// Where words may lead to a structure: of a struct fd the lowest bits are flags, since v6.12.
std::vector<Address> leads(const std::vector<std::uint64_t> &words, const DirectMap &map)
{
    constexpr std::uint64_t flags = 3, alignment = 8;
    std::set<Address> out;
    for (const auto word : words) {
        const auto address = word & ~flags;
        if (map.has(address) && address % alignment == 0) {
            out.insert(address);
        }
    }
    return {out.begin(), out.end()};
}

/// A struct poll_wqueues on the stack of a task says whose it is.
std::vector<Object> waiters_on_stack(Kernel &kernel, const SleepingCall &call)
{
    std::vector<Object> out;
    const auto offset = kernel.offset("poll_wqueues", "polling_task");
    const auto words = words_on_stack(kernel, call);
    const auto begin = call.registers.address() - words.size() * sizeof(std::uint64_t);
    for (std::size_t i = 0; offset && i < words.size(); i++) {
        const auto at = begin + i * sizeof(std::uint64_t) - *offset;
        if (words[i] == call.task.address() && at >= begin) {
            out.push_back(kernel.at(at, "poll_wqueues"));
        }
    }
    return out;
}

/// The file of a struct poll_table_entry.
void add_polled(std::vector<Object> &out, const Object &entry, const Object &waiter,
                const DirectMap &map)
{
    const auto file = entry["filp"].target();
    if (entry["wait"]["private"].pointer() == waiter.address() && is_file(file, map)) {
        out.push_back(file);
    }
}

void add_all_polled(std::vector<Object> &out, const Object &waiter, const DirectMap &map)
{
    constexpr std::size_t most = 1 << 16, most_in_page = 1 << 12;
    const auto inside = waiter["inline_entries"];
    const auto count = unsigned_of(waiter["inline_index"]);
    if (count > inside.count()) {
        return; // it is something else that has a pointer to the task
    }
    for (std::size_t i = 0; i < count; i++) {
        add_polled(out, inside[i], waiter, map);
    }
    auto page = waiter["table"].target();
    for (std::size_t pages = 0; map.has(page.address()) && pages < most; pages++) {
        const auto end = page["entry"].pointer();
        const auto entries = page["entries"];
        for (std::size_t i = 0; i < most_in_page && entries[i].address() < end; i++) {
            add_polled(out, entries[i], waiter, map);
        }
        page = page["next"].target();
    }
}

/// Another process is asked before each call (SECCOMP_FILTER_FLAG_NEW_LISTENER), so it may sleep
/// where it has no file yet.
bool is_supervised(const Object &task)
{
    constexpr int most = 1 << 10;
    if (!task.has("seccomp") || !task["seccomp"].has("filter")) {
        return false;
    }
    auto filter = task["seccomp"]["filter"].target();
    for (int i = 0; filter && i < most; i++) {
        if (filter["notif"]) {
            return true;
        }
        filter = filter["prev"].target();
    }
    return false;
}

/// Descriptors have all references to it, so no call has one.
bool is_accounted_for(Search &search, const Object &file)
{
    const auto &all = search.open_files();
    return count_of(file) <= std::count_if(all.begin(), all.end(), [&](const OpenFile &open) {
               return open.file == file.address();
           });
}

/// The files that its descriptors lead to now. One that is closed leads to none, 0.
std::vector<Address> files_of_descriptors(const SleepingCall &call)
{
    std::vector<Address> out;
    const auto table = call.task["files"]["fdt"];
    const auto add = [&](const char *member) {
        constexpr std::uint64_t number = 0xffffffff; // it is an unsigned int
        const auto descriptor = unsigned_of(call.registers[member]) & number;
        const bool fits = descriptor < unsigned_of(table["max_fds"]);
        out.push_back(fits ? table["fd"][descriptor].pointer() : 0);
    };
    if (const auto *of_files = call.of_files(); of_files != nullptr && table) {
        add("di");
        if (of_files->second != nullptr) {
            add(of_files->second);
        }
    }
    return out;
}

/// Each struct file that is in use and that the stack has a pointer to, or to its socket, once.
std::vector<Object> files_on_stack(Search &search, const SleepingCall &call)
{
    auto &kernel = search.kernel();
    const DirectMap map(kernel);
    const auto addresses = leads(words_on_stack(kernel, call), map);
    const Probing probing(kernel);
    kernel.memory().prefetch(addresses, kernel.at(1, "file").size());
    std::vector<Object> out;
    std::set<Address> known;
    for (const auto address : addresses) {
        auto file = kernel.at(address, "file");
        if (!is_file(file, map)) { // sockfd_lookup_light() leaves but the socket
            file = kernel.at(address, "socket")["file"].target();
            if (!is_file(file, map) || file["private_data"].pointer() != address) {
                continue;
            }
        }
        if (known.insert(file.address()).second) {
            out.push_back(file);
        }
    }
    return out;
}

/// Each struct file that it waits for: __pollwait() in fs/select.c.
std::vector<Object> files_polled(Search &search, const SleepingCall &call)
{
    std::vector<Object> out;
    const DirectMap map(search.kernel());
    for (const auto &waiter : waiters_on_stack(search.kernel(), call)) {
        const Probing probing(search.kernel());
        add_all_polled(out, waiter, map);
    }
    return out;
}

} // namespace

const CallOfFiles *SleepingCall::of_files() const
{
    const auto *found = std::find_if(calls_of_files.begin(), calls_of_files.end(),
                                     [this](const auto &one) { return one.number == number; });
    return found == calls_of_files.end() ? nullptr : found;
}

bool SleepingCall::polls() const
{
    return std::find(polling_calls.begin(), polling_calls.end(), number) != polling_calls.end();
}

bool SleepingCall::still_sleeps() const
{
    auto &memory = task.kernel()->memory();
    const auto now = [&](const char *member) {
        return memory.pointer_now(task[member].address()).value_or(0);
    };
    // An int, and since v7.2 a byte.
    const auto bits = std::min<std::size_t>(task["on_cpu"].size(), sizeof(int)) * 8;
    const auto on_cpu = now("on_cpu") & ((std::uint64_t{1} << bits) - 1);
    return on_cpu == 0 && now("nvcsw") + now("nivcsw") == switches;
}

std::optional<SleepingCall> sleeping_call_of(Search &search, const Object &task)
{
    const auto flags = task["flags"].number();
    const auto state = task["__state"].number();
    if (!flags || (*flags & kernels_own) != 0 || !state || (*state & stopped_or_traced) != 0 ||
        task["on_cpu"].number() != 0) {
        return std::nullopt;
    }
    const auto switches = switches_of(task); // before the stack is read
    const Probing probing(search.kernel());
    const auto registers = registers_of(search.kernel(), task);
    // That is in ax until the call has a result.
    if (!registers || registers["ax"].number() != -ENOSYS) {
        return std::nullopt;
    }
    return SleepingCall{.task = task,
                        .registers = registers,
                        .number = registers["orig_ax"].number().value_or(-1),
                        .is_compat = selector_of(registers["cs"]) == code_of_32_bits,
                        .switches = switches};
}

FilesOfCall files_without_descriptor(Search &search, const SleepingCall &call)
{
    if (call.is_compat) {
        return {};
    }
    if (call.polls()) {
        return {files_polled(search, call)};
    }
    const auto open = files_of_descriptors(call);
    if (open.empty()) {
        return {};
    }
    FilesOfCall out{files_on_stack(search, call)};
    const DirectMap map(search.kernel());
    // How many of the descriptors lead to other files now, and what it makes.
    std::size_t others = open.size() + (call.of_files()->makes_one ? 1 : 0);
    for (const auto file : open) {
        if (const Probing probing(search.kernel());
            file != 0 && !is_file(search.kernel().at(file, "file"), map)) {
            return {}; // it would not be known on the stack either
        }
        const auto is_it = [file](const Object &one) { return one.address() == file; };
        others -= std::erase_if(out.files, is_it) != 0 ? 1 : 0;
    }
    if (others == 0) {
        return {};
    }
    std::erase_if(out.files, [&](const Object &file) { return is_accounted_for(search, file); });
    out.sure = out.files.size() <= others && !is_supervised(call.task);
    return out;
}

} // namespace lastref::census
