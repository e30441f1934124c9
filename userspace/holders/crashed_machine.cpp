// SPDX-License-Identifier: GPL-2.0-only
#include "holders/crashed_machine.h"

#include "census/target.h"
#include "census/walks.h"

#include <algorithm>

namespace lastref::holders {

CrashedMachine::CrashedMachine(std::unique_ptr<census::Source> source)
    : source_(std::move(source)), kernel_(*source_)
{
}

CrashedMachine::~CrashedMachine() = default;

std::string CrashedMachine::kernel_release()
{
    return kernel_.at_symbol("init_uts_ns", "uts_namespace")["name"]["release"].text();
}

bool CrashedMachine::has_oopsed()
{
    constexpr std::uint64_t taint_die = 1U << 7;
    const auto taints = kernel_.memory().read<std::uint64_t>(kernel_.symbol("tainted_mask"));
    return taints && (*taints & taint_die) != 0;
}

procfs::ModulePresence CrashedMachine::module_presence(const std::string &module)
{
    const auto loaded = loaded_modules();
    return std::find(loaded.begin(), loaded.end(), module) == loaded.end()
               ? procfs::ModulePresence::NotLoaded
               : procfs::ModulePresence::Loaded;
}

std::vector<std::string> CrashedMachine::loaded_modules()
{
    std::vector<std::string> out;
    census::each_module(kernel_,
                        [&out](const census::Object &one) { out.push_back(one["name"].text()); });
    std::sort(out.begin(), out.end());
    return out;
}

std::optional<procfs::SysfsModule> CrashedMachine::sysfs_module(const std::string &module)
{
    const auto target = census::find_target(kernel_, module);
    if (!target || !target->is_loaded()) {
        return std::nullopt;
    }
    procfs::SysfsModule out{.name = module,
                            .instance_id = target->instance_id,
                            .state = std::string(name_of(target->state)),
                            .refs = target->hard,
                            .soft_refs = target->soft,
                            .holders = {}};
    census::each_in_list(
        kernel_.at(target->module, "module")["source_list"], "module_use", "source_list",
        [&out](const census::Object &use) { out.holders.push_back(use["source"]["name"].text()); });
    std::sort(out.holders.begin(), out.holders.end());
    return out;
}

/// Those of init are as good as lastref's own: what is in them needs no words about where it is.
NetNamespaceNames CrashedMachine::net_namespace(std::uint32_t inode)
{
    const auto first = kernel_.at_symbol("init_net", "net")["ns"]["inum"].number();
    return {.is_own = first == inode};
}

std::uint32_t CrashedMachine::own_mount_namespace()
{
    const auto init = kernel_.at_symbol("init_task", "task_struct");
    return static_cast<std::uint32_t>(init["nsproxy"]["mnt_ns"]["ns"]["inum"].number().value_or(0));
}

std::vector<AtPath> CrashedMachine::look_at(const std::vector<MountPlace> &places)
{
    return std::vector<AtPath>(places.size());
}

} // namespace lastref::holders
