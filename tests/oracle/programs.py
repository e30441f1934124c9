# SPDX-License-Identifier: GPL-2.0-only
"""Random programs: what they are made of, how they read, and what makes them legal.

A session is a row of programs that run one after the other while tracers come and go. A put says
whose reference it ends: references are anonymous, so that choice is free, and it is what makes a
truth of who holds how many.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace

SLOTS = 3
SITES = "ABC"
CONTEXTS = ("task", "softirq", "work", "hardirq")
LATES = 48  # promises of one module; lr_refs takes 64
NO_DEBT_MS = 20  # when the promises are due that legal() makes


@dataclass(frozen=True)
class Step:
    """One step. Which fields it uses depends on what it does, see text()."""

    do: str
    slot: int = -1
    n: int = 0
    site: str = ""
    context: str = ""
    of: str = ""  # whose reference a put ends
    last: bool = False  # its newest one, else its oldest
    ms: int = 0
    words: tuple = ()  # of a start: attach, pace, counters, and "busy" if so

    def text(self):
        """A line, as parse() reads it."""
        whose = (self.of, "newest" if self.last else "oldest")
        fields = {
            "get": (self.slot, self.n, self.site, self.context),
            "put": (self.slot, self.n, self.site, self.context, *whose),
            "hget": (self.slot, self.n, self.site, self.context),
            "hput": (self.slot, self.n, self.site, self.context, *whose),
            "pairs": (self.slot, self.n, self.site, self.context),
            "mix": (self.slot, self.n),
            "later": (self.slot, self.n, self.ms, self.site, self.of, *self.words),
            "load": (self.slot,), "unload": (self.slot,), "failinit": (self.n, self.ms),
            "refs": (self.slot, *self.words), "record": self.words}
        return " ".join(map(str, (self.do, *fields.get(self.do, ()))))


def parse(line):
    """The step of a line; raises ValueError when it is none."""
    do, *rest = line.split()
    if do in ("get", "hget", "pairs"):
        return Step(do, int(rest[0]), int(rest[1]), rest[2], rest[3])
    if do in ("put", "hput"):
        return Step(do, int(rest[0]), int(rest[1]), rest[2], rest[3], rest[4], rest[5] == "newest")
    if do == "mix":
        return Step(do, int(rest[0]), int(rest[1]))
    if do == "later":
        return Step(do, int(rest[0]), int(rest[1]), rest[3], of=rest[4], ms=int(rest[2]),
                    words=tuple(rest[5:]))
    if do in ("load", "unload"):
        return Step(do, int(rest[0]))
    if do == "failinit":
        return Step(do, n=int(rest[0]), ms=int(rest[1]))
    if do == "refs":
        return Step(do, int(rest[0]), words=tuple(rest[1:]))
    if do == "record":
        return Step(do, words=tuple(rest))
    if do in ("program", "freed", "unrefs", "unrecord"):
        return Step(do)
    raise ValueError(f"no such step: {line!r}")


def parse_all(text):
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [parse(line) for line in lines if line]


class Slot:
    """As much of a module's state as decides what may come next."""

    def __init__(self):
        self.loaded = self.going = False
        self.held = {"soft": Counter(), "hard": Counter()}
        self.promised = Counter()
        self.lates = 0

    def free(self, counter, site):
        """References of a site that may be put now."""
        return self.held[counter][site] - (self.promised[site] if counter == "soft" else 0)


class Rules:
    """Takes steps one by one and gives those that are possible, with what they need before."""

    def __init__(self):
        self.slots = [Slot() for _ in range(SLOTS)]
        self.failing = self.refs = self.record = False

    def going(self):
        return self.failing or any(slot.going for slot in self.slots)

    def take(self, step):
        return list(getattr(self, f"_{step.do}", self._operation)(step))

    def close(self):
        """What ends a program: everything put, unloaded and freed."""
        for number, slot in enumerate(self.slots):
            if slot.loaded:
                for site in SITES:
                    if n := slot.held["hard"][site]:
                        yield from self.take(Step("hput", number, n, site, "task", site))
                yield from self.take(Step("unload", number))
        yield from self._freed(Step("freed"))

    def end(self):
        """What ends a session."""
        yield from self.close()
        for do in ("unrefs", "unrecord"):
            yield from self.take(Step(do))

    def _freed(self, step):
        if self.going():
            self.failing = False
            for slot in self.slots:
                slot.going = False
            yield step

    def _program(self, step):
        yield from self.close()
        yield step

    def _load(self, step):
        slot = self.slots[step.slot]
        if slot.loaded:
            return
        if slot.going:
            yield from self._freed(Step("freed"))
        self.slots[step.slot] = Slot()
        self.slots[step.slot].loaded = True
        yield step

    def _unload(self, step):
        slot = self.slots[step.slot]
        if not slot.loaded:
            return
        if not any(slot.held["hard"].values()):
            for site in SITES:  # what nobody has promised would keep it for ever
                if n := slot.free("soft", site):
                    yield from self._later(Step("later", step.slot, n, site, of=site,
                                                ms=NO_DEBT_MS))
            slot.loaded, slot.going = False, True
        yield step

    def _failinit(self, step):
        if self.failing:
            yield from self._freed(Step("freed"))
        self.failing = True
        yield step

    def _refs(self, step):
        if self.refs:
            return
        self.refs = True
        if "busy" in step.words and not self.slots[step.slot].loaded:
            step = replace(step, words=tuple(w for w in step.words if w != "busy"))
        yield step

    def _unrefs(self, step):
        if self.refs:
            self.refs = False
            yield step

    def _record(self, step):
        """Its report is compared with the referee's list: nothing may be half done."""
        if not self.record:
            yield from self._freed(Step("freed"))
            self.record = True
            yield step

    def _unrecord(self, step):
        if self.record:
            yield from self._freed(Step("freed"))
            self.record = False
            yield step

    def _later(self, step):
        slot = self.slots[step.slot]
        n = min(step.n, slot.free("soft", step.of))
        if slot.loaded and n > 0 and slot.lates < LATES + (step.ms == NO_DEBT_MS) * len(SITES):
            slot.promised[step.of] += n
            slot.lates += 1
            yield replace(step, n=n)

    def _operation(self, step):
        slot = self.slots[step.slot]
        if not slot.loaded:
            return
        if step.do in ("put", "hput"):
            counter = "hard" if step.do == "hput" else "soft"
            step = replace(step, n=min(step.n, slot.free(counter, step.of)))
            if step.n <= 0:
                return
            slot.held[counter][step.of] -= step.n
        elif step.do in ("get", "hget"):
            slot.held["hard" if step.do == "hget" else "soft"][step.site] += step.n
        yield step


def is_busy(steps):
    """Whether modules get and put while probes are attached. For one processor only: an emulator of
    several does not keep the order in which the kernel patches code that another one runs, and the
    kernel falls over (the int3 oops that tests/vm/harness/guest.py knows from boots)."""
    return any("busy" in step.words for step in steps)


def legal(steps):
    """The steps without those that are impossible, and with those that are missing."""
    rules, out = Rules(), []
    for step in steps:
        out += rules.take(step)
    return [*out, *rules.end()]


class Maker:
    """Makes sessions; all chance is its seed's. `busy`: some are, see is_busy()."""

    def __init__(self, seed, soft, busy=False):
        self.random = random.Random(seed)
        self.soft = soft
        self.busy = busy
        # Hard interrupts now and then only: they are the least usual place for a reference.
        self.contexts = ("task", "task", "softirq", "softirq", "work", "work", "hardirq")

    def count(self):
        """Mostly few, for that is where an answer can be exact; sometimes many."""
        return self.random.choice((1, 1, 1, 2, 2, 3, 4, 5, 8, self.random.randint(9, 120)))

    def operation(self, number, slot):
        """What is possible in this state; a put of everything leads to zeros, which matter."""
        pick = self.random.choice
        held = {c: [s for s in SITES if slot.free(c, s) > 0] for c in slot.held}
        kinds = ["hput"] * 5 if held["hard"] else ["hget"] * 2
        if self.soft:
            kinds += ["get"] * 4 + ["pairs"] * 2 + ["mix"] + ["hget"] * 1
            kinds += ["put"] * 7 + ["later"] if held["soft"] else []
        else:
            kinds += ["hget"] * 2
        do, site, context = pick(kinds), pick(SITES), pick(self.contexts)
        if do in ("get", "hget", "pairs"):
            return Step(do, number, min(self.count(), 60 if do == "pairs" else 120), site, context)
        if do == "mix":
            return Step(do, number, min(self.count(), 40))
        counter = "hard" if do == "hput" else "soft"
        of = pick(held[counter])
        n = pick((slot.free(counter, of), self.count()))
        if do == "later":
            return Step(do, number, n, site, of=of, ms=pick((0, 1, 5, 20, 60)),
                        words=pick(((), (), ("try",))))
        return Step(do, number, n, site, context, of, pick((False, True)))

    def step(self, rules):
        loaded = [n for n, slot in enumerate(rules.slots) if slot.loaded]
        chance = self.random.random()
        if not loaded or chance < 0.05:
            return Step("load", self.random.randrange(SLOTS))
        slot = self.random.choice(loaded)
        if chance < 0.11:
            return Step("unload", slot)
        if chance < 0.13 and self.soft:
            return Step("failinit", n=self.random.choice((1, 5, 12, 4095)),
                        ms=self.random.choice((1, 10)))
        if chance < 0.15:
            return Step("freed")
        return self.operation(slot, rules.slots[slot])

    def start(self, do):
        pick = self.random.choice
        if do == "record":
            return Step(do, words=("tracepoint" if self.soft else "auto",))
        attach = pick(("tracepoint",) * 4 + ("fentry", "kprobe")) if self.soft else "auto"
        counters = pick(("soft", "both", "both")) if self.soft else "hard"
        busy = pick(((), ("busy",))) if self.busy else ()
        return Step(do, self.random.randrange(SLOTS), words=(
            attach, pick(("held", "held", "free")), counters, *busy))

    def tracers(self, steps):
        """Where they start and stop, by number of step: near the beginning; and, if there is time
        for it, `refs` once more in the middle of things."""
        early = max(2, min(12, steps // 2))
        at = [(self.random.randrange(1, early), self.start("refs")),
              (self.random.randrange(1, early), self.start("record"))]
        if steps > 200:
            again = self.random.randrange(steps // 3, 2 * steps // 3)
            at += [(again, Step("unrefs")),
                   (again + self.random.randrange(1, 6), self.start("refs"))]
        return at

    def session(self, programs):
        """So many programs: a few modules each, and a few things done with them."""
        rules, out = Rules(), []
        lengths = [self.random.randint(5, 11) for _ in range(programs)]
        tracers = self.tracers(sum(lengths))
        done = 0
        for length in lengths:
            out += rules.take(Step("program"))
            for slot in self.random.sample(range(SLOTS), self.random.choice((1, 1, 1, 2, 3))):
                out += rules.take(Step("load", slot))
            for _ in range(length):
                done += 1
                for _, step in (t for t in tracers if t[0] == done):
                    out += rules.take(step)
                out += rules.take(self.step(rules))
        return [*out, *rules.end()]
