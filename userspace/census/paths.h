// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <string>

/// Names of files, put together from the kernel's own dentries and mounts: what /proc says of them
/// takes locks that a hung mount may hold.
namespace lastref::census {

class Search;

/// What d_path() in fs/d_path.c says of a struct path ("/dev/sda", "socket:[8123]", "/tmp/x
/// (deleted)"), seen from the root of the mount namespace that it is in. One that is too long
/// begins with "…"; empty where there is none.
std::string path_of(Search &search, const Object &path);

/// Where a struct dentry is, seen through that struct vfsmount: only names, and no remark. Without
/// a mount it is a path below the root of its file system.
std::string place_of(Search &search, const Object &vfsmount, const Object &dentry);

} // namespace lastref::census
