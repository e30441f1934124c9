# SPDX-License-Identifier: GPL-2.0-only
"""The host's side of the frames that agent.c describes."""

import struct

HEADER = struct.Struct("<B3xII")
EXIT = struct.Struct("<Qi")
MAX_INPUT = 16 * 1024
STDIN_PIPE, ON_A_TERMINAL = 1, 2


def frame(kind, job, payload=b""):
    return HEADER.pack(ord(kind), job, len(payload)) + payload


def start(job, argv, flags):
    return frame("S", job, bytes([flags]) + b"".join(a.encode() + b"\0" for a in argv))


class Parser:
    """Cuts a port's bytes into frames."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        while len(self.buffer) >= HEADER.size:
            kind, job, length = HEADER.unpack_from(self.buffer)
            if len(self.buffer) < HEADER.size + length:
                return
            payload = bytes(self.buffer[HEADER.size:HEADER.size + length])
            del self.buffer[:HEADER.size + length]
            yield chr(kind), job, payload
