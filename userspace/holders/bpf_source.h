// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "census/btf_source.h"

#include <memory>

struct reader_skeleton;

namespace lastref::holders {

/// The kernel that runs, read by a BPF program of ours; see bpf/reader. Needs CAP_BPF and
/// CAP_PERFMON.
class BpfSource final : public census::BtfSource {
public:
    /// Fails with ExitCode::Unsupported where the kernel does not accept the program.
    static Result<std::unique_ptr<BpfSource>> load();
    ~BpfSource() override;

    void read(std::span<census::Request> requests) override;
    std::optional<census::Address> symbol(const std::string &name) override;

private:
    explicit BpfSource(reader_skeleton *skeleton) : skeleton_(skeleton) {}
    std::vector<std::byte> btf(const std::string &name) override;
    void read_some(std::span<census::Request> requests);

    reader_skeleton *skeleton_;
};

} // namespace lastref::holders
