# SPDX-License-Identifier: GPL-2.0-only
"""One QEMU process: its command line, its serial ports, its life."""

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import tempfile
import threading

from . import core, usage
from .image import program

# What the kernel is told: everything it says goes to the console (with "quiet" a WARN would not),
# a panic ends QEMU, and the clock is trusted however late a busy host lets its watchdog run.
COMMAND_LINE = ("console=ttyS0,115200 loglevel=7 printk.devkmsg=on panic=-1 tsc=reliable "
                "random.trust_cpu=on rdinit=/init")
PORTS = ("console", "control", "data")


def _end_with_parent():
    """No QEMU outlives the harness, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def arguments(kernel, initrd, accel, smp, mem, icount, in_turn, append, disk, monitor):
    line = f"{COMMAND_LINE} {append}".strip()
    if icount:  # while the guest waits for the host, hours go by in it
        line = f"sysctl.kernel.hung_task_timeout_secs=0 {line}"
    if accel == "kvm":
        machine = ["-accel", "kvm", "-cpu", "host"]
    elif icount:
        machine = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
    else:
        machine = ["-accel", "tcg,thread=" + ("single" if in_turn else "multi")]
    if accel != "kvm":
        machine += ["-cpu", "max,la57=off"]  # 5-level paging makes KASAN splat in early boot
    return [program("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-machine", "pc", *machine, "-m", mem,
            # The BIOS tells a kernel without ACPI of one processor for each socket, no more.
            "-smp", f"{smp},sockets={smp}",
            *(core.options(monitor) if monitor else []),
            *(["-drive", f"file={disk},format=raw,if=virtio"] if disk else []),
            "-kernel", str(kernel.image), "-initrd", str(initrd),
            "-append", line]


class Machine:
    """A running QEMU; what arrives on a port is handed to receive(port, bytes) by one thread."""

    def __init__(self, command, receive, lost):
        self.receive = receive
        self.lost = lost
        self.errors = tempfile.TemporaryFile()
        self.ports = {}
        theirs = []
        for port in PORTS:
            self.ports[port], their_end = socket.socketpair()
            theirs.append(their_end)
            command = [*command, "-chardev", f"socket,id={port},fd={their_end.fileno()}",
                       "-serial", f"chardev:{port}"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
            pass_fds=[s.fileno() for s in theirs], preexec_fn=_end_with_parent,
            start_new_session=True)
        for their_end in theirs:
            their_end.close()
        self.sending = threading.Lock()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        selector = selectors.DefaultSelector()
        for port, end in self.ports.items():
            selector.register(end, selectors.EVENT_READ, port)
        while selector.get_map():
            for key, _ in selector.select():
                try:
                    data = key.fileobj.recv(1 << 16)
                except OSError:  # a reset connection: QEMU has gone
                    data = b""
                if data:
                    self.receive(key.data, data)
                else:
                    selector.unregister(key.fileobj)
        self.lost()

    def send(self, data):
        with self.sending:
            try:
                self.ports["control"].sendall(data)
            except OSError:
                pass  # QEMU has gone; the listener says so to everybody who waits

    def said(self):
        """What QEMU itself had to say."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def processor_seconds(self):
        """What it has used up to now; it must not have been stopped."""
        return usage.processor_seconds(self.process.pid)

    def stop(self):
        """Ends it, once; returns the processor seconds it has used."""
        os.kill(self.process.pid, signal.SIGKILL)  # if it has gone by itself, it is still to be waited for
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.thread.join(10)
        for end in self.ports.values():
            end.close()
        return used.ru_utime + used.ru_stime


def scratch_directory():
    """For the initramfs, which QEMU reads while it starts."""
    return tempfile.TemporaryDirectory(prefix=f"lastref-vm-{os.getpid()}-")
