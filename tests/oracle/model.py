# SPDX-License-Identifier: GPL-2.0-only
"""The truth of a session: from what the modules counted, what the driver did, and which reference
each put was said to end. Knows nothing of lastref but when it watched."""

from collections import Counter
from dataclasses import dataclass, field

from programs import SITES

KINDS = ("get", "put", "hget", "hput")
COUNTERS = {"soft": ("get", "put"), "hard": ("hget", "hput")}


@dataclass
class Held:
    """References of one site, taken by one step."""

    n: int
    since_ns: tuple  # taken not before, not after


@dataclass
class Instance:
    """One load of a module, from its load to its free."""

    slot: int
    instance_id: str
    loaded_ns: int  # when its load had been asked for
    counted: Counter  # the module's own counters, at the end of the latest step
    opened: int  # how often the driver has opened (and closed) a file of it
    held: dict = field(default_factory=lambda: {
        counter: {site: [] for site in SITES} for counter in COUNTERS})
    promised: list = field(default_factory=list)  # (n, ms, of)
    tries: int = 0  # promises that first try to get one: early ones succeed, and hold it a moment
    going: bool = False

    @property
    def name(self):
        return f"lr_ora{self.slot}"

    def outstanding(self, counter):
        return sum(h.n for site in SITES for h in self.held[counter][site])

    def take(self, counter, site, n, since_ns):
        self.held[counter][site].append(Held(n, since_ns))

    def drop(self, counter, site, n, last):
        """Ends n references of a site, the newest or the oldest ones first."""
        row = self.held[counter][site]
        while n:
            held = row[-1 if last else 0]
            ended = min(n, held.n)
            held.n -= ended
            n -= ended
            if not held.n:
                row.remove(held)


@dataclass
class Seen:
    """What a tracer can know of one instance."""

    instance: Instance
    load_seen: bool
    at_least: Counter  # counters when its probes were surely not attached yet
    at_most: Counter  # and when they surely were; the same if nothing happened in between
    opened_at_least: int
    opened_at_most: int
    generation: int  # 0: not known
    attached_ns: int  # what was taken after this, was seen
    zero: dict = field(default_factory=dict)  # counter: gets by site at a zero it must know of
    gets_before: dict = field(default_factory=dict)  # counter: gets by site in the document before
    no_zero: set = field(default_factory=set)  # counters that were never 0 since the last loss


@dataclass
class Unload:
    """A call of delete_module (or a failed init): what the driver and the referee know of it."""

    name: str
    instance_id: str
    began_ns: int
    returned_ns: int
    ret: int
    promised: list
    referee: tuple = None
    freed_by_ns: int = 0
    tries: int = 0


class Truth:
    """Fed with each step and its answer."""

    def __init__(self):
        self.live = {}  # slot: Instance
        self.going = {}  # slot: Instance
        self.seen = None  # slot: Seen, while `lastref refs` runs
        self.loads = {}  # slot: instances that it must have seen
        self.unloads = []
        self.recorded_from = None
        self.tracer = ()
        self.missed = 0  # probe runs, in the document before

    def feed(self, step, answer):
        getattr(self, f"_{step.do}", self._operation)(step, answer)
        if "counted" in answer and step.slot in self.live:
            instance = self.live[step.slot]
            instance.counted = Counter(answer["counted"])
            instance.opened = answer["opened"]

    def _load(self, step, answer):
        instance = Instance(step.slot, answer["instance"], answer["t0"], Counter(), 0)
        self.live[step.slot] = instance
        if self.seen is not None:
            known = self.loads.get(step.slot, 0)
            self.loads[step.slot] = known + 1 if known is not None else None
            self.seen[step.slot] = Seen(instance, True, Counter(), Counter(), 0, 0,
                                        self.loads[step.slot] or 0, instance.loaded_ns)

    def _unload(self, step, answer):
        instance = self.live[step.slot]
        self.unloads.append(Unload(instance.name, instance.instance_id, answer["t0"],
                                   answer["t1"], answer["ret"], instance.promised,
                                   tries=instance.tries))
        if answer["ret"] == 0:
            instance.going = True
            self.going[step.slot] = self.live.pop(step.slot)

    def _failinit(self, step, answer):
        self.unloads.append(Unload("lr_failinit", None, answer["t0"], answer["t1"], -step.n, [
            (1, step.ms, "init")]))

    def _freed(self, step, answer):
        """The referee's lines are of the unloads since the last time, in their order for each
        name."""
        waiting = [u for u in self.unloads if u.referee is None]
        for line in answer["unloads"]:
            unload = next((u for u in waiting if u.name == line[0] and u.referee is None), None)
            if unload is None:
                raise AssertionError(f"the referee saw {line}, which was not asked for")
            unload.referee = tuple(line)
            unload.freed_by_ns = answer["t1"]
        if answer["referee_losses"] != "missed 0\ntable_full 0\n" or any(
                u.referee is None for u in waiting):
            raise AssertionError(f"the referee missed an unload: {answer}")
        for slot in self.going:
            if self.seen is not None:
                self.seen.pop(slot, None)
        self.going = {}

    def _refs(self, step, answer):
        self.tracer, self.missed = step.words, 0
        self.seen, self.loads = {}, {}
        for slot, instance in self.live.items():
            counted, opened = instance.counted, instance.opened
            if "counted" in answer and slot == step.slot:  # it was busy meanwhile
                counted = Counter(answer["counted"])
                opened = answer["opened"] - 1  # the last was to read these counters
            self.seen[slot] = Seen(instance, False, instance.counted, counted, instance.opened,
                                   opened, 1, answer["t1"])
            self.loads[slot] = 1
        for slot in self.going:
            self.loads[slot] = None  # perhaps it was freed before lastref could see it

    def _unrefs(self, step, answer):
        self.seen = None

    def _record(self, step, answer):
        self.recorded_from = len(self.unloads)

    def _unrecord(self, step, answer):
        self.recorded_from = None

    def recorded(self):
        return self.unloads[self.recorded_from:]

    def _later(self, step, answer):
        self.live[step.slot].promised.append((step.n, step.ms, step.of))
        self.live[step.slot].tries += "try" in step.words

    def _program(self, step, answer):
        pass

    def _operation(self, step, answer):
        """pairs and mix leave everything as it was; what they did is in the counters."""
        if answer["ret"]:
            raise AssertionError(f"{step.text()} failed: {answer['ret']}")
        instance = self.live[step.slot]
        counter = "hard" if step.do[0] == "h" else "soft"
        if step.do in ("get", "hget"):
            instance.take(counter, step.site, step.n, (answer["t0"], answer["t1"]))
        elif step.do in ("put", "hput"):
            instance.drop(counter, step.of, step.n, step.last)
