// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"

#include <string>

namespace lastref {

/// One sentence that answers: what became of this unload, and who delayed it.
std::string unload_headline(const UnloadRecord &unload);

/// What a person can do about a refusal; empty where there is nothing to say.
std::string unload_advice(const UnloadRecord &unload);

/// The requester's name for use in "after … returned": "rmmod", else "delete_module".
std::string requester(const UnloadRecord &unload);

} // namespace lastref
