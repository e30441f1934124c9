// SPDX-License-Identifier: GPL-2.0-only
#include "render/holder_words.h"

#include <gtest/gtest.h>

namespace lastref {
namespace {

std::string value_of_name(std::string_view name)
{
    return name == "device" ? "eth 0" : name == "how" ? "parent 1:" : "";
}

std::string line(std::string_view text, const std::optional<NetNamespace> &net = std::nullopt)
{
    return in_words(commands_of(text, value_of_name, net));
}

const NetNamespace blue{.name = "blue"};

TEST(RemedyOfAKind, ValuesAreWordsOfTheShells)
{
    EXPECT_EQ(line("tc qdisc del dev {device} {how:words}"), "tc qdisc del dev 'eth 0' parent 1:");
    EXPECT_EQ(line("sysctl -w a.{device}=fq"), "sysctl -w 'a.eth 0=fq'");
    EXPECT_EQ(line(""), "");
}

TEST(RemedyOfAKind, HalfACommandDoesHarm)
{
    EXPECT_EQ(line("umount {unknown}"), "");
    EXPECT_EQ(line("umount a{unknown}"), "");
    EXPECT_EQ(line("tc del {unknown:words}"), "");
    EXPECT_EQ(line("t -F && t {unknown}"), "");
}

/// The second would act in another namespace than the first.
TEST(RemedyOfAKind, EachOfSeveralIsInTheNamespace)
{
    EXPECT_EQ(line("t -F {device} && t -X", blue),
              "ip netns exec blue t -F 'eth 0' && ip netns exec blue t -X");
    EXPECT_EQ(line("t -X", NetNamespace{.pid = 7}), "nsenter -n -t 7 t -X");
    EXPECT_EQ(line("t -X", NetNamespace{.is_own = true}), "t -X");
    EXPECT_EQ(line("t -X", NetNamespace{}), "") << "nobody knows how to get there";
}

TEST(RemedyOfAKind, IsOneLine)
{
    EXPECT_EQ(in_words({ShellCommand{.arguments = {"echo", "0"}, .output = "/sys/a b"}}),
              "echo 0 > '/sys/a b'");
    EXPECT_EQ(in_words({ShellCommand{.arguments = {"umount", "/m"}, .spaces = {7}}}),
              "nsenter -t 7 -m -p umount /m");
    EXPECT_EQ(
        in_words({ShellCommand{.arguments = {"umount", "/m"}, .spaces = {7, 9}}, Kill{{3, 4}}}),
        "for p in 7 9; do nsenter -t $p -m -p umount /m; done && kill 3 4");
    EXPECT_EQ(in_words({Stop{{"docker", "stop"}, "01"}}), "docker stop 01");
    EXPECT_EQ(in_words(Remedy{}), "");
}

} // namespace
} // namespace lastref
