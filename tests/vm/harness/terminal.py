# SPDX-License-Identifier: GPL-2.0-only
"""A guest's shell on this terminal, and its network ports on this machine."""

import contextlib
import os
import select
import signal
import socket
import sys
import termios
import threading
import tty

from .paths import HarnessError, say


def interact(guest):
    """Connects this terminal to a shell in the guest until that ends; returns its status."""
    if not sys.stdin.isatty():
        raise HarnessError("an interactive shell needs a terminal")

    def show(data):
        os.write(sys.stdout.fileno(), data)

    say(f"{guest.kernel.name}: lastref is in the PATH, test modules are in /root/modules; "
        "exit ends the guest")
    before = termios.tcgetattr(sys.stdin)
    job = guest.start(["bash", "-l"], terminal=True, on_stdout=show)
    job.resize()
    signal.signal(signal.SIGWINCH, lambda *_: job.resize())
    tty.setraw(sys.stdin)
    try:
        while not job.done and not guest.is_lost:
            readable, _, _ = select.select([sys.stdin], [], [], 0.2)
            if readable:
                job.write(os.read(sys.stdin.fileno(), 4096))
        return job.wait().status
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _carry(guest, connection, guest_port):
    """One connection: the guest's own netcat at the far end, so that its loopback is reached."""
    def to_host(data):
        try:
            connection.sendall(data)
        except OSError:
            pass  # the client has hung up; the end of its input ends the far side

    job = guest.start(["nc", "127.0.0.1", str(guest_port)], stdin=b"", on_stdout=to_host)

    def to_guest():
        try:
            while data := connection.recv(1 << 14):
                job.write(data)
        except OSError:
            pass
        job.close_stdin()

    threading.Thread(target=to_guest, daemon=True).start()
    with guest.changed:
        guest.changed.wait_for(lambda: job.done or guest.is_lost)
    with contextlib.suppress(OSError):  # the client may have gone first
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def forward(guest, host_port, guest_port):
    """Listens on this machine's loopback; works on every kernel, without a network device."""
    try:
        listener = socket.create_server(("127.0.0.1", host_port))
    except OSError as error:
        raise HarnessError(f"cannot listen on port {host_port}: {error.strerror}") from error

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_carry, args=(guest, connection, guest_port),
                             daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]
