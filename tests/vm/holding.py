# SPDX-License-Identifier: GPL-2.0-only
"""Has processes in the guest hold things: a keeper's, or a shell where a shell is the point."""

import re


class Keeper:
    """Does what harness/keeper/keeper.h says; conftest.py has one for each guest."""

    NAME = "keeper"

    def __init__(self, guest):
        self.job = guest.start([self.NAME], stdin=b"")
        self.answers = 0

    def ask(self, line):
        """The answer to a line; what must not be refused is asked for by calling the keeper."""
        self.job.write(f"{line}\n".encode())
        self.answers += 1
        wanted = rf"\A(?:.*\n){{{self.answers - 1}}}(.*)\n"
        answer = self.job.wait_for(wanted, "stdout")[1]
        assert answer.startswith("ok"), f"{line}: {answer}"
        return answer

    def __call__(self, steps):
        return Kept(self, self.ask(steps))

    def close(self):
        """Ends all, and waits until they are gone."""
        self.job.close_stdin()
        self.job.wait()


class Kept:
    """What is held since a line, until end()."""

    def __init__(self, keeper, answer):
        said = {name: [int(number) for number in numbers.split(",")]
                for name, numbers in re.findall(r"(\w+)=(\S+)", answer)}
        self.keeper = keeper
        self.group, = said["group"]
        self.pids = said["pid"]
        self.fds = said.get("fd", [])
        self.last, = said.get("last", [None])
        self.ns_pid, = said.get("ns_pid", [None])

    @property
    def pid(self):
        """The first who holds it."""
        return self.pids[0]

    @property
    def fd(self):
        return self.fds[0]

    def end(self):
        """Ends all processes of it, and waits until they are gone."""
        self.keeper.ask(f"end {self.group}")


class Shell:
    """A script that says "holding PID" when it holds something, and ends with its stdin."""

    def __init__(self, guest, script):
        self.job = guest.start(script, stdin=b"")
        self.pid = int(self.job.wait_for(r"^holding (\d+)$", "stdout")[1])

    def end(self):
        self.job.close_stdin()
        assert self.job.wait().status == 0
