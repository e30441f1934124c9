// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/saved_census.h"

#include <concepts>
#include <type_traits>

/// The fields of a saved census, in the order in which they stand in the file. What writes them and
/// what reads them go over them alike, so they cannot differ. A change here is another version.
namespace lastref::holders {

/// T, or T that cannot be changed.
template <typename T, typename Wanted>
concept Is = std::same_as<std::remove_const_t<T>, Wanted>;

void visit(auto &go, Is<Error> auto &error)
{
    go(error.what, error.errnum, error.hint, error.exit_code);
}

void visit(auto &go, Is<Lack> auto &lack)
{
    go(lack.detail, lack.remedy);
}

void visit(auto &go, Is<census::Member> auto &member)
{
    go(member.offset, member.type, member.bit, member.bits);
}

void visit(auto &go, Is<census::SavedTypes::Type> auto &type)
{
    go(type.shape, type.is_signed, type.name, type.size, type.element, type.count);
}

void visit(auto &go, Is<census::SavedTypes> auto &types)
{
    go(types.empty, types.types, types.members, types.structures, types.functions,
       types.enumerators);
}

void visit(auto &go, Is<census::SavedLine> auto &line)
{
    go(line.epoch, line.readable);
    go.bytes(line.known, line.bytes, line.readable);
}

void visit(auto &go, Is<census::SavedMemory> auto &memory)
{
    go(memory.lines(), memory.newest());
}

void visit(auto &go, Is<census::Stack> auto &stack)
{
    go(stack.task, stack.end, stack.syscall, stack.in_module, stack.inside, stack.frames);
}

void visit(auto &go, Is<census::Unwinder::Stacks> auto &stacks)
{
    go(stacks.stacks, stacks.left_out, stacks.all, stacks.error);
}

void visit(auto &go, Is<procfs::SysfsModule> auto &module)
{
    go(module.name, module.instance_id, module.state, module.refs, module.soft_refs,
       module.holders);
}

void visit(auto &go, Is<procfs::Cgroup> auto &cgroup)
{
    go(cgroup.path, cgroup.has_children);
}

void visit(auto &go, Is<NetNamespaceNames> auto &names)
{
    go(names.is_own, names.name, names.pid);
}

void visit(auto &go, Is<procfs::Inhabitant> auto &process)
{
    go(process.pid, process.comm);
}

void visit(auto &go, Is<MountPlace> auto &place)
{
    go(place.in, place.path, place.id);
}

void visit(auto &go, Is<AtPath> auto &at)
{
    go(at.what, at.other);
}

void visit(auto &go, Is<SavedCensus> auto &census)
{
    go(census.module, census.unreadable, census.missing_to_search, census.memory, census.symbols,
       census.types, census.has_unwinder, census.stacks, census.functions);
    go(census.kernel_release, census.self_pid, census.in_first_pid_namespace, census.has_oopsed,
       census.clock, census.presence, census.loaded_modules, census.modules, census.net_devices,
       census.cgroups, census.net_namespaces, census.own_mount_namespace, census.mount_namespaces,
       census.paths);
    if (go.version() > 1) {
        go(census.kinds);
    }
}

} // namespace lastref::holders
