#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Validates every JSON document against its schema, and proves that broken ones are refused.

usage: schema_test.py UNIT_TESTS SCHEMA_DIR

The program UNIT_TESTS writes the documents (samples_test.cpp). The published schemas let members be
added; here none may be, so that no output goes undocumented.
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema

# Names that users' scripts depend on: without any of them a document must be refused.
STABLE = {
    "report": ["schema", "attach", "command_status", "unloads", "losses"],
    "report.unloads": [
        "module", "instance_id", "generation", "outcome", "forced", "abandoned", "errno",
        "requested_by", "requested_ns", "returned_ns", "freed_ns", "began_before_tracing", "phases",
        "free_delay_ns", "outstanding_at_return", "last_put", "complete"],
    "report.unloads.phases": ["name", "start_ns", "duration_ns"],
    "report.unloads.last_put": ["call_site", "pid", "comm"],
    "report.unloads.requested_by": ["pid", "comm"],
    "report.losses": ["events", "missed_probes", "map_full"],
    "refs": ["schema", "modules", "losses"],
    "refs.modules": ["module", "instance_id", "generation", "loaded_before_tracing", "state", "soft",
                     "hard", "call_sites"],
    "refs.modules.soft": ["refs", "explained_min", "explained_max"],
    "refs.modules.hard": ["refs"],
    "refs.modules.call_sites": ["counter", "kind", "call_site", "count", "stack", "first", "last"],
    "refs.modules.call_sites.get": ["outstanding_min", "outstanding_max", "attribution",
                                    "age_min_ns", "age_max_ns"],
    "overview": ["schema", "modules", "losses"],
    "overview.modules": ["module", "instance_id", "state", "outcome", "since_ns"],
    "why": ["schema", "module", "state", "hard", "soft", "verdict", "holders", "not_examined"],
    "why.hard": ["refs", "explained", "unexplained"],
    "why.soft": ["refs", "explained", "unexplained"],
    "why.holders": ["kind", "counter", "pins", "evidence", "refs", "path", "detail"],
    "why.not_examined": ["what", "why"],
    "event": ["schema", "ts_ns", "event", "module", "instance_id", "pid", "comm"],
}


def strict(schema):
    """A copy in which no object takes members that are not described."""
    schema = copy.deepcopy(schema)

    def visit(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                node["additionalProperties"] = False
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(schema)
    return jsonschema.Draft202012Validator(schema)


def objects(node, path):
    """Every object of a document with its path; list indices are left out."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from objects(value, path)


def refused(validator, document, node, change):
    """Whether the document is refused while `change` has been done to its part `node`."""
    before = dict(node)
    change(node)
    result = not validator.is_valid(document)
    node.clear()
    node.update(before)
    return result


def break_document(name, validator, document, broken):
    """Breaks every part of a document in every way, one at a time."""
    for path, node in list(objects(document, name)):
        stable = list(STABLE.get(path, []))
        if node.get("kind") == "get":
            stable += STABLE.get(f"{path}.get", [])
        for key in stable:
            assert refused(validator, document, node, lambda n: n.pop(key)), \
                f"accepted without {path}.{key}"
            broken.add(f"{path}.{key} removed")
        for key, value in list(node.items()):
            wrong = [{"no": "such"}]
            if isinstance(value, str):
                wrong.append(7)
            elif isinstance(value, bool):
                wrong.append("true")
            elif isinstance(value, int):
                wrong += [str(value), 0.5]
            for bad in wrong:
                assert refused(validator, document, node, lambda n: n.update({key: bad})), \
                    f"accepted with {path}.{key} = {bad!r}"
                broken.add(f"{path}.{key} = {bad!r}")
        assert refused(validator, document, node, lambda n: n.update(undocumented=1)), \
            f"accepted with an undocumented member in {path}"
    assert validator.is_valid(document), "a document was not restored"


def main():
    program, schema_dir = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as samples:
        env = dict(os.environ, LASTREF_SAMPLES=samples)
        subprocess.run([program, "--gtest_filter=Samples.*", "--gtest_brief=1"], env=env, check=True)
        for name in ("report", "refs", "overview", "event", "why"):
            schema = json.loads((schema_dir / f"{name}.json").read_text())
            jsonschema.Draft202012Validator.check_schema(schema)
            published, validator = jsonschema.Draft202012Validator(schema), strict(schema)
            lines = (Path(samples) / f"{name}.ndjson").read_text().splitlines()
            documents = [json.loads(line) for line in lines]
            broken = set()
            for document in documents:
                published.validate(document)
                validator.validate(document)
            # The largest ones have every kind of part; breaking all of them would take minutes.
            for document in sorted(documents, key=lambda d: -len(json.dumps(d)))[:6]:
                break_document(name, validator, document, broken)
            missing = [f"{path}.{key}" for path, keys in STABLE.items() for key in keys
                       if path.split(".")[0] == name
                       and f"{path.removesuffix('.get')}.{key} removed" not in broken]
            assert not missing, f"never in a document that was broken: {missing}"
            print(f"{name}: {len(documents)} documents valid, {len(broken)} ways to break one refused")


if __name__ == "__main__":
    main()
