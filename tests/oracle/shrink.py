# SPDX-License-Identifier: GPL-2.0-only
"""Makes a failing session small: fewer steps, then smaller numbers, as long as it still fails."""

from dataclasses import replace


def shrink(steps, fails, legal, budget):
    """The smallest list of steps found for which fails() is true, in at most `budget` trials.

    fails() is asked about legal() lists only; what legal() adds is not worth dropping by itself.
    """
    trials = Trials(fails, legal, budget)
    while True:
        before = steps
        steps = fewer(steps, trials)
        steps = smaller(steps, trials)
        if steps == before or trials.left <= 0:
            return legal(steps)


class Trials:
    """Remembers what was tried: each trial is a run in a guest."""

    def __init__(self, fails, legal, budget):
        self.fails, self.legal, self.left = fails, legal, budget
        self.tried = {}

    def __call__(self, steps):
        steps = tuple(self.legal(steps))
        if not steps:
            return False
        if steps not in self.tried:
            if self.left <= 0:
                return False
            self.left -= 1
            self.tried[steps] = self.fails(list(steps))
        return self.tried[steps]


def fewer(steps, trials):
    """Leaves out stretches of steps, the longest first."""
    length = len(steps) // 2
    while length >= 1:
        at = 0
        while at < len(steps):
            shorter = steps[:at] + steps[at + length:]
            if shorter and trials(shorter):
                steps = shorter
            else:
                at += length
        length //= 2
    return steps


def smaller(steps, trials):
    """Each number as small as it may be, and each step as plain as it may be."""
    for at, step in enumerate(steps):
        for simpler in simpler_than(step):
            if trials(steps[:at] + [simpler] + steps[at + 1:]):
                steps = steps[:at] + [simpler] + steps[at + 1:]
                break
    return steps


def simpler_than(step):
    """Others to try in its place, the simplest first."""
    if step.context and step.context != "task":
        yield replace(step, context="task", n=1)
        yield replace(step, context="task")
    for n in sorted({1, step.n // 4, step.n // 2, step.n - 1}):
        if 0 < n < step.n:
            yield replace(step, n=n)
    if step.ms > 1:
        yield replace(step, ms=step.ms // 2)
    if step.do == "refs" and "busy" in step.words:
        yield replace(step, words=tuple(word for word in step.words if word != "busy"))
