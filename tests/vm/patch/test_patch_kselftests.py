# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own selftests give the same results with the series and without it."""

import re

import kselftests
from harness import kernels as built
from harness import source

kernels = ["6.12-unpatched", "6.1-unpatched"]  # each is compared with its patched partner


def table(before, after):
    rows = [("", "", "", "unpatched", "patched")]
    for script, case in {**before, **after}:
        old, new = (results.get((script, case), "-") for results in (before, after))
        rows.append(("" if old == new else "!", script, case, old, new))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def test_same_results(kernel, tmp_path, capsys):
    series = source.series_of(kernel.name)
    suite = kselftests.Suite(series, tmp_path)
    before = suite.results(kernel)
    after = suite.results(built.get(series))
    with capsys.disabled():
        print(f"\n{table(before, after)}")
    assert before == after
    # A test that fails with and without the series would compare nothing.
    assert all(re.fullmatch(r"(\d+ )?(ok|OK|PASS)|exit 0", verdict) for verdict in after.values())
    silent = {script for script, _ in suite.commands()} - {
        script for script, case in after if case != "(its end)"}
    assert not silent, "these scripts have reported nothing"


def test_every_way_to_report_a_failure_is_read():
    said = ("TEST: basic function patching ... not ok\n"
            "kmod_test_0001_driver: OK! - loading kmod test\n"
            "kmod_test_0001_driver: FAIL, test expects SUCCESS (0) - got -EINVAL (-22)\n"
            "[1] Kprobe dynamic event - probing module\t[FAIL]\n"
            "static_keys: [FAIL]\nprintf:  [FAIL]\nstrscpy*: module is not found [SKIP]\n")
    assert kselftests.verdicts(said) == {
        "basic function patching": "not ok", "kmod_test_0001_driver": "OK, FAIL",
        "Kprobe dynamic event - probing module": "FAIL", "static_keys": "[FAIL]",
        "printf": "[FAIL]", "strscpy*": "module is not found [SKIP]"}
