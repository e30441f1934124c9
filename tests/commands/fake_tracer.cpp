// SPDX-License-Identifier: GPL-2.0-only
// A tracer that attaches nothing: it plays a recording.

#include "kernel/tracer.h"

#include "bpf/wire.h"
#include "decode/recording.h"
#include "kernel/environment.h"
#include "made_up.h"

#include <cstring>
#include <sys/eventfd.h>

namespace lastref::kernel {

struct Tracer::Impl {
    explicit Impl(RecordingReader recording) : reader(std::move(recording)) {}

    RecordingReader reader;
    Fd never{::eventfd(0, EFD_CLOEXEC)};
    std::optional<Check> switched_off{};
    bool has_begun = false;
};

Tracer::Tracer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tracer::Tracer(Tracer &&) noexcept = default;
Tracer &Tracer::operator=(Tracer &&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::open_and_attach(const Environment & /*env*/,
                                       const TracerOptions & /*options*/)
{
    if (test::made_up().cannot_attach) {
        return fail(*test::made_up().cannot_attach);
    }
    auto reader = RecordingReader::open(test::fixture(test::made_up().recording));
    if (!reader) {
        return fail(reader.error());
    }
    return Tracer(std::make_unique<Impl>(std::move(*reader)));
}

AttachMode Tracer::mode() const
{
    return AttachMode::Tracepoint;
}

const std::string &Tracer::passed_over() const
{
    return test::made_up().passed_over;
}

const std::optional<Check> &Tracer::switched_off() const
{
    return impl_->switched_off;
}

const std::vector<NotWatched> &Tracer::not_watched() const
{
    return test::made_up().not_watched;
}

Result<void> Tracer::poll(std::chrono::milliseconds /*timeout*/, const RecordSink & /*sink*/)
{
    return {};
}

int Tracer::poll_fd() const
{
    return impl_->never.get();
}

/// The first is that of the recording; then comes all the rest, but what an observer adds: it does
/// again.
Result<void> Tracer::snapshot(const RecordSink &sink)
{
    impl_->switched_off = test::made_up().switched_off;
    while (const auto record = impl_->reader.next()) {
        lr_header header{};
        std::memcpy(&header, record->data(), sizeof(header));
        switch (header.type) {
        case LR_COMMAND:
        case LR_COMMAND_END:
        case LR_NOT_ATTEMPTED:
        case LR_END:
            break;
        default:
            sink(*record);
        }
        if (header.type == LR_LOSSES && !impl_->has_begun) {
            break;
        }
    }
    impl_->has_begun = true;
    return {};
}

ProgramCost Tracer::program_cost() const
{
    return {.run_ns = 3000, .runs = 2};
}

void set_verbose(bool verbose)
{
    test::made_up().is_verbose = verbose;
}

} // namespace lastref::kernel
