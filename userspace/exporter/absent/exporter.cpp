// SPDX-License-Identifier: GPL-2.0-only
// What a build without the exporter has in its place.

#include "exporter/exporter.h"

namespace lastref {

bool has_exporter()
{
    return false;
}

struct Exporter::Impl {
    std::string nowhere;
};

Result<Exporter> Exporter::listen(const std::string & /*address*/,
                                  std::chrono::milliseconds /*stale_after*/)
{
    return fail({.what = "this lastref was built without its Prometheus exporter",
                 .errnum = 0,
                 .hint = "Build it with LASTREF_EXPORTER=ON, or take the package",
                 .exit_code = ExitCode::Unsupported});
}

Exporter::Exporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Exporter::Exporter(Exporter &&) noexcept = default;
Exporter &Exporter::operator=(Exporter &&) noexcept = default;
Exporter::~Exporter() = default;

void Exporter::publish(const MetricsDoc & /*doc*/) {}

const std::string &Exporter::url() const
{
    return impl_->nowhere;
}

bool Exporter::is_loopback() const
{
    return true;
}

} // namespace lastref
