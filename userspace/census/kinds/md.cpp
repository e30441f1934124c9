// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/search.h"

#include <vector>

namespace lastref::census {
namespace {

constexpr auto md_mod = "md_mod";
constexpr auto remedy = "mdadm --stop {path}";
constexpr Words words_of_array{
    .detail = "md array of level {level}",
    .clause = "{path} is an md array of level {level}",
    .remedy = remedy,
};
constexpr Words words_of_member{
    .detail = "md array of level {level}, is built on {member}",
    .clause = "{path}, an md array, is built on {member}",
    .remedy = remedy,
};

struct Member {
    Object device, disk;
};

Finding &found(Search &search, const Object &array, const std::vector<Member> &members,
               const Words &words, const Object &object)
{
    auto &found = search.found("md", words, object, 1);
    const auto disk = array["gendisk"];
    found.path = "/dev/" + disk["disk_name"].text();
    found.device = disk.pointer();
    for (const auto &member : members) {
        found.sits_on.push_back(member.disk.pointer());
    }
    return found.with("level", array["clevel"].text());
}

/// One that runs holds what implements its level (md_run() in drivers/md/md.c), and each device
/// below it is open once (md_import_device()).
void look_at_array(Search &search, const Object &array)
{
    std::vector<Member> members;
    each_in_list(
        array["disks"], "md_rdev", "same_set",
        [&members](const Object &member) {
            members.push_back({member, member["bdev"]["bd_disk"]});
        },
        md_mod);
    const auto personality = array["pers"];
    if (personality && search.is_target(personality.has("head") ? personality["head"]["owner"]
                                                                : personality["owner"])) {
        found(search, array, members, words_of_array, array);
    }
    for (const auto &member : members) {
        if (const auto counter = counter_of_disk(search, member.disk); counter != 0) {
            found(search, array, members, words_of_member, member.device)
                .with("member", "/dev/" + member.disk["disk_name"].text())
                .count_in(counter);
        }
    }
}

void look(Search &search)
{
    each_in_list(
        search.kernel().at_symbol("md_mod:all_mddevs", "list_head"), "mddev", "all_mddevs",
        [&](const Object &array) { look_at_array(search, array); }, md_mod);
}

constexpr Symbol symbols[] = {{"md_mod:all_mddevs", {}, "mddev"}};

constexpr Reference references[] = {
    {"`md`", "1 for what implements the level of each array that runs", "`md_run()`",
     "`all_mddevs`: `mddev->pers`"},
    {"`md`", "1 for the driver of each device below", "`md_import_device()`", "`mddev->disks`"},
};
constexpr Doc doc{"An array of md is of the module's level, or is built on its disk", references,
                  "`mdadm --stop`, once nothing on the array is mounted"};

} // namespace

extern const Kind md{"arrays of md", doc, symbols, look};

} // namespace lastref::census
