# SPDX-License-Identifier: GPL-2.0-only
"""The alerting rules that we ship, by Prometheus's own promtool. That they fire is in test_serve.py."""

import re
import subprocess

from harness import prometheus
from harness.paths import REPO

kernels = []
RULES = REPO / "packaging" / "prometheus" / "lastref.rules.yml"
TEST = REPO / "tests" / "prometheus" / "rules_test.yml"


def promtool(*arguments):
    result = subprocess.run([prometheus.program("promtool"), *arguments], capture_output=True,
                            text=True)
    return result.returncode, result.stdout + result.stderr


def test_promtool_accepts_the_rules():
    for arguments in (["check", "rules", RULES], ["test", "rules", TEST]):
        status, said = promtool(*arguments)
        assert status == 0, said


def test_promtool_can_fail(tmp_path):
    """The control of the test above: rules that never fire do not pass it."""
    (tmp_path / "rules.yml").write_text(RULES.read_text().replace("> 600", "> 6000"))
    (tmp_path / "test.yml").write_text(
        re.sub(r"- \S*lastref\.rules\.yml", "- rules.yml", TEST.read_text()))
    status, said = promtool("test", "rules", tmp_path / "test.yml")
    assert status != 0 and "LastrefModuleWaiting" in said
