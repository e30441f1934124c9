# SPDX-License-Identifier: GPL-2.0-only
"""Runs sessions in a guest, through one job that takes steps and answers each with a line."""

import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))

import broken  # noqa: E402
import compare  # noqa: E402
from harness.compiled import compiled  # noqa: E402
from harness.guest import Guest  # noqa: E402
from model import Truth  # noqa: E402

PATIENCE = 600  # seconds for one answer: lastref attaches slowly on a busy emulated machine
SHOWN = 4  # mismatches of one session: more say nothing new
NAMES = " ".join(f"lr_ora{slot}" for slot in range(3))
# What goes on while probes are attached. Without soft references it is opening a file: one hard get.
BUSY = {"soft": "pairs 3 B work", "both": "pairs 3 B work", "hard": "open"}


@dataclass
class Mismatch:
    """What is wrong, and after which step of its session."""

    at: int
    step: object
    texts: list

    def __str__(self):
        return "\n".join([f"after step {self.at + 1}, `{self.step.text()}`:",
                          *(f"  {text}" for text in self.texts)])


def driver():
    """The guest's program."""
    return compiled("oracle", (HERE / "guest").glob("*.[ch]"), libraries=["z"])


def command(step):
    """What the driver is told; None when there is nothing to do."""
    if step.do in ("load", "unload"):
        return f"{step.do} {step.slot}"
    if step.do in ("get", "put", "hget", "hput", "pairs"):
        return f"do {step.slot} {step.do} {step.n} {step.site} {step.context}"
    if step.do == "mix":
        return f"do {step.slot} mix {step.n}"
    if step.do == "later":
        return f"do {step.slot} " + " ".join(("later", str(step.n), str(step.ms), step.site,
                                              *step.words))
    if step.do == "failinit":
        return f"failinit errno={step.n} linger_ms={step.ms}"
    if step.do == "refs":
        attach, pace, counters, *busy = step.words
        flags = "--soft --hard" if counters == "both" else f"--{counters}"
        meanwhile = f" {step.slot} {BUSY[counters]}" if busy else ""
        return (f"refs start {pace}{meanwhile} -- refs -q -j -i 0.001 {flags} --attach={attach} "
                f"{NAMES}")
    if step.do == "record":
        return f"record start record -q --hard --attach={step.words[0]} -o /tmp/oracle.recording"
    return {"unrefs": "refs stop", "unrecord": "record stop", "freed": "freed"}.get(step.do)


def check(step, answer, truth):
    """Takes an answer in; returns what is wrong with it."""
    wrong = []
    if step.do == "unload":
        busy = truth.live[step.slot].outstanding("hard") > 0
        if (answer["ret"] != 0) != busy:
            wrong.append(f"delete_module returned {answer['ret']}")
    if step.do == "unrecord":
        wrong += compare.report(answer["report"], truth.recorded())
    if step.do != "unrefs":
        truth.feed(step, answer)
    if "doc" in answer:
        wrong += compare.refs(answer["doc"], answer["got"], truth)
    if step.do == "unrefs":
        truth.feed(step, answer)
    return wrong


class Machine:
    """A booted guest with the driver running. Use it in a with block.

    It runs the lastref of the harness, or a broken build; others that are to be there are `builds`.
    """

    def __init__(self, kernel, build=None, builds=(), smp=2):
        copies = {name: broken.lastref(name) for name in {build, *builds} - {None}}
        # Not the static one: a broken build needs the libraries that come with this.
        self.guest = Guest(kernel, load=["lr_referee"], smp=smp, lastref="lastref",
                           copies={"oracle": driver(), **copies})
        self.documents = 0
        self.job = None
        self.use(build)

    def use(self, build=None):
        """Goes on with another build of lastref."""
        if self.job:
            self.job.close_stdin()
            self.job.wait(PATIENCE)
        self.received = bytearray()
        unpacker = zlib.decompressobj()
        program = f"/root/{build}" if build else "lastref"
        self.job = self.guest.start(["./oracle", program], stdin=b"",
                                    on_stdout=lambda data: self.received.extend(
                                        unpacker.decompress(data)))

    def _answer(self):
        """The next line of the driver's."""
        def line():
            end = self.received.find(b"\n")
            if end >= 0:
                taken = bytes(self.received[:end])
                del self.received[:end + 1]
                return taken
            if self.job.done:
                raise AssertionError(f"the driver ended\n{self.job.stderr_so_far}")
            return None

        return json.loads(self.guest.wait_until(line, PATIENCE, "an answer of the driver"))

    def run(self, steps):
        """Runs a session, to its end in any case; returns its first Mismatch, or None."""
        commands = ["begin", *filter(None, map(command, steps))]
        self.job.write("".join(f"{line}\n" for line in commands).encode())
        self._answer()
        truth, found = Truth(), None
        for at, step in enumerate(steps):
            if command(step) is None:
                continue
            answer = self._answer()
            self.documents += "doc" in answer
            if found is None and (wrong := check(step, answer, truth)):
                found = Mismatch(at, step, wrong[:SHOWN])
        return found

    def __enter__(self):
        self.guest.__enter__()
        return self

    def __exit__(self, *error):
        return self.guest.__exit__(*error)

