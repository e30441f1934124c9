# SPDX-License-Identifier: GPL-2.0-only
"""The series' own selftests, as anybody runs them who has the patched kernel."""

import pytest

from harness import selftests
from harness.paths import HarnessError
from harness.source import series_of

kernels = ["6.12", "6.1", "6.12-debug"]
SECONDS = 900  # for one program, on a debug kernel under emulation

# What a kernel's configuration lacks, as {kernel: {test: reason}}: nothing may be skipped silently.
SKIPPED = {}

_SERIES = "6.12"  # the tests are the same in all series: a test below proves it
_DEFAULT = selftests.listed("TEST_GEN_PROGS", _SERIES)
_TAINTING = selftests.listed("TEST_GEN_PROGS_EXTENDED", _SERIES)
_TESTS = [(program, name) for program in _DEFAULT + _TAINTING
          for name in selftests.names(program, _SERIES)]


class Run:
    """Runs programs in one guest; what they report is kept."""

    def __init__(self, boot, kernel):
        if not any(kernel.root.rglob("test_module_soft.ko")):
            raise HarnessError(f"{kernel.name} was built without CONFIG_TEST_MODULE_SOFT=m: its "
                               "row of kernel-patch/configs/kernels lacks the fragment selftests")
        self.programs = selftests.programs(series_of(kernel.name))
        # Threads of the tests stay in the kernel for long: nobody else should starve.
        self.guest = boot(lastref=None, copies=self.programs, append="preempt=full")
        self.results = {}

    def __call__(self, program):
        job = self.guest.run(f"./{program} 2>&1", timeout=SECONDS)
        self.results[program] = selftests.parse_ktap(job.stdout)
        assert (job.status != 0) == any(not r.passed for r in self.results[program].values())


@pytest.fixture(scope="module")
def results(boot, kernel):
    """{program: {test: Result}}; what taints the kernel runs in a guest of its own."""
    usual, tainting = Run(boot, kernel), Run(boot, kernel)
    for program in _DEFAULT:
        usual(program)
    tainting.guest.allow_splat(r"^WARNING: .*__module_put_soft", "a put too many is to be warned of")
    for program in _TAINTING:
        tainting(program)
    log = tainting.guest.check("dmesg")
    assert log.count("test_module_soft: more soft references put than taken") == 1
    assert log.count("test_module_soft: forced unload abandons 2 soft reference") == 1
    assert log.count("test_module_soft: forced unload abandons 3 soft reference") == 1
    return usual.results | tainting.results


@pytest.mark.parametrize("program, name", _TESTS, ids=[f"{p}:{n}" for p, n in _TESTS])
def test_selftest(kernel, results, program, name):
    result = results[program][name]
    assert result.passed, result.said
    assert result.skipped == SKIPPED.get(kernel.name, {}).get(name, ""), result.said


def test_nothing_else_was_run(kernel, results):
    """The names above were read from the sources: they are all there is, on every kernel."""
    assert [(p, name) for p, run in results.items() for name in run] == _TESTS
    assert selftests.files(series_of(kernel.name)) == selftests.files(_SERIES)


def test_a_report_that_is_not_complete_is_refused():
    whole = ("TAP version 13\n1..2\n#  RUN           soft.a ...\nok 1 soft.a\n"
             "#  RUN           soft.b ...\n# x.c:1:b:Expected 0\nnot ok 2 soft.b\n")
    parsed = selftests.parse_ktap(whole)
    assert (parsed["a"].passed, parsed["b"].passed) == (True, False)
    assert "Expected 0" in parsed["b"].said
    for broken in (whole.replace("not ok 2 soft.b\n", ""), whole.replace("1..2", "1..3"),
                   "TAP version 13\n1..0\n", "", whole.replace("1..2\n", "")):
        with pytest.raises(selftests.KtapError):
            selftests.parse_ktap(broken)


@pytest.mark.parametrize("line", ["ok 1 soft.a # SKIP needs root", "ok 1 # SKIP needs root"])
def test_a_skipped_line_is_read_on_every_series(line):
    parsed = selftests.parse_ktap(f"1..1\n#  RUN           soft.a ...\n{line}\n")
    assert parsed["a"].skipped == "needs root"
