// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "bpf/holders/holders.h"
#include "census/target.h"
#include "core/inventory.h"
#include "holders/found.h"
#include "holders/load.h"
#include "holders/parts.h"

#include <span>
#include <string_view>
#include <vector>

struct bpf_program;

namespace lastref::holders {

/// The programs of bpf/holders, loaded. Nothing is attached, and nothing stays.
class Programs {
public:
    /// Loads those programs that this kernel accepts; the others are named in not_examined.
    /// Fails with ExitCode::Unsupported when not even the module's counters could be read.
    static Result<Programs> load(std::vector<NotExamined> &not_examined);

    Programs(Programs &&) noexcept;
    Programs &operator=(Programs &&) noexcept;
    Programs(const Programs &) = delete;
    Programs &operator=(const Programs &) = delete;
    ~Programs();

    /// Which module the parts are to look for.
    void set_target(const census::Target &module);

    /// Runs every part, for that module. A part that does not end in time is
    /// given up and named in not_examined.
    void run(std::vector<NotExamined> &not_examined);

    /// What the parts have found so far; valid until the next run().
    [[nodiscard]] Found found() const;

private:
    explicit Programs(Skeleton skeleton);
    [[nodiscard]] int run_part(const Part &part) const;
    void run_parts(std::span<const Part> parts, std::vector<NotExamined> &not_examined);
    int run_walk(const bpf_program *program) const;

    Skeleton skeleton_;
};

} // namespace lastref::holders
