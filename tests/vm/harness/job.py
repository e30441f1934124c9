# SPDX-License-Identifier: GPL-2.0-only
"""A command in the guest: what it has written, how it ended, and what can be done to it."""

import os
import re
import signal
from dataclasses import dataclass

from . import wire


@dataclass(frozen=True)
class Result:
    """How a command ended; a signal counts as 128 + its number, as in a shell."""

    status: int
    stdout: str
    stderr: str
    raw: bytes  # stdout, byte for byte


class Job:
    """Created by Guest.start(). All waiting is for events, with a deadline that raises."""

    def __init__(self, guest, number, argv, has_stdin):
        self.guest = guest
        self.number = number
        self.argv = argv
        self.output = {"stdout": bytearray(), "stderr": bytearray()}
        self.ended = None  # (bytes of stdout, wait status)
        self.listeners = {}
        self._input = bytearray()
        self._input_ends = False
        self._input_open = has_stdin
        self._awaits_ack = False

    # Called by the guest with its lock held.

    def receive(self, kind, payload):
        if kind in "oe":
            stream = "stdout" if kind == "o" else "stderr"
            self.output[stream] += payload
            if listener := self.listeners.get(stream):
                listener(payload)
        elif kind == "x":
            self.ended = wire.EXIT.unpack(payload)
        elif kind == "a":
            self._awaits_ack = False
            self._pump()

    def _pump(self):
        """One piece at a time: the guest's serial driver would drop what nobody takes."""
        if self._awaits_ack or not self._input_open:
            return
        if self._input:
            piece = bytes(self._input[:wire.MAX_INPUT])
            del self._input[:wire.MAX_INPUT]
            self._awaits_ack = True
            self.guest.send(wire.frame("I", self.number, piece))
        elif self._input_ends:
            self._input_open = False
            self.guest.send(wire.frame("E", self.number))

    # For those who wrote the test.

    @property
    def done(self):
        return self.ended is not None and len(self.output["stdout"]) >= self.ended[0]

    @property
    def stdout_so_far(self):
        return self.output["stdout"].decode(errors="replace")

    @property
    def stderr_so_far(self):
        return self.output["stderr"].decode(errors="replace")

    def write(self, data):
        """Gives the command more input; start() must have been called with some, even b""."""
        with self.guest.changed:
            self._input += data
            self._pump()

    def close_stdin(self):
        with self.guest.changed:
            self._input_ends = True
            self._pump()

    def signal(self, name):
        """Sends a signal ("INT", "KILL") to the command and all that it started."""
        number = signal.Signals[f"SIG{name}"]
        self.guest.send(wire.frame("K", self.number, bytes([number])))

    def resize(self):
        rows, columns = os.get_terminal_size()[::-1]
        self.guest.send(wire.frame("W", self.number, rows.to_bytes(2, "little") +
                                   columns.to_bytes(2, "little")))

    def wait_for(self, regex, stream="stderr", timeout=60):
        """Waits until the command has written something that matches; returns the match."""
        pattern = re.compile(regex, re.M)

        def found():
            return pattern.search(self.output[stream].decode(errors="replace")) or (
                self.done or None)

        match = self.guest.wait_until(found, timeout, f"{regex!r} on the {stream} of {self}")
        if match is True:
            match = pattern.search(self.output[stream].decode(errors="replace"))
        if not match:
            raise AssertionError(f"{self} ended without {regex!r} on its {stream}\n{self.story()}")
        return match

    def wait(self, timeout=60):
        """Waits for the end of the command."""
        self.guest.wait_until(lambda: self.done or None, timeout, f"the end of {self}")
        status = self.ended[1]
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return Result(code, self.stdout_so_far, self.stderr_so_far, bytes(self.output["stdout"]))

    def story(self):
        """For a failure's message."""
        return (f"--- its stdout ---\n{self.stdout_so_far[-4000:]}\n"
                f"--- its stderr ---\n{self.stderr_so_far[-4000:]}")

    def __str__(self):
        text = " ".join(self.argv[2:] if self.argv[:2] == ["sh", "-c"] else self.argv)
        return f"`{text if len(text) < 200 else text[:200] + '…'}`"
