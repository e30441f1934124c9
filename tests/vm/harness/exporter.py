# SPDX-License-Identifier: GPL-2.0-only
"""`lastref serve` in a guest, and the way to it."""

import re

from .terminal import forward

PORT = 10917  # its own
URL = f"http://127.0.0.1:{PORT}/metrics"


def start(guest, interval, *arguments, before=()):
    """Starts it, after the words of `before`; returns its job once it serves."""
    job = guest.start([*before, "lastref", "serve", "-i", str(interval), *arguments])
    # Under strace it takes its time.
    job.wait_for(f"^lastref: serving {re.escape(URL)}$", timeout=180)
    return job


def reach(guest):
    """The port of this machine's loopback at which it is from now on."""
    return forward(guest, 0, PORT)
