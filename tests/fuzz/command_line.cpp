// SPDX-License-Identifier: GPL-2.0-only
// A command line: words that end with a NUL. What is said about them must not drive a terminal, and
// what is taken from them must be within its bounds.

#include "cli/command_line.h"

#include "base/text.h"
#include "core/filter.h"
#include "core/similar.h"
#include "documents.h"
#include "exporter/address.h"
#include "harmless.h"

#include <vector>

namespace {

using namespace lastref;

void check_options(const cli::Options &options)
{
    const auto outside = [](const auto &number, const Bounds &bounds) {
        return number && !(*number >= bounds.least && *number <= bounds.most);
    };
    namespace bounds = cli::bounds;
    if (outside(options.duration_s, bounds::duration) ||
        outside(options.interval_s, bounds::refs_interval) || outside(options.top, bounds::top) ||
        outside(options.pid, bounds::pid) || outside(options.max_labels, bounds::labels)) {
        fuzz::expect_nothing("a number is out of range", "command line");
    }
    if (const auto address = parse_address(options.listen); !address) {
        fuzz::expect_nothing(test::wrong_with_text(address.error().text()), "address");
    }
    const ModuleFilter filter(options.modules);
    for (const auto &name : options.modules) {
        if (!filter.matches(name)) {
            fuzz::expect_nothing("a filter refuses what was asked for", "command line");
        }
        (void)similar_names(name, options.modules);
        fuzz::expect_nothing(test::wrong_with_text(escape_text(shell_word(name))), "a word");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string bytes(reinterpret_cast<const char *>(data), size);
    std::vector<const char *> argv{"lastref"};
    for (std::size_t at = 0; at < bytes.size(); at = bytes.find('\0', at) + 1) {
        argv.push_back(bytes.data() + at);
        if (bytes.find('\0', at) == bytes.npos) {
            break;
        }
    }
    const int argc = static_cast<int>(argv.size());
    argv.push_back(nullptr);
    const auto asked = cli::parse_command_line(argc, argv.data());
    if (!asked) {
        fuzz::expect_nothing(test::wrong_with_text(printable(asked.error().text())), "an error");
    } else if (const auto *chosen = std::get_if<cli::Chosen>(&*asked)) {
        check_options(chosen->options);
    } else {
        fuzz::expect_nothing(test::wrong_with_text(std::get<cli::Answer>(*asked).text), "help");
    }
    return 0;
}
