# SPDX-License-Identifier: GPL-2.0-only
"""Compares figures: with the kept ones, and with what was aimed at."""

from dataclasses import dataclass

WORSE = 0.05
FLAT = 0.10
WHY_ALONE, WHY_MORE = 100_000_000, 200_000_000  # instructions
# bpftrace's scripts that tell the call sites apart. One that only counts answers less.
BY_CALL_SITE = ("bpftrace by stack", "bpftrace kprobe by call site",
                "bpftrace tracepoint by call site")


@dataclass(frozen=True)
class Target:
    """One promise, what came out, and whether it is kept."""

    what: str
    wanted: str
    found: str
    met: bool | None  # None: there is no figure


def by_key(rows, figure):
    return {(row["kernel"], row["name"]): row[figure] for row in rows}


def is_ours(row):
    return row["name"].startswith("lastref ")


def compare(before, after, unit, show):
    """A sentence for each figure that is missing, new or more than 5 % worse."""
    found = [f"{name} on {kernel}: there is no kept figure to compare with; run make bench"
             for kernel, name in sorted(after.keys() - before.keys())]
    found += [f"{name} on {kernel}: was not measured, {show(before[kernel, name])} is kept"
              for kernel, name in sorted(before.keys() - after.keys())]
    for key in sorted(before.keys() & after.keys()):
        if after[key] > before[key] * (1 + WORSE):
            kernel, name = key
            found.append(f"{name} on {kernel}: {show(before[key])} {unit} are kept, now it is "
                         f"{show(after[key])} ({after[key] / before[key] - 1:+.1%}, "
                         f"allowed +{WORSE:.0%})")
    return found


def worse(kept, now):
    """Of lastref's own pairs."""
    before, after = (by_key(filter(is_ours, rows), "over_untraced") for rows in (kept, now))
    return compare(before, after, "instructions over untraced", "{:.1f}".format)


def worse_why(kept, now):
    """Of `lastref why`."""
    before, after = (by_key(rows, "instructions") for rows in (kept, now))
    return compare(before, after, "instructions", "{:,}".format)


def at_most(figures, name, kernel, limit):
    what, wanted = f"{name} on {kernel}", f"≤ {limit:,}"
    found = figures.get((kernel, name))
    if found is None:
        return Target(what, wanted, "not measured", None)
    return Target(what, wanted, f"{found:,.0f}", found <= limit)


def fewer_than(figures, what, peers, factor, kernel="6.12"):
    """Against the cheapest of these peers, all of which must have been measured."""
    what, wanted = f"lastref tracepoint against {what}", f"≥ {factor} times fewer"
    if any((kernel, peer) not in figures for peer in peers):
        return Target(what, wanted, "not measured", None)
    times = min(figures[kernel, peer] for peer in peers) / figures[kernel, "lastref tracepoint"]
    return Target(what, wanted, f"{times:.1f} times", times >= factor)


def flat(series):
    """By how much the worst point is above the first."""
    first, *others = (cost for _, cost in series["over_untraced"])
    rise = max(others) / first - 1
    last = series["over_untraced"][-1][0]
    what = f"{series['name']}, {series['series'].replace('_', ' ')} up to {last:,}"
    return Target(what, f"≤ +{FLAT:.0%}", f"{rise:+.1%}", rise <= FLAT)


def why_targets(rows):
    """Of a `why` by itself, and of what all that the largest guest has adds to it."""
    costs = [row["instructions"] for row in rows]
    if not costs:
        return [Target("lastref why", f"≤ {WHY_ALONE:,}", "not measured", None)]
    more = costs[-1] - costs[0]
    return [Target(f"lastref why, {rows[0]['name']}", f"≤ {WHY_ALONE:,}", f"{costs[0]:,}",
                   costs[0] <= WHY_ALONE),
            Target("lastref why, what all else of the last table adds", f"≤ {WHY_MORE:,}",
                   f"{more:,}", more <= WHY_MORE)]


def targets(measured):
    figures = by_key(measured["rows"], "over_untraced")
    return [
        at_most(figures, "lastref tracepoint", "6.12", 270),
        at_most(figures, "lastref fentry", "6.12", 480),
        at_most(figures, "lastref fentry", "6.1", 650),
        at_most(figures, "lastref kprobe", "6.12", 1500),
        fewer_than(figures, "bpftrace by stack", BY_CALL_SITE[:1], 40),
        fewer_than(figures, "bpftrace's cheapest by call site", BY_CALL_SITE, 8),
        *(flat(series) for series in measured["series"]),
        *why_targets(measured["why"]),
    ]
