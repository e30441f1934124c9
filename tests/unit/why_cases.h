// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"
#include "render/render.h"

#include <optional>
#include <string>
#include <vector>

namespace lastref::test {

/// A module "foo" that is live, with so many hard references, in which nothing was found yet.
Census loaded(std::int64_t hard);

/// A process that started a minute before loaded() looked.
Process process(std::uint32_t pid, const std::string &comm, const std::string &unit = "");

/// Somebody with one reference of whom those words are said, and what they say ends it.
Sighting of_words(HolderKind kind, const Words &words, const std::string &path = "",
                  const std::optional<Process> &process = std::nullopt);

/// An open file of a process, as the kind open_files tells of it.
Sighting open_file(std::uint64_t object, const Process &process, int fd, const std::string &path,
                   std::int64_t refs = 1);

/// A module that depends on "foo", and on which `dependents` of `refs` depend in turn.
void add_dependent(Census &census, const std::string &name, std::int64_t refs = 0,
                   std::int64_t dependents = 0);

/// The answer about loaded(refs) with those sightings.
WhyDoc explained(std::int64_t refs, std::vector<Sighting> sightings);

/// What `lastref why` prints.
std::string why_text_of(const Census &census, const RenderOptions &options = {});

/// One census for everything that a document can show.
std::vector<Census> all_cases();

/// `text` in every name and text of a census.
Census with_names(Census census, const std::string &text);

} // namespace lastref::test
