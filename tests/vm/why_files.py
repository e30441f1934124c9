# SPDX-License-Identifier: GPL-2.0-only
"""Has processes in the guest hold files, places and what programs/hold.c can hold."""

from harness.compiled import compiled
from harness.paths import VM

OPTIONS = {"copies": {"hold": compiled("hold", [VM / "programs" / "hold.c"])}}


class Holding:
    """A process that holds something until it is ended."""

    def __init__(self, guest, command):
        """A shell script that says "holding PID" when it does, and ends with its stdin."""
        self.job = guest.start(command, stdin=b"")
        self.pid = int(self.job.wait_for(r"^holding (\d+)$", "stdout")[1])

    def end(self):
        self.job.close_stdin()
        assert self.job.wait().status == 0


def shell(guest, script):
    """A shell that has run a script and waits, with what the script has opened or entered."""
    return Holding(guest, f"{script}\necho holding $$; read -r end; exit 0")


def special(guest, what):
    """programs/hold.c, in a guest with these OPTIONS."""
    return Holding(guest, f"exec /root/hold {what}")
