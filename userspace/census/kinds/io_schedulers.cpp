// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "{disk} has the I/O scheduler {name}",
    .clause = "{disk} has the I/O scheduler {name}",
};

/// Each queue that is scheduled by it has a reference: elevator_alloc() in block/elevator.c.
void look(Search &search)
{
    for (const auto &bdev : block_devices(search)) {
        const auto disk = bdev["bd_disk"].target();
        if (disk["part0"].pointer() != bdev.address()) {
            continue; // a partition has the queue of its disk
        }
        const auto elevator = disk["queue"]["elevator"];
        const auto type = elevator["type"];
        if (!search.is_target(type["elevator_owner"])) {
            continue;
        }
        const auto name = disk["disk_name"].text();
        auto &found = search.found("io_scheduler", words, elevator, 1);
        found.path = "/sys/block/" + name + "/queue/scheduler";
        found.with("disk", name).with("name", type["elevator_name"].text());
        found.commands = {{.arguments = {"echo", "none"}, .output = found.path}};
    }
}

constexpr Symbol symbols[] = {{"blockdev_superblock", {}, "bdev_inode"}};

constexpr Reference references[] = {
    {"`io_scheduler`", "1 for each queue that it schedules",
     "`elevator_get()` (6.1), `elevator_alloc()` (6.12)", "`disk->queue->elevator->type`"},
};
constexpr Doc doc{"A disk has the module's I/O scheduler", references,
                  "Another one: `echo none > /sys/block/…/queue/scheduler`"};

} // namespace

extern const Kind io_schedulers{"I/O schedulers", doc, symbols, look};

} // namespace lastref::census
