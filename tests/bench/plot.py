# SPDX-License-Identifier: GPL-2.0-only
"""Draws docs/performance.svg out of the figures."""

import math

import guests
from harness.svg import FAINT, INK, Drawing

PLOT = guests.REPO / "docs" / "performance.svg"
KERNEL = "6.12"
WIDTH, LEFT, RIGHT = 800, 176, 64
COLORS = {"lastref tracepoint": "#0b6e99", "lastref fentry": "#2a9d8f", "lastref kprobe": "#8a6fb0"}
PEER = "#c8553d"
# What is shown, what it is called, and the floor of its kind where that has been measured.
ROWS = (
    ("lastref tracepoint", "lastref, tracepoint", "floor tracepoint"),
    ("lastref fentry", "lastref, fentry", "floor fexit and fentry"),
    ("lastref kprobe", "lastref, kprobe", "floor kprobe and kretprobe"),
    ("bpftrace counts", "bpftrace, counts only", "floor kprobe"),
    ("bpftrace kprobe by call site", "bpftrace, by call site", "floor kprobe"),
    ("bpftrace by stack", "bpftrace, by stack", "floor kprobe"),
)
SERIES = (("call_sites", "call sites", (1, 10, 100, 1000, 10000)),
          ("modules", "modules", (1, 4, 16, 64, 256)),
          ("outstanding", "references outstanding", (0, 10, 1000, 100000)))


def short(number):
    """1000 as 1k, a million as 1M."""
    for unit, letter in ((1_000_000, "M"), (1000, "k")):
        if number >= unit:
            return f"{number // unit}{letter}"
    return str(number)


def costs(drawing, figures, top):
    """One row a tracer, on a logarithmic axis: the floor of its kind, and what it costs."""
    low, high, step = 100, 16000, 34
    rows = [row for row in ROWS if row[0] in figures]
    bottom = top + step * len(rows) + 14

    def place(value):
        share = math.log(value / low) / math.log(high / low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    for tick in (100, 300, 1000, 3000, 10000):
        drawing.line(place(tick), top, place(tick), bottom)
        drawing.text(place(tick), bottom + 18, f"{tick:,}", FAINT, "middle", 12)
    for i, (name, label, floor) in enumerate(rows):
        y = top + 24 + i * step
        color = COLORS.get(name, PEER)
        weight = "bold" if name in COLORS else "normal"
        end = place(figures[name])
        drawing.text(LEFT - 16, y + 4.5, label, INK, "end", 13, weight)
        if floor:
            begin = place(figures[floor])
            drawing.line(begin, y, end, y, color, 4)
            drawing.line(begin, y - 7, begin, y + 7, FAINT, 2)
        drawing.dot(end, y, color, 6.5)
        drawing.text(end + 13, y + 4.5, f"{figures[name]:,.0f}", color, "start", 13, "bold")
    return bottom + 18


def panel(drawing, series, label, ticks, box):
    """One of the series: all back ends over a logarithmic number of what there is."""
    x0, y0, width, height = box
    numbers = [n for n, _ in series[0]["over_untraced"]]
    top = 2000

    def place(n, cost):
        share = math.log(max(n, 0.3) / max(numbers[0], 0.3))
        share /= math.log(numbers[-1] / max(numbers[0], 0.3))
        return x0 + share * width, y0 + height - min(cost, top) / top * height

    for cost in range(0, top + 1, 500):
        _, y = place(1, cost)
        drawing.line(x0, y, x0 + width, y)
        drawing.text(x0 - 8, y + 4, f"{cost:,}", FAINT, "end", 11)
    for n in ticks:
        drawing.text(place(n, 0)[0], y0 + height + 17, short(n), FAINT, "middle", 11)
    drawing.text(x0 + width / 2, y0 + height + 36, label, INK, "middle", 12)
    for one in series:
        color = COLORS[one["name"]]
        points = [place(n, cost) for n, cost in one["over_untraced"]]
        drawing.path(points, color)
        for x, y in points:
            drawing.dot(x, y, color, 3)


def legend(drawing, y):
    x = 31
    for name, color in COLORS.items():
        drawing.dot(x, y - 4.5, color, 5)
        drawing.text(x + 11, y, name.removeprefix("lastref "), INK, size=12)
        x += 38 + 6.4 * len(name.removeprefix("lastref "))


def draw(measured):
    figures = {row["name"]: row["over_untraced"] for row in measured["rows"]
               if row["kernel"] == KERNEL}
    drawing = Drawing(WIDTH, 610, "What tracing adds to one get and one put of a soft reference")
    drawing.text(24, 34, "What tracing adds to one get and one put", size=18, weight="bold")
    drawing.text(24, 55, f"Instructions over untraced, Linux {KERNEL}, one boot, logarithmic. The "
                         "mark is an empty program attached in the same way.", FAINT, size=12.5)
    bottom = costs(drawing, figures, 70)
    heading = bottom + 52
    drawing.text(24, heading, "What it depends on", size=16, weight="bold")
    legend(drawing, heading + 24)
    width = (WIDTH - 24 - 3 * 56) / 3
    for i, (kind, label, ticks) in enumerate(SERIES):
        series = [s for s in measured["series"] if s["series"] == kind]
        if series:
            panel(drawing, series, label, ticks, (56 + i * (width + 56), heading + 44, width, 150))
    return drawing.done()


def write(measured):
    PLOT.write_text(draw(measured), encoding="utf-8")
