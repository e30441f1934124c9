// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "render/render.h"

#include <string>
#include <string_view>
#include <vector>

/// What the text renderers share. All names passed in are raw bytes; what comes out is safe.
namespace lastref::style {

/// "rmmod[71]"; "pid 71" without a name.
std::string who(const Task &task);
/// who() of a put or a get: in interrupt context the task is only the interrupted one.
std::string who(const Task &task, Context context);
/// "5" or "3–5".
std::string range(std::int64_t min, std::int64_t max);
/// A module's name, or what stands for it when it is not known.
std::string module(std::string_view name);

/// A name of JSON's as words: "exit_routine" is "exit routine".
std::string words(std::string_view name);

/// Own: what a module itself does, as in its exit routine.
enum class Color { Plain, Good, Warning, Bad, Own, Dim };
/// `text` in a colour, if the options ask for colours.
std::string paint(std::string_view text, Color color, const RenderOptions &options);

/// Lines of at most `width` columns, broken at spaces, each after `indent` spaces.
std::string wrap(std::string_view text, unsigned width, unsigned indent);

/// The table of call sites (refs, and what a waiting unload waits for).
void site_table(std::ostream &out, const RefsModule &module, bool only_held, bool counters,
                const RenderOptions &options);
/// "explained 5, unexplained 3".
std::string explained(std::int64_t refs, const Explained &by_sites);

} // namespace lastref::style
