# SPDX-License-Identifier: GPL-2.0-only
"""Chooses between KVM and emulation.

/dev/kvm may exist and yet run no guest (some nested set-ups hang for ever), so KVM is used only
after it has booted a kernel once on this boot of this machine; the verdict is remembered.
"""

import os
import platform
from pathlib import Path

from .image import program
from .paths import CACHE, HarnessError, digest, locked, say

PROOF_SECONDS = 20


def choose(icount, boots_with_kvm):
    """"kvm" or "tcg". boots_with_kvm(seconds) boots a guest and says whether it came up."""
    wanted = os.environ.get("ACCEL") or "auto"
    if wanted not in ("auto", "kvm", "tcg"):
        raise HarnessError(f"ACCEL={wanted}: it must be auto, kvm or tcg")
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
    if wanted == "kvm" and icount:
        raise HarnessError("counting instructions needs emulation: not with ACCEL=kvm")
    if wanted == "kvm" and not usable:
        raise HarnessError("ACCEL=kvm, but /dev/kvm is missing or not accessible to this user")
    if wanted != "auto":
        return wanted
    if icount or not usable:
        return "tcg"
    qemu = os.stat(program("qemu-system-x86_64"))
    machine = digest(platform.release(), Path("/proc/sys/kernel/random/boot_id").read_text(),
                     qemu.st_size, qemu.st_mtime_ns)
    verdict = CACHE / "accel" / machine
    with locked(CACHE / "accel" / "lock"):
        if not verdict.exists():
            say(f"trying KVM, for {PROOF_SECONDS} s at most")
            answer = "kvm" if boots_with_kvm(PROOF_SECONDS) else "tcg"
            say("KVM works" if answer == "kvm" else "KVM does not run a guest here: emulating")
            verdict.write_text(answer)
    return verdict.read_text()
