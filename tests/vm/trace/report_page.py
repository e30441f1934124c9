# SPDX-License-Identifier: GPL-2.0-only
"""A recording for an HTML report; what tests read from the open page: its tables, its timeline; and
pages with other data."""

import json
import re

import tool
from harness.paths import VM

STORY = VM / "trace" / "unload_story.sh"
DATA = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.S)


def recorded(guest, *command):
    """The bytes of a recording of `command`, which ends with sh story.sh: with unload_story.sh."""
    guest.put("/root/story.sh", STORY.read_text(encoding="utf-8"))
    job = guest.start(["lastref", "record", "-q", "-o", "/tmp/story", "--", *command])
    job.wait_for("^the story is told$")
    tool.finish(job, tool.EXIT_RUNNING)
    guest.check("echo 1 > /sys/module/lr_hang/parameters/release")
    return guest.get("/tmp/story")


def other_page(page, tmp_path, change):
    """The page with other data, which change(data) has changed."""
    def changed(found):
        data = json.loads(found[2])
        change(data)
        return found[1] + json.dumps(data).replace("<", "\\u003c") + found[3]

    file = tmp_path / "other.html"
    file.write_text(DATA.sub(changed, page.read_text(encoding="utf-8")), encoding="utf-8")
    return file


def column(browser, name, table="#unload-table"):
    """The texts of one column, from the top."""
    return [row[name] for row in browser.table(table)]


def heading(browser, name, table="#unload-table"):
    """The button that sorts by a column."""
    return next(h for h in browser.all(f"{table} thead button")
                if h.get_attribute("textContent") == name)


def task(value):
    """As the page writes it."""
    return f"{value['comm']}[{value['pid']}]" if value else "–"


def view(browser):
    """What the timeline shows, in seconds."""
    scale = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
    found = re.findall(r"([\d.]+) (s|ms|µs|ns)\b", browser.text("#view"))
    return [float(number) * scale[unit] for number, unit in found]


def whole_view(report):
    """Where the timeline begins and how long it is: all phases and a margin, in ns."""
    begin = min(int(p["start_ns"]) for u in report["unloads"] for p in u["phases"])
    end = max(int(p["start_ns"]) + p["duration_ns"] for u in report["unloads"] for p in u["phases"])
    margin = (end - begin) * 0.02
    return begin - margin, end - begin + 2 * margin


def phase_pixels(browser, report, height=0.75):
    """The middle of each phase that is wide enough to be hit: (unload, phase, its pixel)."""
    plot = browser.run("""
        const over = document.querySelector("#timeline .u-over").getBoundingClientRect();
        const canvas = document.querySelector("#timeline canvas").getBoundingClientRect();
        return [over.left - canvas.left, over.top - canvas.top, over.width, over.height]""")
    begin, length = whole_view(report)
    lane = plot[3] / len(report["unloads"])
    for number, unload in enumerate(report["unloads"]):
        for phase in unload["phases"]:
            if phase["duration_ns"] > length * 0.01:
                middle = (int(phase["start_ns"]) + phase["duration_ns"] / 2 - begin) / length
                yield unload, phase, browser.pixel(plot[0] + middle * plot[2],
                                                   plot[1] + (number + height) * lane)
