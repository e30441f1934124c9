# SPDX-License-Identifier: GPL-2.0-only
"""Writes initramfs archives (cpio, "newc"), which the kernel reads one after the other."""

import os
import stat


class Archive:
    """An archive being written; directories above an entry are made as needed."""

    def __init__(self, file):
        self.file = file
        self.inode = 0
        self.made = {""}

    def _entry(self, name, mode, content=b""):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (header + encoded, content):
            self.file.write(part + b"\0" * (-len(part) % 4))

    def directory(self, path, mode=0o755):
        path = path.strip("/")
        if path not in self.made:
            self.directory(os.path.dirname(path))
            self.made.add(path)
            self._entry(path, stat.S_IFDIR | mode)

    def data(self, path, content, mode=0o644):
        self.directory(os.path.dirname(path))
        self._entry(path.strip("/"), stat.S_IFREG | mode, content)

    def link(self, path, target):
        self.directory(os.path.dirname(path))
        self._entry(path.strip("/"), stat.S_IFLNK | 0o777, os.fsencode(target))

    def copy(self, path, source):
        """One file of the host, with its permissions."""
        with open(source, "rb") as file:
            self.data(path, file.read(), stat.S_IMODE(os.stat(source).st_mode))

    def tree(self, path, source):
        """All that is below a directory of the host."""
        for folder, names, files in os.walk(source):
            names.sort()
            below = os.path.relpath(folder, source)
            here = path if below == "." else f"{path}/{below}"
            self.directory(here)
            for name in sorted(files):
                full = os.path.join(folder, name)
                if os.path.islink(full):
                    self.link(f"{here}/{name}", os.readlink(full))
                else:
                    self.copy(f"{here}/{name}", full)

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.file.flush()
