# SPDX-License-Identifier: GPL-2.0-only
"""What was checked and what came out: one row a check, one column a series."""

import sys


class Report:
    def __init__(self):
        self.rows = {}  # check: {series: [passed, all, [note, ...]]}

    def record(self, series, check, where, problems, note=""):
        """One check of one thing. Problems are told at once: a run takes minutes."""
        cell = self.rows.setdefault(check, {}).setdefault(series, [0, 0, []])
        cell[0] += not problems
        cell[1] += 1
        if note and note not in cell[2]:
            cell[2].append(note)
        if problems:
            print(f"\n{series}, {where}: {check}:", file=sys.stderr)
            for problem in problems:
                print("    " + problem.replace("\n", "\n    "), file=sys.stderr)

    def totals(self):
        """{series: (passed, all)}"""
        sums = {}
        for cells in self.rows.values():
            for series, (passed, all_, _) in cells.items():
                before = sums.get(series, (0, 0))
                sums[series] = (before[0] + passed, before[1] + all_)
        return sums

    def table(self):
        """As Markdown, which a README can take as it is."""
        series = list(self.totals())
        lines = ["| check | " + " | ".join(series) + " | |", "| --- |" + " ---: |" * len(series) +
                 " --- |"]
        for check, cells in self.rows.items():
            counts = [f"{cells[s][0]}/{cells[s][1]}" if s in cells else "–" for s in series]
            notes = {}
            for name in series:
                for note in cells[name][2] if name in cells else []:
                    notes.setdefault(note, []).append(name)
            said = [note if len(names) == len(series) else f"{', '.join(names)}: {note}"
                    for note, names in notes.items()]
            lines.append(f"| {check} | {' | '.join(counts)} | {'; '.join(said)} |")
        return "\n".join(lines)

    def total(self):
        return "; ".join(f"{all_} checks, {passed} passed on {series}"
                         for series, (passed, all_) in self.totals().items())

    def passed(self):
        return bool(self.rows) and all(p == a for p, a in self.totals().values())
