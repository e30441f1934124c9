// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/file_hold.h"
#include "census/finding.h"

/// Files that are open without a descriptor: in flight between sockets, registered with a ring, or
/// in use by a call. They may be anything that can be open.
namespace lastref::census {

/// What a struct file holds, with its socket if it has one.
FileHold hold_of_passed_file(Search &search, const Object &file);

/// Enters what a finding about such a file says of it: the last part of its path is its name.
void describe_passed_file(Finding &found, const Object &file, const FileHold &hold);

/// Whether a descriptor of the task's process leads to it, too.
bool is_open_by(Search &search, const Object &task, Address file);

} // namespace lastref::census
