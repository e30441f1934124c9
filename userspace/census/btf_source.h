// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/btf_types.h"
#include "census/memory.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lastref::census {

/// A kernel that tells its types as BTF.
class BtfSource : public Source {
public:
    const Types *types(const std::string &name) final
    {
        const auto known = types_.find(name);
        if (known != types_.end()) {
            return known->second.get();
        }
        const bool is_base = name == "vmlinux";
        const auto *base = is_base ? nullptr : static_cast<const BtfTypes *>(types("vmlinux"));
        auto bytes = btf(name);
        auto types = bytes.empty() ? nullptr : std::make_unique<BtfTypes>(std::move(bytes), base);
        return types_.emplace(name, std::move(types)).first->second.get();
    }

private:
    /// As in /sys/kernel/btf/; empty: there is none.
    virtual std::vector<std::byte> btf(const std::string &name) = 0;

    std::map<std::string, std::unique_ptr<BtfTypes>> types_;
};

} // namespace lastref::census
