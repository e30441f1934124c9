// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <string>
#include <vector>

namespace lastref::test {

/// A module "foo" that is live, with so many hard references, in which nothing was found yet.
Inventory loaded(std::int64_t hard);

/// A process that started a minute before loaded() looked.
Process process(std::uint32_t pid, const std::string &comm, const std::string &unit = "");

/// An open file of a process, as the kind open_files tells of it.
Sighting open_file(std::uint64_t object, const Process &process, int fd, const std::string &path,
                   std::int64_t refs = 1);

/// A module that depends on "foo", and on which `dependents` of `refs` depend in turn.
void add_dependent(Inventory &inventory, const std::string &name, std::int64_t refs = 0,
                   std::int64_t dependents = 0);

/// One inventory for everything that a document can show.
std::vector<Inventory> all_cases();

/// `text` in every name and text of an inventory.
Inventory with_names(Inventory inventory, const std::string &text);

} // namespace lastref::test
