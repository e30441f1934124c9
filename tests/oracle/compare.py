# SPDX-License-Identifier: GPL-2.0-only
"""Holds what lastref says against the truth. Each function gives sentences: what is wrong."""

from model import COUNTERS
from programs import SITES

NO_LOSSES = {"events": 0, "missed_probes": 0, "map_full": 0, "missed_unknown": False,
             "soft_missed": False, "hard_missed": False}
# Two stamps of one free: any task may be put off between them, on a host that is busy. Exact delays
# are the matter of tests/vm/trace/test_delay_exact.py.
NEAR_NS = 10_000_000_000


def function_of(row):
    return row["call_site"].split("+")[0]


def missed_runs(doc):
    return doc["losses"]["missed_probes"] + doc["losses"]["map_full"]


class Books:
    """One counter of one module: what the document says of it, and what is true."""

    def __init__(self, doc, got_ns, module, seen, counter, missed_before):
        self.doc, self.got_ns, self.module = doc, got_ns, module
        self.seen, self.counter = seen, counter
        self.instance = seen.instance
        self.get, self.put = COUNTERS[counter]
        rows = [row for row in module["call_sites"] if row["counter"] == counter]
        self.before = next((r for r in rows if r.get("pseudo") == "before_tracing"), None)
        rows = [row for row in rows if "pseudo" not in row]
        self.gets = [row for row in rows if row["kind"] == "get"]
        self.puts = [row for row in rows if row["kind"] == "put"]
        self.refs = module[counter]["refs"]
        losses = doc["losses"]
        self.lossy = losses["map_full"] > 0 or (
            counter == "soft" and (losses["soft_missed"] or losses["missed_unknown"])) or (
            counter == "hard" and losses["hard_missed"])
        # Where the kernel does not count all skipped runs, a count is a lower bound, no more.
        self.vague = counter == "soft" and losses["missed_unknown"]
        self.missed = missed_runs(doc)
        # A zero is the kernel's word: what was missed before it is of no matter any more.
        if self.missed > missed_before:
            seen.no_zero.add(counter)
        if self.instance.outstanding(counter) == 0:
            seen.no_zero.discard(counter)
        self.unsure = self.lossy and (self.vague or counter in seen.no_zero)

    def say(self, text):
        return f"{self.instance.name}: {self.counter}: {text}"

    def counts(self):
        """Each site's gets and puts are those that the module counted while lastref watched."""
        missing = 0
        for kind, rows in ((self.get, self.gets), (self.put, self.puts)):
            for site in SITES:
                name = f"lr_{kind}_{site.lower()}"
                said = sum(row["count"] for row in rows if function_of(row) == name)
                now = self.instance.counted[f"{kind}.{site}"]
                least = now - self.seen.at_most[f"{kind}.{site}"]
                most = now - self.seen.at_least[f"{kind}.{site}"]
                missing += max(0, least - said)
                if said > most or (said < least and not self.lossy):
                    yield self.say(f"{name} counted {said}, the module {least}"
                                   + (f" to {most}" if most != least else ""))
        if self.lossy and not self.vague and missing > self.missed:
            yield self.say(f"{missing} operations are not counted, of {self.missed} missed")
        yield from self.others()

    def others(self):
        """What the module did not do: the driver's files, and the reference of a load's init."""
        mine = {f"lr_{kind}_{site.lower()}" for kind in (self.get, self.put) for site in SITES}
        gets = sum(row["count"] for row in self.gets if function_of(row) not in mine)
        puts = sum(row["count"] for row in self.puts if function_of(row) not in mine)
        most = least = 0
        if self.counter == "hard":
            least = self.instance.opened - self.seen.opened_at_most
            most = self.instance.opened - self.seen.opened_at_least
        init = int(self.counter == "hard" and self.seen.load_seen)
        if not self.lossy and not (least <= gets <= most and least + init <= puts <= most + init):
            yield self.say(f"elsewhere {gets} gets and {puts} puts, not {least} to {most}, and "
                           f"{init} more put")

    def totals(self):
        true = self.instance.outstanding(self.counter)
        if self.refs != true:
            yield self.say(f"{self.refs} references, not {true}")
        said = self.module[self.counter]
        if (said["explained_min"] + said["unexplained_max"] != self.refs
                or said["explained_max"] + said["unexplained_min"] != self.refs):
            yield self.say(f"its parts are not the whole: {said}")
        after = sum(self.after(site) for site in SITES)
        if not self.vague and not said["explained_min"] <= after <= said["explained_max"]:
            yield self.say(f"{after} references are from while it watched, not "
                           f"{said['explained_min']} to {said['explained_max']}")

    def after(self, site):
        """References of a site that were taken after tracing began."""
        return sum(held.n for held in self.instance.held[self.counter][site]
                   if held.since_ns[0] >= self.seen.attached_ns)

    def bounds(self):
        """The truth is within, and `exact` says that there is no other possibility."""
        for site in SITES:
            name = f"lr_{self.get}_{site.lower()}"
            row = next((r for r in self.gets if function_of(r) == name), None)
            yield from self.within(row, name, self.after(site))
            if row:
                yield from self.age(row, name, site)
        for row in self.gets:
            if not function_of(row).startswith(f"lr_{self.get}_"):
                yield from self.within(row, row["call_site"], 0)  # all those files are closed
        old = self.instance.outstanding(self.counter) - sum(map(self.after, SITES))
        yield from self.within(self.before, "from before", old)

    def within(self, row, name, true):
        if row is None:
            if true and not self.vague:
                yield self.say(f"{name} holds {true}, and is not there")
            return
        low, high = row["outstanding_min"], row["outstanding_max"]
        exact = row["attribution"] == "exact"
        if not self.vague and not low <= true <= high:
            yield self.say(f"{name} holds {true}, not {low} to {high}")
        if exact and (low != high or self.unsure):
            yield self.say(f"{name} is called exact with {low} to {high}, "
                           f"{'with' if self.unsure else 'without'} losses since it was 0")
        if low == high and not exact and not self.lossy:
            yield self.say(f"{name} is not called exact, but nothing else is possible than {low}")

    def age(self, row, name, site):
        """The oldest of its references is as old as it says."""
        held = [h for h in self.instance.held[self.counter][site]
                if h.since_ns[0] >= self.seen.attached_ns]
        if not held or self.vague:
            return
        # Its clock was read between the snapshot's begin and the arrival of the document.
        youngest = int(self.doc["ts_ns"]) - held[0].since_ns[1]
        oldest = self.got_ns - held[0].since_ns[0]
        least, most = row["age_min_ns"], row["age_max_ns"]
        if most is not None and most < youngest:
            yield self.say(f"{name}: at most {most} ns old, but it is {youngest} at least")
        if least is not None and least > oldest:
            yield self.say(f"{name}: at least {least} ns old, but it is {oldest} at most")

    def tight(self):
        """No wider than the arithmetic allows, once a zero is known and nothing is from before."""
        gets = {site: self.instance.counted[f"{self.get}.{site}"] for site in SITES}
        others = self.instance.opened if self.counter == "hard" else 0
        zero = self.seen.zero.get(self.counter)
        sure = not self.lossy and self.doc["losses"]["missed_probes"] == 0
        if zero is not None and sure:
            taken = {site: gets[site] - zero[site] for site in SITES}
            files = others - zero["files"]
            everything = sum(taken.values()) + files
            for row in self.gets:
                site = next((s for s in SITES if function_of(row) == f"lr_{self.get}_{s.lower()}"),
                            None)
                if site is None:
                    continue
                most = min(taken[site], self.refs)
                least = max(0, self.refs - (everything - taken[site]))
                # Narrower is no fault: it may have seen another zero; the truth is asked elsewhere.
                if row["outstanding_min"] < least or row["outstanding_max"] > most:
                    yield self.say(f"{function_of(row)} holds {row['outstanding_min']} to "
                                   f"{row['outstanding_max']}: it must say {least} to {most} or less")
        here = {**gets, "files": others}
        # A load starts with a zero; else two documents in a row are needed to be sure of one.
        known = self.seen.load_seen or self.seen.gets_before.get(self.counter) == here
        if self.refs == 0 and known and sure:
            self.seen.zero[self.counter] = here
        self.seen.gets_before[self.counter] = here

    def all(self):
        yield from self.counts()
        yield from self.totals()
        yield from self.bounds()
        yield from self.tight()


def refs(doc, got_ns, truth):
    """A document that was asked for after a step, against what is true since that step."""
    counters = {"both": ("soft", "hard")}.get(truth.tracer[2], (truth.tracer[2],))
    modules = {module["module"]: module for module in doc["modules"]}
    for slot, instance in truth.live.items():
        module = modules.pop(instance.name, None)
        if module is None:
            yield f"{instance.name} is loaded, and is not there"
            continue
        seen = truth.seen[slot]
        said = (module["instance_id"], module["loaded_before_tracing"], module["state"])
        if said != (instance.instance_id, not seen.load_seen, "live"):
            yield f"{instance.name}: {said}, but it is instance {instance.instance_id}"
        if seen.generation and module["generation"] != seen.generation:
            yield f"{instance.name}: generation {module['generation']}, not {seen.generation}"
        for counter in counters:
            yield from Books(doc, got_ns, module, seen, counter, truth.missed).all()
    for slot, instance in truth.going.items():
        module = modules.pop(instance.name, None)
        if module is not None:
            yield from going(module, instance)
    modules.pop("lr_failinit", None)
    truth.missed = missed_runs(doc)
    for name in modules:
        yield f"{name} is there, and is not loaded"
    yield from no_losses(doc)


def no_losses(doc):
    """Tracepoints have none at all; what other means miss are runs of probes."""
    never = NO_LOSSES if doc["attach"] == "tracepoint" else ("events", "map_full", "hard_missed")
    losses = {**NO_LOSSES, **{what: doc["losses"][what] for what in never}}
    if losses != NO_LOSSES:
        yield f"losses by {doc['attach']}: {losses}"


def going(module, instance):
    """Its puts are on their way, so only what they cannot change is known."""
    true = instance.outstanding("soft") + instance.tries
    if module["instance_id"] != instance.instance_id or module["state"] == "coming":
        yield f"{instance.name}: another instance is going: {module['instance_id']}"
    soft = module["soft"]
    if soft is not None and not 0 <= soft["refs"] <= true:
        yield f"{instance.name}: {soft['refs']} references while going, of {true}"
    for row in module["call_sites"]:
        if row["counter"] == "soft" and row["kind"] == "get" and row["outstanding_min"] > true:
            yield f"{instance.name}: {row['call_site']} holds {row['outstanding_min']} of {true}"


def report(doc, unloads):
    """A recording's report, against the driver's stamps and the referee's."""
    yield from no_losses(doc)
    for name in sorted({u.name for u in unloads} | {r["module"] for r in doc["unloads"]}):
        mine = [u for u in unloads if u.name == name]
        theirs = sorted((r for r in doc["unloads"] if r["module"] == name),
                        key=lambda r: int(r["requested_ns"] or r["freed_ns"] or 0))
        if len(mine) != len(theirs):
            yield f"{name}: {len(theirs)} unloads reported, not {len(mine)}"
            continue
        for unload, record in zip(mine, theirs):
            if not record["complete"] and doc["losses"] == NO_LOSSES:
                yield f"{name}: called incomplete: {record['incomplete']}"
            for text in one_unload(unload, record):
                yield f"{name}, unload at {unload.began_ns}: {text}"


def one_unload(unload, record):
    outcome = ("freed", None) if unload.ret == 0 or unload.name == "lr_failinit" else \
        ("refused", -unload.ret)
    if (record["outcome"], record["errno"] or None) != outcome:
        yield f"{record['outcome']}, errno {record['errno']}, not {outcome}"
        return
    if unload.instance_id is not None and record["instance_id"] != unload.instance_id:
        yield f"instance {record['instance_id']}, not {unload.instance_id}"
    if unload.name != "lr_failinit":
        for what in ("requested_ns", "returned_ns"):
            if not unload.began_ns <= int(record[what]) <= unload.returned_ns:
                yield f"{what} {record[what]} is not within the call"
    if outcome[0] == "freed":
        yield from the_free(unload, record)
        yield from the_puts(unload, record)


def the_free(unload, record):
    if record["freed_ns"] is None:
        yield "its free was not seen"
        return
    freed = int(record["freed_ns"])
    if not unload.began_ns <= freed <= unload.freed_by_ns:
        yield f"freed at {freed}: not between its request and {unload.freed_by_ns}"
    if abs(freed - unload.referee[4]) > NEAR_NS:
        yield f"freed at {freed}, the referee says {unload.referee[4]}"
    if unload.name != "lr_failinit":
        delay = max(0, freed - int(record["returned_ns"]))
        if record["free_delay_ns"] != delay:
            yield f"the free was delayed by {record['free_delay_ns']}, not {delay}"
    phases = record["phases"]
    at = int(phases[0]["start_ns"])
    for phase in phases:
        if int(phase["start_ns"]) != at:
            yield f"its phases have a gap: {phases}"
        at = int(phase["start_ns"]) + phase["duration_ns"]
    if at != freed:
        yield f"its phases end at {at}, not when it is freed, at {freed}"


def the_puts(unload, record):
    """What was outstanding when it began to go, and every put of it."""
    promised = sum(n for n, _, _ in unload.promised)
    if record["outstanding_at_exit"] is None:
        if promised:
            yield f"{promised} references were outstanding; nothing is said of them"
        return
    at_exit, at_return = record["outstanding_at_exit"], record["outstanding_at_return"]
    puts = len(record["puts"]) + record["puts_omitted"]
    if puts != at_exit:
        yield f"{at_exit} references at exit, and {puts} puts"
    if at_exit > promised + unload.tries:
        yield f"{at_exit} references at exit, of {promised}"
    if unload.name == "lr_failinit":
        return
    if not 0 <= at_return <= at_exit:
        yield f"{at_return} references at the return, of {at_exit} at exit"
    # A timer that cannot have run by then has not put; twice over, for the tick may lag.
    took_ms = (unload.returned_ns - unload.began_ns) / 1e6
    kept = sum(n for n, ms, _ in unload.promised if ms > 2 * took_ms + 10)
    if at_return < kept:
        yield f"{at_return} references at the return: {kept} were promised for later"
    if at_return > 0 and record["free_delay_ns"] == 0:
        yield f"{at_return} references at the return, and no delay"
