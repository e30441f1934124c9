# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: a line discipline, which the terminal that uses it holds."""

import why
import why_files

kernels = "all"
guest_options = why_files.OPTIONS
N_PPS = 18  # include/uapi/linux/tty.h; the only one that is a module of Debian's cloud kernels


def test_a_line_discipline(guest):
    guest.check("modprobe pps_ldisc")
    why.free(guest, "pps_ldisc")
    user = why_files.special(guest, f"discipline {N_PPS}")
    doc = why.explained(guest, "pps_ldisc", 1)
    assert not doc["not_examined"], why.brief(doc)
    tty = why.holder(doc, kind="tty")
    assert (tty["pid"], tty["comm"], tty["refs"]) == (user.pid, "hold", 1)
    assert "line discipline of terminal" in tty["detail"]
    assert f"kill {user.pid}" in doc["next"]
    user.end()
    why.free(guest, "pps_ldisc")
    guest.check("rmmod pps_ldisc")
