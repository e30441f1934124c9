# SPDX-License-Identifier: GPL-2.0-only
"""One boot of `make soak-watched`: modules with soft references come and go (cycles.c) under a
running `lastref serve`, which must report every unload once, none twice and none lost, and keep no
memory for them."""

import json
import re
import time
import urllib.request

import stress  # it knows where the harness is
import figures
from harness import exporter, modules
from harness.compiled import compiled
from harness.guest import Guest

SOURCES = [stress.HERE / "cycles.c",
           *(stress.HERE / "guest" / name for name in ("copies.c", "files.c", "soak.h"))]
SAMPLE_SECONDS = 5
SETTLE_SECONDS = 60
SHAPE = {"6.12-debug": (50, 8)}  # names, and processes that load and unload them; else:
USUAL = (64, 4)
WARM_UP = 500  # cycles before the first figures: threads and caches that stay
# Of its resident memory, once the run is warm. One kept record of an unload takes more than 500.
GROWTH_BYTES = 50
# Unloads until it is warm: its memory of the last ones is full, and as many were in the air at once
# as ever will be.
WARM = 4000
UNLOADS = re.compile(r'^lastref_unloads_total\{module="(.*)",outcome="(.*)"\} (\d+)$', re.M)


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return answer.read().decode()


def value(text, name):
    """A sample without labels."""
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def unloads(text):
    """{(module, outcome): how many}."""
    return {(module, outcome): int(count) for module, outcome, count in UNLOADS.findall(text)}


def judge(text, done):
    """What lastref reports against what the program has done."""
    stress.expect("unloads by module", unloads(text),
                  {(name, "freed"): count for name, count in done.items()})
    for name in ("lastref_events_lost_total", "lastref_probe_runs_missed_total",
                 "lastref_incomplete_records_total"):
        stress.expect(name, value(text, name), 0)
    stress.expect("free delays", value(text, "lastref_unload_free_delay_seconds_count"),
                  sum(done.values()))


def judge_memory(boot):
    """The kernel's must come back, lastref's own be flat once it is warm. Returns by how many bytes
    that grew; None where it was not warm for as long as it took to become so."""
    if boot["losses"]:
        raise stress.Wrong("memory was lost: " + "; ".join(boot["losses"].values()))
    samples = boot["samples"]
    if boot["cycles"] < 2 * WARM:
        return None
    warm = next(s for s in samples if s["cycles"] >= WARM)
    grown = samples[-1]["resident_bytes"] - warm["resident_bytes"]
    after = samples[-1]["cycles"] - warm["cycles"]
    if grown > after * GROWTH_BYTES:
        raise stress.Wrong(f"lastref's resident memory grew by {grown} bytes in {after} unloads")
    return grown


def sample(text):
    return {"cycles": sum(unloads(text).values()),
            "resident_bytes": value(text, "process_resident_memory_bytes"),
            "cpu_seconds": value(text, "process_cpu_seconds_total")}


def settled(port, wanted):
    """A scrape from after the last unload was counted: an unload is, two readings of the counters
    after its end. One that does not come is found by who judges the counts."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        text = scrape(port)
        if sum(unloads(text).values()) >= wanted or time.monotonic() > until:
            time.sleep(SAMPLE_SECONDS)  # for what comes twice
            return scrape(port)
        time.sleep(1)


def one_boot(kernel, cycles, seconds=0):
    """Boots, does the cycles, for so many seconds at most if not 0, and judges the counts; raises what
    is wrong. The memory is the caller's to judge."""
    program = compiled("cycles", SOURCES)
    names, processes = SHAPE.get(kernel.name, USUAL)
    with Guest(kernel, lastref="lastref", copies={"cycles": program},
               extra_modules=modules.built(kernel, stress.HERE / "modules")) as guest:
        guest.check("insmod modules/lr_board.ko")
        guest.check(f"./cycles {min(WARM_UP, cycles)} {names} {processes}", timeout=600)
        before = figures.take(guest)
        port = exporter.reach(guest)
        serve = exporter.start(guest, 1)
        began = time.monotonic()
        job = guest.start(["./cycles", cycles, names, processes, seconds])
        samples = []
        while not job.done and not guest.is_lost:
            samples.append(sample(scrape(port)))
            time.sleep(SAMPLE_SECONDS)
        result = job.wait()
        took = time.monotonic() - began
        if result.status:
            raise stress.Wrong(f"cycles: {result.stderr}")
        done = json.loads(result.stdout)
        text = settled(port, sum(done.values()))
        samples.append(sample(text))
        judge(text, done)
        serve.signal("TERM")
        stress.expect("lastref's exit status", serve.wait().status, 0)
        after = figures.take(guest)
        guest.check("rmmod lr_board")
    return {"cycles": sum(done.values()), "names": len(done), "samples": samples,
            "memory": {"before": before.summary(), "after": after.summary()},
            "losses": figures.losses(before, after, sum(done.values())), "seconds": round(took, 1)}
