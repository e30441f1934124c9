// SPDX-License-Identifier: GPL-2.0-only
// What `lastref why` prints.

#include "why_cases.h"

#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Words mount_words_of_text{.detail = "foofs", .clause = "{path} is mounted"};

TEST(WhyText, ShowsEverythingInItsPlace)
{
    EXPECT_EQ(why_text_of(all_cases().front()),
              R"(foo cannot be unloaded: openvpn[812] (openvpn@home.service) has /dev/foo_control
open, sh[90] has /dev/foo open (shared with sleep[91]), and 2 others hold it
too, and bar depends on it; who holds 8 more references is not known; perhaps
foo-aes is in use, or 1 other.

  live · hard refs 23: explained 15, unexplained 8 · soft refs 3: explained 1,
  unexplained 2

  WHO              REFS  HOW
  openvpn[812]        2  fd 4 on /dev/foo_control
                      8  fd 3, 5–11 on /dev/foo
                         openvpn@home.service · started 60.0 s ago
  sh[90]              2  fd 7 on /dev/foo, shared with sleep[91]
                         started 60.0 s ago
  qemu[901]           1  fd 21 on /dev/foo
                         docker container 0a1b · pid 17 there · started 60.0 s
                         ago
  /mnt/a              1  foofs on /dev/loop0
  bar                 1  depends on it
  not known           8  lastref found nobody who holds these where it could
                         look

  Soft references, which keep its memory:
  hold+0x1a [foo]     1  took a soft reference

  Perhaps; the kernel does not tell whether these hold it:
  foo-aes             1  used by somebody
  foo_worker[70]      –  runs worker+0x10 [foo]; seen at one moment
                         started 60.0 s ago

  Next: systemctl stop openvpn@home.service
        docker stop 0a1b
        umount /mnt/a
        rmmod outer bar
        kill 90 91
        To catch who takes them: lastref refs --hard foo

  Note: qemu[901] is in docker container 0a1b, of which all is stopped.

  Not examined: memory maps of pid 900: mmap lock held, 200 ms deadline.
)");
}

TEST(WhyText, IsShortWhereThereIsLittleToSay)
{
    EXPECT_EQ(why_text_of(loaded(0)),
              "foo can be unloaded: nothing holds it.\n\n  live · hard refs 0\n");
    auto census = loaded(2);
    census.soft = 0;
    EXPECT_EQ(why_text_of(census),
              R"(foo cannot be unloaded: who holds its 2 references is not known.

  live · hard refs 2: explained 0, unexplained 2 · soft refs 0

  WHO        REFS  HOW
  not known     2  lastref found nobody who holds these

  Next: To catch who takes them: lastref refs --hard foo
)");
    census.presence = Presence::BuiltIn;
    EXPECT_EQ(why_text_of(census), "foo is built into this kernel and cannot be unloaded.\n");
    census.presence = Presence::NotLoaded;
    EXPECT_EQ(why_text_of(census), "foo is not loaded.\n");
    census.similar = {"fop"};
    EXPECT_EQ(why_text_of(census), "foo is not loaded.\n\n  Next: Did you mean fop?\n");
}

TEST(WhyText, SaysWhatCouldNotBeSeen)
{
    auto census = loaded(1);
    census.blind = "/sys/kernel/btf/vmlinux is missing";
    census.blind_remedy = "use a kernel with CONFIG_DEBUG_INFO_BTF=y";
    census.not_examined = {{"all but /sys/module/foo", census.blind}};
    EXPECT_EQ(why_text_of(census),
              R"(foo cannot be unloaded: who holds its only reference cannot be seen:
/sys/kernel/btf/vmlinux is missing.

  live · hard refs 1: explained 0, unexplained 1

  WHO        REFS  HOW
  not known     1  lastref could not look: /sys/kernel/btf/vmlinux is missing

  Next: use a kernel with CONFIG_DEBUG_INFO_BTF=y

  Not examined: all but /sys/module/foo: /sys/kernel/btf/vmlinux is missing.
)");
}

TEST(WhyText, ShowsWhereAnExitRoutineIs)
{
    EXPECT_EQ(why_text_of(all_cases().at(1)),
              R"(foo is being unloaded by rmmod[71]: its exit routine is stuck in __schedule+0x1,
called by foo_exit+0x10 [foo], waiting for a mutex of foo_worker[80].

  going · hard refs 0

  Its unload runs in rmmod[71], started by bash[70], for at least 5.00 s and at
  most 60.0 s.
  Within 100 ms it used 1.00 µs of a processor and was switched 1 time.
    ← __schedule+0x1
    ← foo_exit+0x10 [foo]

  Next: See what foo_worker[80] does: it has the mutex.
)");
}

TEST(WhyText, ShowsALongNameInFull)
{
    auto census = loaded(1);
    const std::string point = "/mnt/a/long/path/that/nobody/wants/to/guess/the/end/of";
    census.sightings = {of_words(HolderKind::Mount, mount_words_of_text, point)};
    EXPECT_THAT(why_text_of(census), HasSubstr("\n  " + point + "\n              1  foofs\n"));
}

TEST(WhyText, NeverCutsANumber)
{
    auto census = loaded(327680);
    census.sightings = {open_file(1, process(10, "a"), 3, "/dev/foo", 32768)};
    EXPECT_EQ(why_text_of(census).substr(why_text_of(census).find("  WHO")),
              R"(  WHO          REFS  HOW
  a[10]       32768  fd 3 on /dev/foo
                     started 60.0 s ago
  not known  294912  lastref found nobody who holds these

  Next: kill 10
        To catch who takes them: lastref refs --hard foo
)");
}

TEST(WhyText, CutsTheTableWhereAsked)
{
    RenderOptions options;
    options.top = 2;
    const auto text = why_text_of(all_cases().front(), options);
    EXPECT_THAT(text, HasSubstr("  and 8 rows more\n"));
    EXPECT_THAT(text, Not(HasSubstr("sh[90]    ")));
}

TEST(WhyText, FitsIntoEightyColumns)
{
    for (const auto &census : all_cases()) {
        std::istringstream lines(why_text_of(census));
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(columns(line), 80U) << line;
        }
    }
}

TEST(WhyText, ColoursAreAllThatColourAdds)
{
    RenderOptions options;
    options.color = true;
    for (const auto &census : all_cases()) {
        const auto coloured = why_text_of(census, options);
        std::string plain;
        for (std::size_t i = 0; i < coloured.size(); ++i) {
            if (coloured[i] == '\x1b') {
                i = coloured.find('m', i);
            } else {
                plain += coloured[i];
            }
        }
        EXPECT_NE(coloured, plain);
        EXPECT_EQ(plain, why_text_of(census));
    }
}

TEST(WhyText, EscapesHostileNames)
{
    const std::string name = "\x1b]0;x\a\n\xff\u202e";
    for (const auto &census : all_cases()) {
        const auto text = why_text_of(with_names(census, name));
        EXPECT_EQ(text.find_first_of("\x1b\a\xff"), std::string::npos) << text;
        EXPECT_THAT(text, Not(HasSubstr("\u202e")));
        EXPECT_THAT(text, HasSubstr("\\x1b]0;x\\x07\\x0a\\xff\\u{202e}"));
    }
}

} // namespace
} // namespace lastref::test
