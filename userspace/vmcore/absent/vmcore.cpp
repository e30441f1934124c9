// SPDX-License-Identifier: GPL-2.0-only
// What a build without libkdumpfile has in its place.

#include "vmcore/vmcore.h"

namespace lastref {

Result<std::unique_ptr<census::Source>> open_vmcore(Fd /*file*/, const std::string &path)
{
    return fail({"cannot read " + path + ": this lastref was built without libkdumpfile", 0,
                 "Build it with LASTREF_VMCORE=ON, or take the package", ExitCode::Unsupported});
}

} // namespace lastref
