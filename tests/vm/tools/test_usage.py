# SPDX-License-Identifier: GPL-2.0-only
"""What ends before lastref looks at a kernel: how it is used, and misused. Nothing is booted."""

import pytest

import tool
from hostile import EVIL, wrong

kernels = []


def misuse(*arguments, status=tool.USAGE):
    """The message of a command that must fail and print nothing else."""
    result = tool.here(*arguments)
    assert result.returncode == status, f"{result.returncode}: {result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    assert result.stderr.startswith("lastref: ")
    assert "attached" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("arguments, told", [
    ("--no-such-option", "--no-such-option"),
    ("no_such_command", "no_such_command"),
    ("run", "Put it behind two dashes"),
    ("run --", "Put it behind two dashes"),
    ("run rmmod foo", "lastref run -- rmmod foo"),
    ("run --attach=magic -- true", "magic"),
    ("run -d soon -- true", "soon"),
    ("run -d -1 -- true", "-1"),
    ("run -d nan -- true", "'nan' is not a number of seconds from 0 to 1000000000"),
    ("refs -i 0", "'0' is not a number of seconds from 0.001 to 1000000"),
    ("refs -i 0.0000000001", "'0.0000000001' is not a number of seconds"),
    ("refs -n -3", "-3"),
    ("trace -p 0", "'0' is not a whole number from 1 to 4194304"),
    ("serve -i inf", "'inf' is not a number of seconds from 0.1 to 3600"),
    ("report", "FILE"),
    ("record -- true", "--output"),
    ("--color=pink", "pink"),
    ("why", "the name of a module"),
    ("why a b", "b"),
    ("why /lib/modules/", "the name of a module"),
    ("why -n 0 lr_slow", "0"),
    ("-- true", "lastref run -- COMMAND"),
    ("refz --soft", "Did you mean: lastref refs"),
    ("tarce", "Did you mean: lastref trace"),
    ("why --jsn tun", "Did you mean: --json"),
    ("usb_storage", "lastref why usb_storage"),
    ("rnu", "Did you mean: lastref run"),
    ("help refz", "Did you mean: lastref help refs"),
    ("report -j --format=text x", "excludes"),
    ("report --format=yaml x", "yaml"),
    ("serve --listen 127.0.0.1", "no port"),
    ("serve --listen nohost:1", "numeric address"),
    ("serve --listen 127.0.0.1:99999", "1 to 65535"),
])
def test_bad_options_are_usage_errors(arguments, told):
    assert told in misuse(*arguments.split())


def test_an_address_of_another_machine():
    message = misuse("serve", "--listen", "192.0.2.1:10917", status=tool.FAILED)
    assert "no address of this machine" in message


def test_help_and_version_succeed():
    assert tool.here("--version").stdout.startswith("lastref ")
    text = tool.here("--help").stdout
    for command in ("why", "run", "trace", "refs", "record", "report", "serve", "doctor"):
        assert f"\n  {command} " in text
        own = tool.here("help", command)
        assert own.returncode == tool.DONE
        assert f"Usage: lastref {command} " in own.stdout
        assert "\n  3         references are outstanding" in own.stdout
        assert tool.here(command, "--help").returncode == tool.DONE
    assert tool.here("help").stdout == text


@pytest.mark.parametrize("name", ["", "/", ".ko.xz x", "\033[31m/"])
def test_why_with_no_name_at_all(name):
    shown = name.replace("\033", "\\x1b")
    assert f"lastref: '{shown}' is not the name of a module\n" in misuse("why", name)


@pytest.mark.parametrize("before, status", [
    ("", tool.USAGE), ("refs --", tool.USAGE), ("report ", tool.FAILED), ("help ", tool.USAGE),
    ("serve --listen ", tool.USAGE), ("--color=", tool.USAGE)])
def test_hostile_names(before, status):
    *words, last = before.split(" ")
    message = misuse(*words, last + EVIL.decode(errors="surrogateescape"), status=status)
    assert wrong(message) == [] and r"\x1b" in message
