"""Rules in another engine: `rules_elsewhere.py zen|cel FILE SECONDS`; says how long an event took and what matched.

It runs in an environment without Kairos, on what `bench.rules_peers` wrote down.
"""

import json
import sys
import time
from pathlib import Path


def zen(rules):
    """One decision table, of which ZenEngine collects every row that fits; the loader is static."""
    from zen import ZenEngine

    columns = ["event", "category", "value", "segment", "mobile_bank", "c1h", "c1d", "c7d", "c30d"]
    inputs = [{"id": name, "name": name, "field": name} for name in columns]
    table = {
        "hitPolicy": "collect",
        "inputs": [*inputs, {"id": "tags", "name": "tags", "field": ""}],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [_row(rule) for rule in rules],
    }
    kinds = {"in": ("inputNode", None), "table": ("decisionTableNode", table), "out": ("outputNode", None)}
    nodes = [
        {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}, "content": content or {}}
        for name, (kind, content) in kinds.items()
    ]
    edges = [
        {"id": f"{one}-{two}", "sourceId": one, "targetId": two, "type": "edge"}
        for one, two in (("in", "table"), ("table", "out"))
    ]
    graph = {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}
    engine = ZenEngine({"loader": {"type": "static", "content": {"rules": graph}}})
    return lambda event: sorted(row["rule"] for row in engine.evaluate("rules", event)["result"])


def _row(rule):
    words = {name: ",".join(map(json.dumps, rule[name])) for name in ("category", "segment", "mobile_bank")}
    tags = [f"contains(tags, {json.dumps(tag)})" for tag in rule["tags"]]
    tags += [f"not contains(tags, {json.dumps(tag)})" for tag in rule["barred"]]
    return {
        "_id": str(rule["number"]),
        "event": json.dumps(rule["event"]),
        **words,
        "value": f">= {rule['value']}",
        f"c{rule['window']}": f">= {rule['least']}",
        "tags": " and ".join(tags),
        "rule": str(rule["number"]),
    }


def cel(rules):
    """One compiled program for each rule, all asked in turn: CEL has no table of rules."""
    import cel as engine

    programs = [(rule["number"], engine.compile(_expression(rule))) for rule in rules]
    return lambda event: [number for number, program in programs if program.execute(event)]


def _expression(rule):
    parts = [f"event == {json.dumps(rule['event'])}"]
    words = ("category", "segment", "mobile_bank")
    parts += [f"{name} in {json.dumps(rule[name])}" for name in words if rule[name]]
    parts += [f"value >= {rule['value']}", f"c{rule['window']} >= {rule['least']}"]
    parts += [f"{json.dumps(tag)} in tags" for tag in rule["tags"]]
    parts += [f"!({json.dumps(tag)} in tags)" for tag in rule["barred"]]
    return " && ".join(parts)


def main():
    """Build, ask for so many seconds, and tell."""
    name, file, seconds = sys.argv[1:]
    given = json.loads(Path(file).read_text())
    began = time.process_time()
    match = {"zen": zen, "cel": cel}[name](given["rules"])
    match(given["events"][0])
    built = time.process_time() - began
    found, limit, began = [], time.perf_counter() + float(seconds), time.process_time()
    for event in given["events"]:
        found.append(match(event))
        if time.perf_counter() > limit:
            break
    took = time.process_time() - began
    print("RESULT " + json.dumps({"micros": took / len(found) * 1e6, "built": built, "found": found}))


if __name__ == "__main__":
    main()
