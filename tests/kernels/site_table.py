# SPDX-License-Identifier: GPL-2.0-only
"""docs/get-sites.tsv: what explains the references that are taken in each place of the kernel; and the
list of places in its sources that it is compared with, tests/kernels/sites.tsv."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from get_sites import Site

HERE = Path(__file__).resolve().parent
LIST = HERE / "sites.tsv"
TABLE = HERE.parents[1] / "docs" / "get-sites.tsv"
HOLDERS = HERE.parents[1] / "docs" / "holders.md"
LIST_HEAD = """# SPDX-License-Identifier: GPL-2.0-only
# Made by tests/kernels/sites from Debian's packages: which functions of the kernel's sources take references
# on modules. A sign for each kernel: it is built for x86-64 or arm64 (+), is there (-), or is not (.).
"""
TABLE_HEAD = """# SPDX-License-Identifier: GPL-2.0-only
# The functions of the kernel's sources that take references on modules. In each series: built by Debian
# for x86-64 or arm64 (+), there and not built (-), not there (.). What explains a reference that was taken:
# kind: `lastref why` finds it as one of the kinds of holders.md, and counts so many
# through: it is held in a call, or until work that is under way has ended, or by who is listed for himself
# not built: in no configuration, or never on a module
# lead: nothing yet
"""
CLASSES = ("kind", "through", "not built", "lead")
UNKNOWN = "?"  # the class of a place that was found, and that nobody has looked at
# Why there can be no reference though the file is built.
NEVER = ("not in a module", "only with CONFIG_", "only what is not built")


@dataclass
class Row:
    signs: str  # one for each kernel
    name: str = UNKNOWN  # the class
    kinds: str = "-"
    references: str = "-"
    reason: str = "-"

    @property
    def is_built(self):
        return "+" in self.signs and self.name != "not built"


def _lines(file):
    return [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")]


def read_list(file=LIST):
    """([kernel], {site: its signs})."""
    (_, *kernels), *rows = _lines(file)
    return kernels, {Site(path, function): signs for path, function, signs in rows}


def write_list(kernels, signs, file=LIST):
    rows = [("kernels", *kernels), *((*key(site), signs[site]) for site in sorted(signs))]
    file.write_text(LIST_HEAD + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def key(site):
    return site.path, site.function


def read_table(file=TABLE):
    """{site: its row}."""
    _, *rows = _lines(file)
    return {Site(path, function): Row("".join(rest[:-4]), *rest[-4:]) for path, function, *rest in rows}


def write_table(kernels, table, file=TABLE):
    series = [".".join(kernel.split(".")[:2]) for kernel in kernels]
    head = ["path", "function", *series, "class", "kinds", "references", "reason"]
    rows = [[*key(site), *row.signs, row.name, row.kinds, row.references, row.reason]
            for site, row in sorted(table.items())]
    file.write_text(TABLE_HEAD + "".join("\t".join(row) + "\n" for row in [head, *rows]), encoding="utf-8")


def followed(signs, table):
    """The table with the places that there are now. Who adds a kernel has only new ones to look at."""
    out = {}
    for site, has in signs.items():
        row = table.get(site, Row(has))
        if "+" not in has and row.name == UNKNOWN:
            row = Row(has, "not built", reason="in no configuration")
        out[site] = Row(has, row.name, row.kinds, row.references, row.reason)
    return out


def known_kinds(document):
    """Of the table of holders.md that the kinds write."""
    return set(re.findall(r"^\| `(\w+)`", document, re.M))


def _wrong(row, kinds):
    """What is wrong with a row, or nothing."""
    named = set(row.kinds.split(",")) - {"-"}
    if row.name == UNKNOWN:
        return "nobody has said yet what explains it"
    if row.name not in CLASSES:
        return f"there is no class {row.name!r}"
    if named - kinds:
        return f"docs/holders.md has no kind {', '.join(sorted(named - kinds))}"
    if (row.name == "kind") != bool(named) or (row.name == "kind") != row.references.isdigit():
        return "a kind, and how many references, belong to the class kind, and to no other"
    if row.name == "not built" and "+" in row.signs and not row.reason.startswith(NEVER):
        return f"it is built: its reason is to begin with one of: {', '.join(NEVER)}"
    if row.reason == "-":
        return "it has no reason"
    return ""


def problems(signs, table, document):
    """Lines."""
    kinds = known_kinds(document)
    for site in sorted(signs.keys() | table.keys()):
        place = f"{site.path}: {site.function}()"
        if site not in table:
            yield f"{place} takes references, and docs/get-sites.tsv does not have it"
        elif site not in signs:
            yield f"{place} is in no source any more"
        elif table[site].signs != signs[site]:
            yield f"{place} is {signs[site]}, not {table[site].signs}"
        elif wrong := _wrong(table[site], kinds):
            yield f"{place}: {wrong}"
    if summary(table) not in " ".join(document.split()):
        yield f"docs/holders.md does not say: {summary(table)}"


def summary(table):
    """How much of it is known."""
    count = Counter(row.name for row in table.values() if row.is_built)
    every = sum(count.values())
    both = count["kind"] + count["through"]
    return (f"Of {every} places that Debian builds for x86-64 or arm64, {count['kind']} "
            f"({100 * count['kind'] // every} %) are of a kind above, {both} ({100 * both // every} %) with "
            f"those that hold only for a moment; {count['lead']} are not explained yet.")
