# SPDX-License-Identifier: GPL-2.0-only
"""The memory of a guest in a file, as a hypervisor dumps it: what kdump would keep of a crash."""

import json
import socket


def options(path):
    """More of QEMU's command line: who connects to that socket can have the guest dumped. The kernel
    is told where to leave its vmcoreinfo, and does when its module qemu_fw_cfg comes."""
    return ["-device", "vmcoreinfo", "-qmp", f"unix:{path},server=on,wait=off"]


def dump(path, file, form="elf"):
    """Has the guest behind that socket dumped in that format; it stands still meanwhile."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(str(path))
        stream = connection.makefile("rw")
        json.loads(stream.readline())  # the greeting
        for command, arguments in (("qmp_capabilities", {}),
                                   ("dump-guest-memory", {"paging": False, "format": form,
                                                          "protocol": f"file:{file}"})):
            stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            stream.flush()
            answer = {"event": None}
            while "event" in answer:
                answer = json.loads(stream.readline())
            assert "return" in answer, answer
