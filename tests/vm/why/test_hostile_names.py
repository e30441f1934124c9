# SPDX-License-Identifier: GPL-2.0-only
"""Names that an attacker chooses: of a process, a file, a mount point, a network device. They must
drive no terminal and break no document, and a command that is suggested must do what it says."""

import re

import pytest

import tool
import truth
import why
from hostile import EVIL, in_bash, in_json, wrong

kernels = ["stock-6.12"]
guest_options = {"programs": ["ip", "tc"], "lastref": "lastref"}  # serve is asked, too
EVIL_DEVICE = b"$(>owned)'\x1b\xff"


def text_of(guest, module):
    """`lastref why` for people: UTF-8, and every line is lastref's own."""
    result = guest.run(f"export LC_ALL=C.UTF-8 COLUMNS=1000; exec lastref why {module}")
    assert result.status == tool.OUTSTANDING, result.stderr
    text = result.raw.decode()
    assert wrong(text) == [] and wrong(result.stderr) == [], result.raw
    own = ("\n", f"{module} ", "  ", "/tmp/long/", "open.\n")
    assert all(line.startswith(own) for line in text.splitlines(True)), text[:2000]
    return text


def do_next_step(guest, text):
    guest.check(re.search(r"^  Next: (.*)$", text, re.M)[1])


@pytest.fixture(autouse=True)
def nothing_else_was_run(guest):
    yield
    assert guest.run("find / -xdev -name owned").stdout == ""


def test_the_judge_sees_what_drives_a_terminal():
    """The control."""
    assert len(wrong(EVIL.decode(errors="replace"))) == 5
    assert wrong("tun cannot be unloaded: é ← …\n") == []


def test_a_shell_would_run_such_a_name(guest):
    """The control of that."""
    for name in (EVIL, EVIL_DEVICE):
        guest.check(f"cd /tmp; name={in_bash(name)}; eval \"echo \\\"$name\\\"\"; rm owned")


def test_a_process_and_its_file(guest):
    name = in_bash(EVIL)
    guest.check(f"modprobe tun; mkdir /tmp/evil /tmp/bin; mknod /tmp/evil/{name} c 10 200; "
                f"cp /bin/bash /tmp/bin/{name}")
    # A shell of that name, which no line for the keeper can have.
    holder = guest.start(f"exec /tmp/bin/{name} -c "
                         "'exec 5<> /tmp/evil/*; echo open; sleep 9999 5>&-; true'")
    holder.wait_for("open", "stdout")
    text = text_of(guest, "tun")
    assert r"\x1b[2J\x0a\x1b]0;x" in text.split("\n")[0]
    doc = why.ask(guest, "tun")
    found = why.holder(doc, kind="open_file")
    assert found["comm"] == in_json(EVIL[:15])
    assert found["path"] == "/tmp/evil/" + in_json(EVIL)
    do_next_step(guest, text)
    holder.wait()
    guest.check("rmmod tun")


def test_a_path_of_four_kilobytes(guest, keep):
    name, depth = "\033" * 250, 15
    guest.check("modprobe tun; mkdir /tmp/long; cd /tmp/long; "
                f"for i in $(seq {depth}); do mkdir {name}; cd {name}; done; mknod tun c 10 200")
    holder = keep("work /tmp/long " + f"work {name} " * depth + "open tun")
    assert r"\x1b\x1b\x1b" in text_of(guest, "tun")
    assert len(why.holder(why.ask(guest, "tun"), kind="open_file")["path"]) > 3700
    holder.end()
    guest.check("rmmod tun; rm -r /tmp/long")


def test_a_mount_point_and_who_works_there(guest):
    where = f"/tmp/mounted{in_bash(EVIL)}"
    guest.check(f"modprobe overlay; mkdir /tmp/a /tmp/b {where}; "
                f"mount -t overlay -o lowerdir=/tmp/a:/tmp/b none {where}")
    doc = why.ask(guest, "overlay")
    assert why.holder(doc, kind="mount")["path"] == "/tmp/mounted" + in_json(EVIL)
    do_next_step(guest, text_of(guest, "overlay"))  # umount, of that and of nothing else
    assert truth.sysfs(guest, "overlay", "refcnt") == "0"
    guest.check("rmmod overlay")


def test_a_network_device(guest):
    name = in_bash(EVIL_DEVICE)
    guest.check(f"modprobe dummy; modprobe sch_netem; ip link add name {name} type dummy; "
                f"tc qdisc add dev {name} root netem")
    text = text_of(guest, "sch_netem")
    assert why.holder(why.ask(guest, "sch_netem"), kind="qdisc")["path"] == in_json(EVIL_DEVICE)
    do_next_step(guest, text)
    guest.check(f"rmmod sch_netem; ip link del dev {name}")


def test_names_that_are_given(guest):
    """Those that are misuse are in test_usage.py."""
    for arguments in ("why {}", "record -o /{}/x", "run -q -- {}"):
        result = guest.run(f"export LC_ALL=C.UTF-8; exec lastref {arguments.format(in_bash(EVIL))}")
        assert result.status != tool.DONE
        assert wrong(result.raw.decode()) == [] and wrong(result.stderr) == [], arguments
        assert r"\x1b" in result.raw.decode() + result.stderr, arguments
