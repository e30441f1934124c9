// SPDX-License-Identifier: GPL-2.0-only
#include "holders/bpf_source.h"

#include "base/fd.h"
#include "bpf/reader/reader.h"
#include "census/read_range.h"
#include "kernel/privileges.h"
#include "kernel/requirements.h"
#include "reader_skeleton.skel.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

/// False when the program could not be run.
bool run(const bpf_program *program)
{
    DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
    return bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0;
}

} // namespace

Result<std::unique_ptr<BpfSource>> BpfSource::load()
{
    auto *skeleton = reader_skeleton__open_and_load();
    if (skeleton == nullptr) {
        return fail({"the kernel does not accept the BPF program that reads its memory", errno,
                     kernel::after_refused_load(kernel::Privileges::read()),
                     ExitCode::Unsupported});
    }
    return std::unique_ptr<BpfSource>(new BpfSource(skeleton));
}

BpfSource::~BpfSource()
{
    reader_skeleton__destroy(skeleton_);
}

void BpfSource::read(std::span<census::Request> requests)
{
    while (!requests.empty()) {
        std::size_t count = 0;
        std::size_t bytes = 0;
        while (count < requests.size() && count < LR_READS_MAX &&
               bytes + requests[count].to.size() <= LR_READ_BYTES) {
            bytes += requests[count++].to.size();
        }
        count = std::max<std::size_t>(count, 1); // one that is too large fails by itself
        read_some(requests.first(count));
        requests = requests.subspan(count);
    }
}

void BpfSource::read_some(std::span<census::Request> requests)
{
    auto &shared = *skeleton_->bss;
    std::uint32_t offset = 0;
    for (std::size_t i = 0; i < requests.size(); i++) {
        const auto size = static_cast<std::uint32_t>(requests[i].to.size());
        shared.reads[i] = {requests[i].at, size, offset, -1, 0};
        offset += size;
    }
    shared.reads_count = static_cast<std::uint32_t>(requests.size());
    const bool has_run = run(skeleton_->progs.read_memory);
    for (std::size_t i = 0; i < requests.size(); i++) {
        auto &one = requests[i];
        one.done = has_run && shared.reads[i].error == 0;
        if (one.done) {
            std::memcpy(one.to.data(), shared.read_bytes + shared.reads[i].offset, one.to.size());
        }
    }
}

std::optional<census::Address> BpfSource::symbol(const std::string &name)
{
    auto &shared = *skeleton_->bss;
    const auto find = [&](std::string_view wanted) -> census::Address {
        if (wanted.size() >= sizeof(shared.symbol_name)) {
            return 0;
        }
        std::memset(shared.symbol_name, 0, sizeof(shared.symbol_name));
        wanted.copy(shared.symbol_name, sizeof(shared.symbol_name) - 1);
        shared.symbol_address = 0;
        return run(skeleton_->progs.find_symbol) ? shared.symbol_address : 0;
    };
    auto address = find(name);
    if (const auto colon = name.find(':'); address == 0 && colon != std::string::npos) {
        address = find(std::string_view(name).substr(colon + 1));
    }
    return address == 0 ? std::nullopt : std::optional(address);
}

std::vector<std::byte> BpfSource::btf(const std::string &name)
{
    if (name == "vmlinux") { // its file gives it out by the page, each of which takes longer
        if (auto bytes = census::read_types(*this); !bytes.empty()) {
            return bytes;
        }
    }
    const Fd file(::open(("/sys/kernel/btf/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status = {};
    if (!file.valid() || ::fstat(file.get(), &status) != 0 || status.st_size <= 0) {
        return {};
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
        if (got <= 0) {
            return {};
        }
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

} // namespace lastref::holders
