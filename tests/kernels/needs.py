# SPDX-License-Identifier: GPL-2.0-only
"""What lastref asks of a kernel's types and symbols."""

import struct
from dataclasses import dataclass
from pathlib import Path

import btf

HERE = Path(__file__).resolve().parent
TABLE = HERE / "needs.tsv"
HEAD = """# SPDX-License-Identifier: GPL-2.0-only
# What `why` asked of kernels in the tests of tests/vm: made by tests/kernels/record, but for the last
# column. must: it looks into that member; may: it asks whether there is one. The last column is for
# what only some kernels have: when they have, or lack (!), all of these.
"""


@dataclass(frozen=True, order=True)
class Need:
    """A member of a structure, or with "-" for the member the structure itself; a module "enumerator"
    is none, and its structure the name of such a one."""

    module: str
    structure: str
    member: str

    def as_condition(self):
        return self.structure if self.member == "-" else f"{self.structure}.{self.member}"

    def __str__(self):
        if self.module == "enumerator":
            return f"the enumerator {self.structure}"
        of = "" if self.module == "-" else f" of {self.module}"
        return f"struct {self.structure}" + ("" if self.member == "-" else f".{self.member}") + of


@dataclass
class Asked:
    must: bool
    when: str = ""


def read(table=TABLE):
    """{need: Asked} of the table."""
    out = {}
    if table.exists():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                module, structure, member, must, when = line.split("\t")
                out[Need(module, structure, member)] = Asked(must == "must", when)
    return out


def write(needs, table=TABLE):
    lines = [f"{n.module}\t{n.structure}\t{n.member}\t{'must' if a.must else 'may'}\t{a.when}\n"
             for n, a in sorted(needs.items())]
    table.write_text(HEAD + "".join(lines), encoding="utf-8")


# --- of the BPF programs ---

OF_WEAK_VARIABLES = {"pcpu_hot"}  # the program asks whether there is that variable
FIELDS, EXISTS, TYPE_EXISTS = (0, 1, 3, 4, 5), 2, (8, 12)


def _without_flavor(name):
    return name.split("___")[0]


def _path(types, number, access):
    """Each structure and member on the way of a relocation's access string ("0:3:1")."""
    for index in map(int, access.split(":")[1:]):
        number = types.bare(number)
        one = types.type(number)
        if one.kind == btf.ARRAY:
            number = struct.unpack_from("<I", types.home(number).data, one.rest)[0]
        else:
            name, member = types.entries(number)[index]
            yield one.name, name
            number = member


def of_object(file):
    """{need: Asked} of the relocations of a BPF object: those of members and of types."""
    data = Path(file).read_bytes()
    types, ext = btf.Btf(btf.section(data, ".BTF")), btf.section(data, ".BTF.ext")
    header, = struct.unpack_from("<I", ext, 4)
    at, length = struct.unpack_from("<II", ext, 24) if header >= 32 else (0, 0)
    at, out = header + at, {}
    end, at = at + length, at + 4
    while at < end:
        _, count = struct.unpack_from("<II", ext, at)
        at += 8
        for _, number, access, kind in struct.iter_unpack("<IIII", ext[at:at + 16 * count]):
            _take(out, types, number, types.text(access), kind)
        at += 16 * count
    for need, asked in out.items():
        outer = Need("-", *need.structure.rpartition(".")[::2])
        asked.must = asked.must and need.structure not in OF_WEAK_VARIABLES and (
            outer not in out or out[outer].must)
    return out


def _take(out, types, number, access, kind):
    if kind in FIELDS or kind == EXISTS:
        above = ""
        for structure, member in _path(types, number, access):
            # One without a name is called by the member that it is.
            above = _without_flavor(structure) or above
            if member:
                asked = out.setdefault(Need("-", above, member), Asked(True))
                # What is asked about is not read where it is not there.
                asked.must = asked.must and kind != EXISTS
                above = f"{above}.{member}"
    elif kind in TYPE_EXISTS:
        out.setdefault(Need("-", _without_flavor(types.type(types.bare(number)).name), "-"), Asked(False))


def objects():
    """The BPF objects of the variant that was built last; not those of programs that are gone."""
    repo = HERE.parents[1]
    sources = {source.name.removesuffix(".bpf.c") for source in (repo / "bpf").rglob("*.bpf.c")}
    built = sorted((file for file in (repo / "build").glob("*/bpf/*/*.bpf.o")
                    if file.name.removesuffix(".bpf.o") in sources),
                   key=lambda file: file.stat().st_mtime)
    if not built:
        raise FileNotFoundError("no BPF program has been built: run make, or make check")
    return [file for file in built if file.parents[2] == built[-1].parents[2]]
