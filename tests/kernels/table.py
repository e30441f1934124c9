# SPDX-License-Identifier: GPL-2.0-only
"""What kernels have, of the structures that lastref names: tests/kernels/facts.tsv, a line each, with
a sign for each kernel: + there, - not there, ? not known (a package without it), . in a module that
there is not."""

from pathlib import Path

from needs import Need

FACTS = Path(__file__).resolve().parent / "facts.tsv"
HEAD = """# SPDX-License-Identifier: GPL-2.0-only
# Made by tests/kernels/facts from Debian's packages: what their kernels have (+), lack (-), do not tell
# (?), and what is of a module that they do not have (.).
"""
KINDS = ("enumerator",)
NOTHING_INSTEAD = "-"  # in the place of a condition


class Facts:
    def __init__(self, kernels, signs):
        self.kernels = kernels
        self.signs = signs  # {need: a string, a sign for each kernel}
        self._rows = {}

    @classmethod
    def read(cls, file=FACTS):
        kernels, signs = [], {}
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("kernels\t"):
                kernels = line.split("\t")[1:]
            elif line and not line.startswith("#"):
                module, structure, member, text = line.split("\t")
                signs[Need(module, structure, member)] = text
        return cls(kernels, signs)

    def write(self, file=FACTS):
        lines = [f"{n.module}\t{n.structure}\t{n.member}\t{s}\n" for n, s in sorted(self.signs.items())]
        file.write_text(HEAD + "\t".join(["kernels", *self.kernels]) + "\n" + "".join(lines),
                        encoding="utf-8")

    def has(self, need, kernel):
        """Whether it has: "+", "-", "?", ".". What a module's types lack may be the kernel's own, and
        what is said to be the kernel's may be a module's."""
        wanted = (need.structure, need.member)
        if need.module in KINDS:
            signs = [self._sign(need, kernel)]
        elif need.module == "-":
            signs = [self._sign(need, kernel), *(self._sign(one, kernel) for one in self.of(*wanted))]
        else:
            signs = [self._sign(need, kernel), self._sign(Need("-", *wanted), kernel)]
        if need.module != "-" and signs[0] == "." and "+" not in signs:
            return "."
        return next((sign for sign in "+?" if sign in signs), "-")

    def of(self, structure, member):
        """The rows of that member, whose types ever it is in."""
        if not self._rows:
            for row in self.signs:
                self._rows.setdefault((row.structure, row.member), []).append(row)
        return self._rows.get((structure, member), [])

    def _sign(self, need, kernel):
        at = self.kernels.index(kernel)
        if need in self.signs:
            return self.signs[need][at]
        # A member that no kernel has; where the structure is not known it may be there.
        whole = self.signs.get(Need(need.module, need.structure, "-"))
        return whole[at].replace("+", "-") if whole else "-"

    def names(self, structure):
        """Whether anything is known of a structure of that name."""
        return any(need.structure == structure for need in self.signs)

    def holds(self, when, kernel):
        """A condition of the table of needs: "!mnt_namespace.is_anon mnt_namespace.seq"."""
        return all((self._one(word.lstrip("!"), kernel) != "-") != word.startswith("!")
                   for word in when.split())

    def _one(self, word, kernel):
        structure, _, member = word.rpartition(".")
        wanted = (structure, member) if structure else (word, "-")
        signs = [self._sign(row, kernel) for row in self.of(*wanted)]
        return next((sign for sign in "+?" if sign in signs), "-")
