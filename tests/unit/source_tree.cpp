// SPDX-License-Identifier: GPL-2.0-only
#include "source_tree.h"

namespace lastref::test {

std::filesystem::path source_tree()
{
    return SOURCE_TREE;
}

} // namespace lastref::test
