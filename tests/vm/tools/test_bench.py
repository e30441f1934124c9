# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's own judgement: a figure that is worse fails make bench-check, and is named."""

import copy
import json
import sys

import pytest

from harness.paths import REPO

sys.path.append(str(REPO / "tests" / "bench"))

import guests  # noqa: E402
import judge  # noqa: E402
import pairs  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402

kernels = []
MEASURED = json.loads((REPO / "docs" / "performance.json").read_text(encoding="utf-8"))
ROWS = MEASURED["rows"]


def with_cost(name, kernel, factor):
    rows = copy.deepcopy(ROWS)
    row, = [r for r in rows if (r["name"], r["kernel"]) == (name, kernel)]
    row["over_untraced"] *= factor
    return rows


def test_the_kept_figures_are_no_worse_than_themselves():
    assert any(map(judge.is_ours, ROWS))
    assert judge.worse(ROWS, ROWS) == []


@pytest.mark.parametrize("row", filter(judge.is_ours, ROWS),
                         ids=lambda row: f"{row['name']}-{row['kernel']}")
def test_a_worse_figure_is_named_with_old_and_new(row):
    complaint, = judge.worse(ROWS, with_cost(row["name"], row["kernel"], 1.06))
    for said in (row["name"], row["kernel"], f"{row['over_untraced']:.1f}",
                 f"{row['over_untraced'] * 1.06:.1f}"):
        assert said in complaint


@pytest.mark.parametrize("factor", [1.049, 1.0, 0.5])
def test_up_to_five_percent_and_whatever_is_better_pass(factor):
    assert judge.worse(ROWS, with_cost("lastref tracepoint", "6.12", factor)) == []


def test_only_lastref_is_judged():
    assert judge.worse(ROWS, with_cost("bpftrace by stack", "6.12", 2)) == []


def test_a_dearer_why_is_named():
    rows = [{"kernel": "stock-6.12", "name": "nothing else", "instructions": n}
            for n in (50_000_000, 52_500_000, 52_500_001)]
    assert judge.worse_why(rows[:1], rows[1:2]) == []
    complaint, = judge.worse_why(rows[:1], rows[2:])
    assert "50,000,000" in complaint and "52,500,001" in complaint
    assert "was not measured" in judge.worse_why(rows[:1], [])[0]


def test_a_figure_that_is_missing_on_either_side_fails():
    fewer = [r for r in ROWS if (r["name"], r["kernel"]) != ("lastref fentry", "6.12")]
    assert "was not measured" in judge.worse(ROWS, fewer)[0]
    assert "no kept figure" in judge.worse(fewer, ROWS)[0]


@pytest.mark.parametrize("cost, met", [(270, True), (270.1, False)])
def test_a_target_that_is_missed_says_so(cost, met):
    rows = with_cost("lastref tracepoint", "6.12", 1)
    row, = [r for r in rows if (r["name"], r["kernel"]) == ("lastref tracepoint", "6.12")]
    row["over_untraced"] = cost
    first, *_ = judge.targets({**MEASURED, "rows": rows})
    assert first.met is met


def against_the_cheapest(costs):
    rows = [{"name": name, "kernel": "6.12", "over_untraced": cost} for name, cost in costs.items()]
    target, = (t for t in judge.targets({"rows": rows, "series": [], "why": []}) if "cheapest" in t.what)
    return target


def test_the_cheapest_peer_is_one_that_tells_call_sites_apart():
    costs = {"lastref tracepoint": 100, "bpftrace counts": 1,
             **dict.fromkeys(judge.BY_CALL_SITE, 900)}
    assert against_the_cheapest(costs).met is True
    for name in judge.BY_CALL_SITE:
        assert against_the_cheapest({**costs, name: 790}).met is False
        assert against_the_cheapest({n: c for n, c in costs.items() if n != name}).met is None


def test_the_profile_adds_up_to_what_lastref_costs():
    *parts, last = report.profile_table(MEASURED).splitlines()[2:]
    added = [float(line.split("|")[2].replace(",", "")) for line in [*parts, last]]
    cost, = (r["over_untraced"] for r in ROWS if (r["name"], r["kernel"]) == (
        "lastref tracepoint", report.PROFILED))
    assert len(added) == len(guests.PARTS) + 2
    assert abs(sum(added) - cost) < len(added)
    assert last.split("|")[3].strip() == f"{cost:,.0f}"


@pytest.mark.parametrize("last, met", [(109, True), (111, False)])
def test_flat_is_at_most_ten_percent_above_the_first_point(last, met):
    series = {"name": "x", "series": "modules", "over_untraced": [[1, 100], [16, 90], [256, last]]}
    assert judge.flat(series).met is met


def section(name, *lines):
    return {name: [line.split() for line in lines]}


COUNTED = {"losses": {"events": 0, "missed_unknown": True}, "modules": [{"call_sites": [
    {"call_site": "lr_bench_pairs+0x1a [lr_refs]", "kind": kind, "count": 200}
    for kind in ("get", "put")]}]}


@pytest.mark.parametrize("change, complaint", [
    (lambda d: d, None),
    (lambda d: d["modules"][0]["call_sites"][1].update(count=199), "lastref counted"),
    (lambda d: d["losses"].update(events=1), "lost"),
])
def test_a_tracer_that_has_not_counted_everything_is_not_measured(change, complaint):
    document = copy.deepcopy(COUNTED)
    change(document)
    row = pairs.lastref("x", "")
    sections = {**section(row.name, "100 5", "100 5"),
                f"out {row.name}": [json.dumps(document).split(" ")]}
    if complaint is None:
        return pairs.check_counts(row, sections, "lr_bench_pairs")
    with pytest.raises(guests.BenchError, match=complaint):
        pairs.check_counts(row, sections, "lr_bench_pairs")


def test_the_counts_of_the_peers_are_read():
    assert guests.counted_by_peer([["@g[-1]:", "24"], ["@[kprobe:x]:", "3"], ["f+1"],
                                   ["]:", "7"]]) == 34
    assert guests.counted_by_peer([["}", "hitcount:", "100"], ["Hits:", "100"]]) == 100


def test_something_that_stays_attached_is_noticed():
    rows = [pairs.Row("untraced", "untraced")]
    sections = {**section("untraced", "10 400", "10 400"),
                **section("again untraced", "10 400", "10 411")}
    with pytest.raises(guests.BenchError, match="still attached"):
        pairs.figures(rows, sections, "6.12", "lr_bench_pairs")


def test_the_page_and_the_plot_show_the_kept_figures():
    page = report.PAGE.read_text(encoding="utf-8")
    assert report.filled(page, MEASURED) == page
    assert plot.draw(MEASURED) == plot.PLOT.read_text(encoding="utf-8")
    with pytest.raises(guests.BenchError, match="bench: targets"):
        report.filled(page.replace("<!-- bench: targets -->", ""), MEASURED)
