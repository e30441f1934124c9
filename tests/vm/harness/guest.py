# SPDX-License-Identifier: GPL-2.0-only
"""A booted kernel in which many commands can run, one after the other and at the same time."""

import gzip
import os
import re
import sys
import threading
import time
from pathlib import Path

from . import accel, image, kernels, modules, qemu, splat, usage, wire
from .job import Job
from .paths import say

BOOT_SECONDS = 120  # under emulation on a busy machine
NEEDS = "LASTREF_NEEDS"  # a directory for what a lastref of scripts/build needs has written down


class VmLost(Exception):
    """The guest did not come up, or went away."""


class GuestTimeout(Exception):
    """Something that was waited for did not happen in time."""


class SplatError(AssertionError):
    """The kernel complained; text holds the complaints."""


class Guest:
    """Boots on creation. close(), or leaving a with block, fails on any splat not allowed for.

    With icount the guest's time is the instructions it has run, and while all its processors idle
    its clock jumps to the next timer: a wait for the host takes hours of it. So what is measured
    must be one script, not several commands.

    Emulated processors run at the same time, each on a thread of the host, unless they are to run
    in_turn: then one does not go on in code that another has just patched, as it may otherwise.

    disk is a file that is the guest's /dev/vda. With dumps, core.dump(guest.monitor, FILE) writes its
    memory to a file.
    """

    def __init__(self, kernel, load=(), smp=2, mem="1G", icount=False, in_turn=False, append="",
                 copies=None, programs=(), packages=(), extra_modules=(),
                 lastref="lastref-static", console=None, disk=None, dumps=False):
        self.kernel = kernels.get(kernel) if isinstance(kernel, str) else kernel
        self.scratch = qemu.scratch_directory()
        self.monitor = Path(self.scratch.name) / "monitor" if dumps else None
        self.options = {"smp": 1 if icount else smp, "mem": mem, "icount": icount,
                        "in_turn": in_turn, "append": append, "disk": disk,
                        "monitor": self.monitor}
        self.mirror = console  # a binary file that gets the console as it comes
        self.allowed = []
        self.changed = threading.Condition(threading.RLock())
        self.machine = None
        self.initrd = Path(self.scratch.name) / "initrd"
        kos = [*modules.built(self.kernel, modules.TEST_MODULES)] \
            if modules.TEST_MODULES.is_dir() and self.kernel.has_headers else []
        image.write(self.initrd, self.kernel, image.lastref_binary(lastref) if lastref else None,
                    [*kos, *map(Path, extra_modules)], dict(copies or {}), programs,
                    packages)
        chosen = accel.choose(icount, self._boots_with_kvm)
        self._boot_up(chosen)
        for name in load:
            self.check(f"insmod /root/modules/{name}.ko")

    # --- coming up ---

    def _reset(self):
        self.console_bytes = bytearray()
        self.jobs = {}
        self.release = None
        self.is_lost = False  # QEMU has gone, for whatever reason
        self.boot_seconds = None  # of processors, until it was up
        self.is_off = self.was_lost = False  # ended by power_off(), which found it lost
        self.parsers = {"control": wire.Parser(), "data": wire.Parser()}

    def _power_on(self, acceleration):
        self._reset()
        self.machine = qemu.Machine(
            qemu.arguments(self.kernel, self.initrd, acceleration, **self.options),
            self._receive, self._lost)

    def _boots_with_kvm(self, seconds):
        self._power_on("kvm")
        until = time.monotonic() + seconds
        with self.changed:
            while not (self.release or self.is_lost or time.monotonic() > until
                       or "KVM internal error" in self.machine.said()):
                self.changed.wait(0.2)
        self._stop()
        return bool(self.release)

    def _boot_up(self, acceleration):
        """Boots; once more if the kernel splats or stands still before any command has been started.

        About one in a hundred emulated boots of a stock kernel does (the emulator races with the
        kernel's own text patching). That says nothing about what is tested here, but it is told.
        """
        for attempt in (1, 2):
            self._power_on(acceleration)
            problem = None
            try:
                self.wait_until(lambda: self.release, BOOT_SECONDS, "the boot")
                self._mark("commands start")
            except (VmLost, GuestTimeout) as error:
                problem = error
            splats = splat.scan(self.console)
            if not splats and not problem:
                self.boot_seconds = self.machine.processor_seconds()
                return
            self._stop()
            if attempt == 2 or not (splats or isinstance(problem, GuestTimeout)):
                break
            what = splats[0].line if splats else str(problem).splitlines()[0]
            say(f"{self.kernel.name} failed ({what}) before any command had started: "
                "booting again, once")
        self.scratch.cleanup()
        if splats:
            raise SplatError(f"the kernel splatted during its second boot:\n{splats[0].context}")
        raise problem

    # --- what arrives, on the machine's thread ---

    def _receive(self, port, data):
        with self.changed:
            if port == "console":
                self.console_bytes += data
                if self.mirror:
                    self.mirror.write(data)
                    self.mirror.flush()
            else:
                for kind, number, payload in self.parsers[port].feed(data):
                    if kind == "r":
                        self.release = payload.decode()
                    elif number in self.jobs:
                        self.jobs[number].receive(kind, payload)
            self.changed.notify_all()

    def _lost(self):
        with self.changed:
            self.is_lost = True
            self.changed.notify_all()

    # --- for jobs, and for tests ---

    @property
    def console(self):
        return self.console_bytes.decode(errors="replace").replace("\r\n", "\n")

    def send(self, data):
        self.machine.send(data)

    def wait_until(self, condition, timeout, what):
        """Waits until condition() is not None (nor False), called whenever something arrived.

        The timeout, in seconds, is for a kernel of ordinary speed.
        """
        timeout *= self.kernel.slowness
        until = time.monotonic() + timeout
        with self.changed:
            while True:
                if answer := condition():
                    return answer
                if self.is_lost:
                    raise VmLost(f"the VM was lost while waiting for {what}\n{self._last_words()}")
                left = until - time.monotonic()
                if left <= 0:
                    raise GuestTimeout(f"{what} did not come within {timeout} s\n"
                                       f"{self._last_words()}")
                self.changed.wait(left)

    def _last_words(self):
        tail = "\n".join(self.console.splitlines()[-40:])
        return "\n".join([*(j.story() for j in self.jobs.values() if not j.done),
                          f"--- QEMU ---\n{self.machine.said()}", f"--- console ---\n{tail}"])

    def _mark(self, text):
        """Waits until the console has everything that the kernel has said up to now."""
        text = f"{text} ({self.console.count('lastref-vm: ')})"
        self.send(wire.frame("M", 0, text.encode()))
        self.wait_until(lambda: f"lastref-vm: {text}" in self.console or None, 60, "the console")

    def start(self, command, stdin=None, terminal=False, on_stdout=None,
              on_stderr=None):
        """Starts a shell script (a string) or a program (a list); returns a Job at once.

        stdin is None for /dev/null, or bytes; the job's write() can add to them until
        close_stdin(). A terminal is for people.
        """
        argv = ["sh", "-c", command] if isinstance(command, str) else list(map(str, command))
        flags = wire.ON_A_TERMINAL if terminal else wire.STDIN_PIPE if stdin is not None else 0
        with self.changed:
            number = len(self.jobs) + 1
            job = self.jobs[number] = Job(self, number, argv, bool(flags))
            job.listeners = {"stdout": on_stdout, "stderr": on_stderr}
            self.send(wire.start(number, argv, flags))
            if stdin:
                job.write(stdin)
        return job

    def run(self, command, timeout=60, stdin=None):
        """Runs a command to its end; the status is for the caller to judge."""
        job = self.start(command, stdin)
        if stdin is not None:
            job.close_stdin()
        return job.wait(timeout)

    def check(self, command, timeout=60, stdin=None):
        """Runs a command that must succeed; returns its stdout."""
        result = self.run(command, timeout, stdin)
        assert result.status == 0, (f"`{command}` ended with {result.status}\n"
                                    f"{result.stdout}\n{result.stderr}")
        return result.stdout

    def put(self, path, content):
        data = content.encode() if isinstance(content, str) else content
        self.check(["sh", "-c", 'cat > "$0"', path], stdin=data)

    def get(self, path):
        result = self.run(["cat", path])
        assert result.status == 0, f"cannot read {path}: {result.stderr}"
        return result.raw

    def get_large(self, path):
        """The same for megabytes of text or records, which take longer on a serial port than to pack."""
        result = self.run(["gzip", "-c", path], 300)
        assert result.status == 0, f"cannot read {path}: {result.stderr}"
        return gzip.decompress(result.raw)

    # --- going down ---

    def allow_splat(self, regex, reason):
        """Lets a splat pass whose first line matches. The reason is for the reader."""
        assert reason, "an allowed splat needs a reason"
        self.allowed.append(re.compile(regex))

    def splats(self):
        """All complaints so far that nobody has allowed."""
        try:
            self._mark("what has been said so far")
        except VmLost:
            pass  # nothing more will come; close() says so if there is no splat to explain it
        return [s for s in splat.scan(self.console)
                if not any(pattern.search(s.line) for pattern in self.allowed)]

    def power_off(self):
        """Ends the guest and returns its splats; does nothing the second time."""
        if self.is_off:
            return []
        self.is_off = True
        try:
            found = self.splats()
            self.was_lost = self.is_lost
            if NEEDS in os.environ and not self.is_lost:
                self._keep_needs(Path(os.environ[NEEDS]) / self.kernel.name)
            return found
        finally:
            self._stop()
            self.scratch.cleanup()

    def _keep_needs(self, file):
        """Adds what lastref asked of this kernel (tests/kernels) to a file."""
        asked = self.check("sort -u /tmp/lastref-needs 2> /dev/null || true")
        known = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text("".join(sorted({*known.splitlines(True), *asked.splitlines(True)})),
                        encoding="utf-8")

    def _stop(self):
        total = self.machine.stop()
        boot = total if self.boot_seconds is None else self.boot_seconds  # it may not have come up
        usage.keep(usage.Usage(self.kernel.name, boot, total))

    def close(self):
        if found := self.power_off():
            raise SplatError(f"{len(found)} kernel splat(s) on {self.kernel.name}; the first:\n"
                             f"{found[0].context}")
        if self.was_lost:
            raise VmLost(f"the VM was lost\n{self._last_words()}")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            self.close()
        elif found := self.power_off():
            print(f"vm: and the kernel splatted:\n{found[0].context}", file=sys.stderr)
