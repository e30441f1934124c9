# SPDX-License-Identifier: GPL-2.0-only
"""The examples do what their documentation says."""

import subprocess

from harness.paths import REPO

kernels = ["6.12"]  # which the script boots


def lingering(*parameters):
    return subprocess.run([REPO / "examples" / "lingering" / "run", *parameters],
                          capture_output=True, text=True, timeout=300)


def test_a_module_that_goes_in_time(kernel):
    done = lingering()
    assert done.returncode == 0, done.stderr
    assert "lingering was freed" in done.stdout


def test_a_module_that_lingers(kernel):
    done = lingering("linger_ms=60000")
    assert done.returncode == 3, done.stderr
    assert "lingering still waits for 1 soft reference" in done.stdout
    assert "lingering_init+" in done.stdout and "by insmod[" in done.stdout
