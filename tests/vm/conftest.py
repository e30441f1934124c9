# SPDX-License-Identifier: GPL-2.0-only
"""What every VM test has: the kernel it runs on, and a guest that fails the test on a splat."""

from pathlib import Path

import pytest

from harness import kernels, matrix
from harness.guest import Guest
from harness.stock import NAMES
from holding import Keeper


def pytest_addoption(parser):
    parser.addoption("--kernel", help="kernels to test, by default those of KERNELS")


def pytest_configure(config):
    try:
        config.wanted = matrix.wanted(config.getoption("--kernel"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc):
    """A test that takes a kernel, or a guest, runs once for each that its file is for."""
    if "kernel" in metafunc.fixturenames:
        claim = metafunc.module.kernels
        chosen = [k for k in metafunc.config.wanted if matrix.covers(claim, k)]
        # Indirect: else pytest 7 takes the kernel of each parametrized test for another one, and
        # boots again for it.
        metafunc.parametrize("kernel", [kernels.get(k) for k in chosen], ids=chosen,
                             scope="module", indirect=True)


@pytest.fixture(scope="module")
def kernel(request):
    """The kernel that the file runs on."""
    if not request.param.has_headers and matrix.loads_test_modules(Path(request.module.__file__)):
        pytest.skip(f"Debian's archive has no headers of {request.param.name} any more: no test module "
                    "can be built")
    return request.param


@pytest.fixture(scope="module")
def boot(kernel):
    """boot(load=["lr_refs"], icount=True, …) gives a Guest; all are closed, and judged, at the end
    of the file."""
    guests = []

    def boot_one(**options):
        guests.append(Guest(kernel, **options))
        return guests[-1]

    yield boot_one
    errors = []
    for guest in guests:
        try:
            guest.close()
        except Exception as error:  # every guest must be ended before one of them is judged
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture(scope="module")
def guest(request, boot):
    """One guest for the whole file, with the options of the file's `guest_options`.

    It has one processor unless they say otherwise, in a file that is for stock kernels: what is
    tested there holds still, and to emulate two takes a quarter to a half more. Soft references, of
    which the other files are, are put by several at once.
    """
    claim = request.module.kernels
    options = {"smp": 1} if any(matrix.covers(claim, stock) for stock in NAMES) else {}
    return boot(**options | getattr(request.module, "guest_options", {}))


@pytest.fixture(scope="module")
def keep(guest):
    """keep("open /dev/net/tun") has a process of the guest hold that, until end() of what it returns;
    after the file's last test all of them are ended."""
    keeper = Keeper(guest)
    yield keeper
    keeper.close()
