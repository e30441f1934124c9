// SPDX-License-Identifier: GPL-2.0-only
#include "watch/kmod_command.h"

#include "procfs/modules.h"

#include <array>
#include <filesystem>
#include <getopt.h>
#include <span>
#include <string_view>

namespace lastref::watch {
namespace {

// Of kmod 30, rmmod.c and modprobe.c. A long option gives the letter of the short one that does the
// same, or, as far as matters here, the like.
constexpr std::string_view showing = "RDcnVh"; ///< those that have nothing done
constexpr auto rmmod_letters = "fsvVwh";
constexpr std::array rmmod_options{
    option{"force", no_argument, nullptr, 'f'},   option{"syslog", no_argument, nullptr, 's'},
    option{"verbose", no_argument, nullptr, 'v'}, option{"version", no_argument, nullptr, 'V'},
    option{"help", no_argument, nullptr, 'h'},    option{nullptr, 0, nullptr, 0}};
constexpr auto modprobe_letters = "arw:RibfDcnC:d:S:sqvVh";
constexpr std::array modprobe_options{option{"all", no_argument, nullptr, 'a'},
                                      option{"remove", no_argument, nullptr, 'r'},
                                      option{"remove-dependencies", no_argument, nullptr, 'v'},
                                      option{"remove-holders", no_argument, nullptr, 'v'},
                                      option{"wait", required_argument, nullptr, 'w'},
                                      option{"resolve-alias", no_argument, nullptr, 'R'},
                                      option{"first-time", no_argument, nullptr, 'v'},
                                      option{"ignore-install", no_argument, nullptr, 'i'},
                                      option{"ignore-remove", no_argument, nullptr, 'i'},
                                      option{"use-blacklist", no_argument, nullptr, 'b'},
                                      option{"force", no_argument, nullptr, 'f'},
                                      option{"force-modversion", no_argument, nullptr, 'f'},
                                      option{"force-vermagic", no_argument, nullptr, 'f'},
                                      option{"show-depends", no_argument, nullptr, 'D'},
                                      option{"showconfig", no_argument, nullptr, 'c'},
                                      option{"show-config", no_argument, nullptr, 'c'},
                                      option{"show-modversions", no_argument, nullptr, 'D'},
                                      option{"dump-modversions", no_argument, nullptr, 'D'},
                                      option{"show-exports", no_argument, nullptr, 'D'},
                                      option{"dry-run", no_argument, nullptr, 'n'},
                                      option{"show", no_argument, nullptr, 'n'},
                                      option{"config", required_argument, nullptr, 'C'},
                                      option{"dirname", required_argument, nullptr, 'd'},
                                      option{"set-version", required_argument, nullptr, 'S'},
                                      option{"syslog", no_argument, nullptr, 's'},
                                      option{"quiet", no_argument, nullptr, 'q'},
                                      option{"verbose", no_argument, nullptr, 'v'},
                                      option{"version", no_argument, nullptr, 'V'},
                                      option{"help", no_argument, nullptr, 'h'},
                                      option{nullptr, 0, nullptr, 0}};

struct Asked {
    bool remove = false;
    bool nothing = false; ///< it only shows something, or is refused
    std::vector<std::string> names;
};

/// Options may stand behind names and be cut short, as getopt_long(3) has it for kmod too.
Asked read(std::vector<std::string> words, const char *letters, std::span<const option> options)
{
    std::vector<char *> argv;
    argv.reserve(words.size() + 1);
    for (auto &word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const auto argc = static_cast<int>(words.size());
    Asked asked;
    ::opterr = 0; // it is not our command line
    ::optind = 0; // from the beginning
    for (;;) {
        const int found = ::getopt_long(argc, argv.data(), letters, options.data(), nullptr);
        if (found == -1) {
            break;
        }
        asked.remove = asked.remove || found == 'r';
        asked.nothing = asked.nothing || found == '?' ||
                        showing.find(static_cast<char>(found)) != std::string_view::npos;
    }
    for (auto at = static_cast<std::size_t>(::optind); at < words.size(); ++at) {
        asked.names.emplace_back(argv[at]);
    }
    return asked;
}

} // namespace

std::vector<std::string> modules_to_unload(const std::vector<std::string> &command)
{
    const auto program = std::filesystem::path(command.front()).filename();
    Asked asked;
    if (program == "rmmod") {
        asked = read(command, rmmod_letters, rmmod_options);
        asked.remove = true;
    } else if (program == "modprobe") {
        asked = read(command, modprobe_letters, modprobe_options);
    }
    std::vector<std::string> modules;
    if (asked.remove && !asked.nothing) {
        for (const auto &name : asked.names) {
            modules.push_back(procfs::module_name(name));
        }
    }
    return modules;
}

} // namespace lastref::watch
