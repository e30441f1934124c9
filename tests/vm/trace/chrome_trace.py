# SPDX-License-Identifier: GPL-2.0-only
"""The rules of the Trace Event Format, as far as lastref uses it; each is an assertion.

tests/unit/chrome_trace_test.cpp has them for the streams.
"""

import json

FIELDS = {"b": {"cat", "id"}, "e": {"cat", "id"}, "C": {"args"}, "i": {"s"}, "M": {"args"}}
METADATA = {"process_name": ("name", str), "thread_name": ("name", str),
            "process_sort_index": ("sort_index", int)}


def parse(text):
    """The events of a trace that keeps the rules; metadata first."""
    trace = json.loads(text)
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events = trace["traceEvents"]
    named, used, open_slices, last = set(), set(), {}, 0
    for event in events:
        assert event["ph"] in FIELDS, event
        assert {"name", "pid", "tid"} | FIELDS[event["ph"]] <= set(event), event
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int), event
        if event["ph"] == "M":
            key, kind = METADATA[event["name"]]
            assert isinstance(event["args"][key], kind), event
            named |= {event["pid"]} if event["name"] == "process_name" else set()
            continue
        assert event["ts"] >= last, event  # microseconds
        last = event["ts"]
        used.add(event["pid"])
        if event["ph"] == "C":
            assert all(isinstance(value, int) for value in event["args"].values()), event
        if event["ph"] in "be":
            stack = open_slices.setdefault((event["cat"], event["id"]), [])
            if event["ph"] == "b":
                stack.append(event["name"])
            else:
                assert stack and stack.pop() == event["name"], event
    assert not any(open_slices.values()), open_slices
    assert named == used
    return events
