// SPDX-License-Identifier: GPL-2.0-only
// Which modules a command line of kmod's programs is to unload: their options, from rmmod(8) and
// modprobe(8), take none for a module.

#include "watch/kmod_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::watch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> of(const std::string &line)
{
    std::istringstream words(line);
    std::vector<std::string> command;
    for (std::string word; words >> word;) {
        command.push_back(word);
    }
    return modules_to_unload(command);
}

TEST(KmodCommand, WhatRmmodIsToUnload)
{
    for (const auto *const line :
         {"rmmod foo-bar", "/sbin/rmmod foo_bar", "rmmod -f foo-bar", "rmmod -s -v foo-bar",
          "rmmod -fsv foo_bar", "rmmod foo-bar --force", "rmmod --syslog --verbose foo-bar",
          "rmmod --verb foo-bar", "rmmod -w foo-bar", "rmmod -- foo-bar",
          "rmmod /x/foo-bar.ko.xz"}) {
        EXPECT_THAT(of(line), ElementsAre("foo_bar")) << line;
    }
    EXPECT_THAT(of("rmmod a b c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(of("rmmod -v -- -f a"), ElementsAre("_f", "a"));
}

TEST(KmodCommand, WhatModprobeIsToUnload)
{
    for (const auto *const line :
         {"modprobe -r foo", "modprobe --remove foo", "modprobe --remove-holders -r foo",
          "modprobe -r --remove-dependencies foo", "modprobe foo -r", "modprobe -rv foo",
          "modprobe -vr foo", "modprobe -qrv foo", "modprobe -r --first-time foo",
          "modprobe -r --ignore-remove foo", "modprobe -rifb foo", "modprobe -ar foo",
          // what takes an argument, in each of its forms
          "modprobe -C dir -r foo", "modprobe -Cdir -r foo", "modprobe -rC dir foo",
          "modprobe --config dir -r foo", "modprobe --config=dir -r foo",
          "modprobe -r foo --conf dir", "modprobe -d dir -r foo", "modprobe -ddir -r foo",
          "modprobe --dirname dir -r foo", "modprobe --dirname=dir -r foo",
          "modprobe -S 6.1 -r foo", "modprobe --set-version 6.1 -r foo", "modprobe -S6.1 -r foo",
          "modprobe -w 5000 -r foo", "modprobe -rw 5000 foo", "modprobe --wait 5000 -r foo",
          "modprobe --wait=5000 -r foo", "modprobe -s -r foo", "modprobe --syslog -q -r foo",
          // an argument that looks like an option
          "modprobe -C -r -r foo"}) {
        EXPECT_THAT(of(line), ElementsAre("foo")) << line;
    }
    EXPECT_THAT(of("modprobe -r -C dir a b"), ElementsAre("a", "b"));
    EXPECT_THAT(of("modprobe -r -- -C dir"), ElementsAre("_C", "dir"));
}

TEST(KmodCommand, WhatUnloadsNothing)
{
    for (const auto *const line : {"modprobe foo",
                                   "modprobe -C -r foo",
                                   "modprobe --wait -r foo",
                                   "modprobe -r",
                                   "modprobe -rn foo",
                                   "modprobe -r --dry-run foo",
                                   "modprobe -r --show foo",
                                   "modprobe -D foo -r",
                                   "modprobe -c -r",
                                   "modprobe -rV foo",
                                   "modprobe --help -r foo",
                                   "modprobe -R foo -r",
                                   "modprobe -r --no-such-option foo",
                                   "modprobe -r foo -C",
                                   "rmmod",
                                   "rmmod -V foo",
                                   "rmmod --help foo",
                                   "rmmod -x foo",
                                   "true rmmod foo",
                                   "busybox rmmod foo",
                                   "insmod -r foo"}) {
        EXPECT_THAT(of(line), IsEmpty()) << line;
    }
}

} // namespace
} // namespace lastref::watch
