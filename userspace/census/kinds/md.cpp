// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/search.h"

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

Finding &found(Search &search, const Object &array, const Words &words, const Object &object)
{
    auto &found = search.found("md", words, object, 1);
    const auto disk = array["gendisk"];
    found.path = "/dev/" + disk["disk_name"].text();
    found.device = disk.pointer();
    each_in_list(
        array["disks"], "md_rdev", "same_set",
        [&found](const Object &member) {
            found.sits_on.push_back(member["bdev"]["bd_disk"].pointer());
        },
        md_mod);
    return found.with("level", array["clevel"].text());
}

/// One that runs holds what implements its level (md_run() in drivers/md/md.c), and each device
/// below it is open once (md_import_device()).
void look_at_array(Search &search, const Object &array)
{
    const auto personality = array["pers"];
    if (personality && search.is_target(personality.has("head") ? personality["head"]["owner"]
                                                                : personality["owner"])) {
        found(search, array, words_of_array, array);
    }
    each_in_list(
        array["disks"], "md_rdev", "same_set",
        [&](const Object &member) {
            const auto disk = member["bdev"]["bd_disk"];
            const auto counter = counter_of_disk(search, disk);
            if (counter != 0) {
                found(search, array, words_of_member, member)
                    .with("member", "/dev/" + disk["disk_name"].text())
                    .count_in(counter);
            }
        },
        md_mod);
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
