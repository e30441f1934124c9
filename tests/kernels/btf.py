# SPDX-License-Identifier: GPL-2.0-only
"""Reads BTF (Documentation/bpf/btf.rst of the kernel), and finds it in what packages contain."""

import functools
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF = range(1, 9)
VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(9, 20)
QUALIFIERS = (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG)
# What follows a type: bytes, and bytes for each of its entries.
REST = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8),
        FUNC_PROTO: (0, 8), VAR: (4, 0), DATASEC: (0, 12), DECL_TAG: (4, 0), ENUM64: (0, 12)}
MAGIC = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"


@dataclass(frozen=True)
class Type:
    kind: int
    name: str
    to: int  # the type that it leads to, or its size
    rest: int  # where its entries are
    entries: int


class Btf:
    """The types of a kernel, or above a base those of one of its modules."""

    def __init__(self, data, base=None):
        _, _, _, header, types, length, strings, size = struct.unpack_from("<HBBIIIII", data)
        self.data, self.base = data, base
        self.strings = data[header + strings:header + strings + size]
        self.first_string = base.first_string + len(base.strings) if base else 0
        self.first = base.first + len(base.types) if base else 1
        self.types = []
        at = header + types
        while at < header + types + length:
            name, info, to = struct.unpack_from("<III", data, at)
            kind, entries = info >> 24 & 31, info & 0xffff
            fixed, each = REST.get(kind, (0, 0))
            self.types.append((kind, name, to, at + 12, entries))
            at += 12 + fixed + each * entries

    def text(self, offset):
        if self.base and offset < self.first_string:
            return self.base.text(offset)
        offset -= self.first_string
        return self.strings[offset:self.strings.index(b"\0", offset)].decode()

    def type(self, number):
        if number < self.first:
            return self.base.type(number) if self.base else Type(0, "", 0, 0, 0)
        kind, name, to, rest, entries = self.types[number - self.first]
        return Type(kind, self.text(name), to, rest, entries)

    def home(self, number):
        """The part that the type is in."""
        return self.base.home(number) if self.base and number < self.first else self

    def bare(self, number):
        """Without typedef, const, …"""
        while self.type(number).kind in QUALIFIERS:
            number = self.type(number).to
        return number

    def behind(self, number):
        """What pointers and arrays lead to."""
        number = self.bare(number)
        while (one := self.type(number)).kind in (PTR, ARRAY):
            if one.kind == ARRAY:
                number = struct.unpack_from("<I", self.home(number).data, one.rest)[0]
            else:
                number = one.to
            number = self.bare(number)
        return number

    def entries(self, number):
        """Name and type of each member of a structure, in their order."""
        one, home = self.type(number), self.home(number)
        return [(home.text(name), member) for name, member, _ in struct.iter_unpack(
            "<III", home.data[one.rest:one.rest + 12 * one.entries])]

    def members(self, number):
        """Name and type of each, those of structures without a name in it too."""
        for name, member in self.entries(number):
            if name:
                yield name, member
            elif self.type(self.bare(member)).kind in (STRUCT, UNION):
                yield from self.members(self.bare(member))

    def named(self, kinds):
        """Numbers of its own types of these kinds by name; the first of each name."""
        found = {}
        for at, (kind, name, *_) in enumerate(self.types):
            if kind in kinds:
                found.setdefault(self.text(name), at + self.first)
        return found

    @functools.cached_property
    def structures(self):
        return self.named((STRUCT, UNION))

    @functools.cached_property
    def enumerators(self):
        found = set()
        for kind, _, _, rest, entries in self.types:
            if kind in (ENUM, ENUM64):
                size = REST[kind][1]
                found.update(self.text(struct.unpack_from("<I", self.data, rest + size * i)[0])
                             for i in range(entries))
        return found


def section(data, name):
    """A section of an ELF file of 64 bits."""
    start, = struct.unpack_from("<Q", data, 40)
    _, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, start + 64 * i) for i in range(count)]
    text = headers[names][4]
    for name_at, *_, offset, size in headers:
        if data[text + name_at:data.index(b"\0", text + name_at)] == name.encode():
            return data[offset:offset + size]
    raise ValueError(f"no section {name}")


def of_module(file):
    data = Path(file).read_bytes()
    if file.suffix == ".xz":
        data = subprocess.run(["xz", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return section(data, ".BTF")


def _largest(data):
    """The kernel's own BTF in its decompressed image."""
    found = b""
    for match in re.finditer(re.escape(MAGIC), data):
        types, length, strings, size = struct.unpack_from("<IIII", data, match.start() + 8)
        end = match.start() + 24 + strings + size
        if types == 0 and strings == length and end <= len(data) and strings + size > len(found):
            found = data[match.start():end]
    return found


def of_image(file):
    """Out of a bzImage: its payload is compressed, by one program or another."""
    data = Path(file).read_bytes()
    for magic, command in ((b"\xfd7zXZ\0", "xz -dc"), (b"\x28\xb5\x2f\xfd", "zstd -dcq"),
                           (b"\x1f\x8b\x08", "gzip -dcq"), (b"\x02\x21\x4c\x18", "lz4 -dc")):
        for match in re.finditer(re.escape(magic), data):
            kernel = subprocess.run(command.split(), input=data[match.start():],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if len(kernel) > 1 << 23 and (found := _largest(kernel)):
                return found
    raise ValueError(f"{file} has no types in it")
