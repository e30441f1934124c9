# SPDX-License-Identifier: GPL-2.0-only
"""The manual, the completions and --help say the same."""

import re
import subprocess

import pytest

from harness.image import lastref_binary
from harness.paths import REPO

kernels = []
MAN = REPO / "docs" / "man"
BASH = REPO / "packaging" / "completions" / "lastref.bash"
ZSH = BASH.parent


def help_of(*command):
    return subprocess.run([lastref_binary(), *command, "--help"], capture_output=True, text=True,
                          check=True).stdout


def commands():
    """All but help, which is about the others."""
    block = help_of().split("Subcommands:\n")[1].split("\n\n")[0]
    return [name for name in re.findall(r"^  ([a-z-]+)", block, re.M) if name != "help"]


def options_of_help(*command):
    """All spellings of all options."""
    return {name for line in re.findall(r"^  (-\S+)", help_of(*command), re.M)
            for name in line.split(",")}


def options_of_page(name):
    text = (MAN / f"{name}.8.md").read_text(encoding="utf-8")
    section = text.split("\n# OPTIONS\n")[1].split("\n# ")[0]
    heads = re.findall(r"^(\*\*.*)\n:   ", section, re.M)
    return {word.replace("\\", "") for head in heads for word in re.findall(r"\*\*(.*?)\*\*", head)}


def test_there_is_a_page_for_each_command_and_none_for_others():
    pages = {page.name.removesuffix(".8.md") for page in MAN.glob("*.8.md")}
    assert pages == {"lastref"} | {f"lastref-{name}" for name in commands()}


@pytest.mark.parametrize("command", [[], *[[name] for name in commands()]])
def test_a_page_has_the_options_of_its_command(command):
    assert options_of_page("-".join(["lastref", *command])) == options_of_help(*command)


def test_the_pages_name_the_exit_statuses():
    page = (MAN / "lastref.8.md").read_text(encoding="utf-8")
    section = page.split("# EXIT STATUS")[1].split("\n# ")[0]
    assert set(re.findall(r"\*\*(\d+)\*\*", section)) == \
        set(re.findall(r"\b\d+\b", help_of().split("Exit status:")[1]))


def in_path():
    """Completion runs `lastref`."""
    return {"PATH": f"{lastref_binary().parent}:/usr/sbin:/usr/bin:/sbin:/bin"}


def bash(line):
    """What is offered at the end of a line."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = (f". {BASH}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _lastref; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=in_path(),
                          check=True)
    assert not done.stderr
    return set(done.stdout.split())


def zsh(line):
    """The same with a real line editor, in a pseudoterminal of zsh's own."""
    script = f"""
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell 'PS1= fpath=({ZSH} $fpath); autoload -U compinit; compinit -u -D
            zstyle ":completion:*" list-prompt ""; LISTMAX=10000; COLUMNS=200
            bindkey "^I" complete-word; null() {{ compadd() {{ local -a found; builtin compadd -O found "$@"; print -l "<$^found>"
                                   builtin compadd "$@" }} }}; null; print -r -- re""ady'
        zpty -r shell answer '*ready*'
        zpty -n -w shell '{line}'$'\t'
        zpty -n -w shell $'\x15print -r -- do""ne\n'
        zpty -r shell answer '*done*'
        print -r -- $answer
        zpty -d shell"""
    # What is typed while zsh still completes ends the completion: on a busy machine, again.
    for _ in range(5):
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True,
                              env={**in_path(), "TERM": "dumb"}, timeout=60)
        if found := re.findall(r"<([^<>\r\n]+)>", done.stdout):
            return set(" ".join(found).split())
    return set()


@pytest.mark.parametrize("shell", [bash, zsh])
def test_commands_are_completed(shell):
    assert set(commands()) <= shell("lastref ")
    assert shell("lastref re") >= {name for name in commands() if name.startswith("re")}


@pytest.mark.parametrize("shell", [bash, zsh])
def test_options_are_completed(shell):
    for command in commands():
        assert shell(f"lastref {command} --") >= {
            name for name in options_of_help(command) if name.startswith("--")}


def test_values_are_completed():
    assert bash("lastref run --attach ") == {"auto", "tracepoint", "fentry", "kprobe"}
    assert bash("lastref why --color a") == {"auto", "always"}
    for shell in (bash, zsh):
        assert shell("lastref report --format ") >= {"text", "json", "html", "chrome-trace"}


def test_what_follows_an_option_without_value_is_no_value():
    assert bash("lastref why --json ") == bash("lastref why ")
    assert bash("lastref report --json ") == bash("lastref report ")


def test_syntax():
    subprocess.run(["bash", "-n", BASH], check=True)
    subprocess.run(["zsh", "-n", ZSH / "_lastref"], check=True)
