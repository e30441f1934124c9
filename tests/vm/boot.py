#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots a kernel in QEMU and runs one command in it, as root, in /root.

stdout and the exit status are the command's; its stderr and the kernel's console go to stderr.
Own failures: 124 the time is up, 125 the VM was lost or could not be made, 126 a kernel splat, 141
nobody reads stdout any more.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from harness import kernels, modules
from harness.guest import Guest, GuestTimeout, SplatError, VmLost
from harness.paths import HarnessError, say
from harness.terminal import forward, interact

TIME_IS_UP, LOST, SPLAT = 124, 125, 126


def parse(arguments):
    command = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(
        usage="%(prog)s --kernel K [OPTION]… -- COMMAND…\n"
              "       %(prog)s --kernel K [OPTION]… --shell\n"
              "       %(prog)s --kernel K --build-module DIR",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", required=True, choices=kernels.names(), metavar="K",
                        help="one of " + ", ".join(kernels.names()))
    parser.add_argument("--copy", action="append", default=[], metavar="FILE", type=Path,
                        help="put this file into the guest's /root (may be repeated)")
    parser.add_argument("--smp", type=int, default=2, metavar="N", help="processors (2)")
    parser.add_argument("--mem", default="1G", metavar="M", help="memory (1G)")
    parser.add_argument("--icount", action="store_true",
                        help="one processor whose time is the instructions it has run")
    parser.add_argument("--append", default="", metavar="ARGS", help="more for the kernel's "
                        "command line")
    parser.add_argument("--forward", action="append", default=[], metavar="HOST:GUEST",
                        help="connect a port of this machine's loopback to one of the guest's")
    parser.add_argument("--timeout", type=float, default=600, metavar="S",
                        help="seconds that the command may take (600); five times as many "
                        "on a debug kernel")
    parser.add_argument("--console", type=argparse.FileType("wb"), metavar="FILE",
                        help="put the kernel's console into a file instead of stderr")
    parser.add_argument("--shell", action="store_true", help="an interactive shell")
    parser.add_argument("--build-module", type=Path, metavar="DIR",
                        help="build the modules in DIR for this kernel, in place; boots nothing")
    options = parser.parse_args(arguments)
    options.command = command
    if bool(command) + options.shell + bool(options.build_module) != 1:
        parser.error("give one of: -- COMMAND…, --shell, --build-module DIR")
    for file in [*options.copy, *filter(None, [options.build_module])]:
        if not file.exists():
            parser.error(f"there is no {file}")
    if len({file.name for file in options.copy}) != len(options.copy):
        parser.error("two files to copy have the same name")
    try:
        options.forward = [tuple(map(int, pair.split(":", 1))) for pair in options.forward]
        assert all(len(pair) == 2 for pair in options.forward)
    except (ValueError, AssertionError):
        parser.error("--forward takes two port numbers, such as 9100:9100")
    return options


class Output:
    """A stream of ours that gets what the guest says, on the machine's thread: that must go on when
    nobody reads the stream any more."""

    def __init__(self, stream):
        self.stream = stream
        self.is_closed = False

    def write(self, data):
        if self.is_closed:
            return
        try:
            self.stream.buffer.write(data)
            self.stream.buffer.flush()
        except BrokenPipeError:
            self.is_closed = True
            # What is still buffered would fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def flush(self):
        """write() has."""


def run(guest, options):
    for host_port, guest_port in options.forward:
        forward(guest, host_port, guest_port)
    if options.shell:
        return interact(guest)
    out = Output(sys.stdout)
    job = guest.start(options.command, on_stdout=out.write, on_stderr=options.stderr.write)
    guest.wait_until(lambda: job.done or out.is_closed, options.timeout, f"the end of {job}")
    # As of a command that writes to a pipe which nobody reads.
    return 128 + signal.SIGPIPE if out.is_closed else job.wait().status


def boot(options):
    options.stderr = Output(sys.stderr)
    guest = Guest(options.kernel, smp=options.smp, mem=options.mem, icount=options.icount,
                  append=options.append, copies={f.name: f for f in options.copy},
                  lastref="lastref",  # with the exporter: --forward shows what it serves
                  console=options.console or (None if options.shell else options.stderr))
    status = None
    try:
        status = run(guest, options)
    except (GuestTimeout, VmLost) as error:
        status = TIME_IS_UP if isinstance(error, GuestTimeout) else LOST
        say(str(error).split("\n", 1)[0])
    finally:
        splats = guest.power_off()
    for splat in splats:
        say(f"kernel splat: {splat.line}")
    return SPLAT if splats else status


def main():
    options = parse(sys.argv[1:])
    try:
        if options.build_module:
            sys.stderr.write(modules.build_in_place(kernels.get(options.kernel),
                                                    options.build_module))
            return 0
        return boot(options)
    except SplatError as error:
        say(str(error))
        return SPLAT
    except (HarnessError, VmLost, GuestTimeout) as error:
        say(str(error))
        return LOST
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
