# SPDX-License-Identifier: GPL-2.0-only
"""Finds the functions of a kernel's sources that take references on modules: those that call what takes
one, and those that call a function that does nothing else, such as elevator_tryget()."""

import re
from dataclasses import dataclass
from pathlib import Path

# What takes one, and functions that do more than that, but whose callers are to be told apart: what
# keeps the reference is theirs.
TAKERS = ("try_module_get", "__module_get", "fops_get", "get_filesystem", "strong_try_module_get",
          "btf_try_get_module", "bpf_try_module_get", "trace_event_try_get_ref", "scsi_device_get",
          "load_nls", "load_nls_default", "nf_conntrack_helper_try_module_get", "i2c_get_adapter")
# Where nothing is that a kernel runs.
LEFT_OUT = ("Documentation/", "samples/", "scripts/", "tools/", "usr/", "debian/")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)((?:[^\n\\]|\\.|\\\n)*)", re.M)
MACRO = re.compile(r"\s*(\w+)\(")
CALL = re.compile(r"\b(\w+)\s*\(")
# The body of one that the configuration leaves without any.
EMPTY = re.compile(r"\{\s*(return [\w-]+;)?\s*$")
# Macros that make a function, and what that is called.
DEFINES = (("COMPAT_SYSCALL_DEFINE", "__do_compat_sys_"), ("SYSCALL_DEFINE", "__do_sys_"),
           ("BPF_CALL_", "____"))
# What may stand before a function's name like a call: attributes, and macros that need no semicolon.
NOT_A_NAME = re.compile(r"(__attribute__|__printf|__scanf|__section|__acquires|__releases|__must_hold|"
                        r"__cond_acquires|__alloc_size|__aligned|__malloc|typeof|__typeof__|__diag_\w+|"
                        r"__bpf_\w+|EXPORT_\w+|MODULE_\w+|DEFINE_\w+|DECLARE_\w+|LIST_HEAD|__setup|"
                        r"[a-z]+_initcall|module_\w+)$")
# What one that only takes a reference may call besides.
HARMLESS = {"if", "return", "likely", "unlikely", "WARN_ON", "WARN_ON_ONCE", "sizeof", "IS_ENABLED",
            "BUG_ON", "while", "switch"}


@dataclass(frozen=True, order=True)
class Site:
    path: str  # from the top of the sources
    function: str


@dataclass(frozen=True)
class Function:
    name: str
    body: str
    is_local: bool  # nobody in another file can mean it


def _blank(match):
    """As many lines, and characters, as there were."""
    return re.sub(r"[^\n]", " ", match[0])


def _macros(text, path):
    """Those that are like a function."""
    for directive in DIRECTIVE.finditer(text):
        if directive[1] == "define" and (name := MACRO.match(directive[2])):
            yield Function(name[1], directive[2][name.end():], path.endswith(".c"))


def _name(head):
    """Of the function whose body follows; none, if what follows is something else."""
    depth = 0
    for match in re.finditer(r"[()]|\b[A-Za-z_]\w*(?=\s*\()", head):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
        elif depth == 0 and not NOT_A_NAME.match(match[0]):
            for macro, prefix in DEFINES:
                if match[0].startswith(macro):
                    argument = re.match(r"\s*\(\s*(\w+)", head[match.end():])
                    return prefix + argument[1] if argument else None
            return match[0]
    return None


class _Depth:
    """How many braces are open. Of the branches of an #if each is gone over as if it stood alone: the
    braces in them need not match otherwise."""

    def __init__(self):
        self.now, self._branches = 0, []

    def see(self, what):
        if what in ("if", "ifdef", "ifndef"):
            self._branches.append(self.now)
        elif what in ("elif", "else") and self._branches:
            self.now = self._branches[-1]
        elif what == "endif" and self._branches:
            self._branches.pop()
        elif what == "{":
            self.now += 1
        elif what == "}":
            self.now = max(self.now - 1, 0)


def _written_out(text, path):
    """The functions that are not macros, and blocks that are something else, which have no name."""
    marks = [(one.start(), one[1]) for one in DIRECTIVE.finditer(text)]
    code = DIRECTIVE.sub(_blank, text)
    marks += [(one.start(), one[0]) for one in re.finditer(r"[{};]", code)]
    depth, head, began = _Depth(), 0, 0
    for at, what in sorted(marks):
        was = depth.now
        depth.see(what)
        if what == "{" and was == 0:
            began = at
        elif what == "}" and depth.now == 0:
            before = code[head:began]
            is_local = path.endswith(".c") and re.search(r"\bstatic\b", before) is not None
            yield Function(_name(before) or "", code[began:at], is_local)
            head = at + 1
        elif what == ";" and was == 0:
            head = at + 1


def functions_of(text, path):
    """Functions and macros of a file."""
    code = NOT_CODE.sub(_blank, text)
    return [*_written_out(code, path), *_macros(code, path)]


def _only_takes(body, takers):
    """Whether it does nothing but take a reference, and say whether it could."""
    calls = set(CALL.findall(body)) - HARMLESS
    return calls <= takers and body.count(";") <= 3


class Sources:
    """Of one kernel."""

    def __init__(self, top):
        self.texts, self._functions = {}, {}
        for file in sorted(Path(top).rglob("*.[ch]")):
            path = file.relative_to(top).as_posix()
            if not path.startswith(LEFT_OUT):
                self.texts[path] = file.read_text(encoding="utf-8", errors="replace")

    def functions(self, path):
        if path not in self._functions:
            self._functions[path] = functions_of(self.texts[path], path)
        return self._functions[path]

    def sites(self):
        """{site: the names of what it takes references with}."""
        found, takers = {}, set(TAKERS)
        fresh = {name: None for name in TAKERS}  # and the file that it is known in, if it is one
        while fresh:
            wrappers = {}
            for name, home in fresh.items():
                for function, site in self._callers(name, home):
                    found.setdefault(site, set()).add(name)
                    if function.name not in takers and self._is_wrapper(site, takers):
                        wrappers[function.name] = site.path if function.is_local else None
            takers |= set(wrappers)
            fresh = wrappers
        return found

    def _callers(self, name, home):
        word = re.compile(rf"\b{name}\s*\(")
        for path in [home] if home else [p for p, text in self.texts.items() if name in text]:
            for function in self.functions(path):
                if function.name == name or not word.search(function.body):
                    continue
                if not function.name:
                    raise ValueError(f"{path}: {name}() is called in what is not taken for a function")
                yield function, Site(path, function.name)

    def _is_wrapper(self, site, takers):
        """However often it is there: for another configuration it may do more, or nothing."""
        return all(_only_takes(one.body, takers) for one in self.functions(site.path)
                   if one.name == site.function and not EMPTY.match(one.body))
