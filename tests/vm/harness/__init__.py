# SPDX-License-Identifier: GPL-2.0-only
"""Boots kernels in QEMU and runs commands in them: see guest.Guest."""
