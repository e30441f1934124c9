# SPDX-License-Identifier: GPL-2.0-only
"""A name that an attacker chooses, how it is written, and who judges what lastref makes of it."""

import unicodedata

# Clears the screen, ends the line, names the window; the same in UTF-8, and right to left; what is no
# UTF-8; and what a shell would run.
EVIL = b"\x1b[2J\n\x1b]0;x\x07\xc2\x9b31m\xe2\x80\xae\xff\\'$(>owned)`>owned`"


def in_bash(name):
    return "$'" + "".join(f"\\x{byte:02x}" for byte in name) + "'"


def in_json(name):
    """Bytes that are no UTF-8 are written out."""
    return name.decode(errors="backslashreplace")


def wrong(text):
    """The characters that a terminal would obey, but for the end of a line."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
