// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <vector>

namespace lastref::watch {

/// The modules that a command line is to unload, as the kernel spells them, if it is one of kmod's
/// rmmod and `modprobe -r`, whose options are read as they read them. None of a command that only
/// shows something, that they would refuse, or that is another.
std::vector<std::string> modules_to_unload(const std::vector<std::string> &command);

} // namespace lastref::watch
