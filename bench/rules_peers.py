"""Other rule engines on the same rules with the same counts, in an environment made once from a hashed list."""

import json
import subprocess
import tempfile
from pathlib import Path

from bench.children import Failed
from bench.quix import environment
from bench.rules_workload import Happened, Wish, people

__all__ = ["asked_elsewhere"]

_HERE = Path(__file__).parent


def asked_elsewhere(engine: str, wishes: list[Wish], events: list[Happened], seconds: float) -> dict[str, object]:
    """Let another engine match as many of the events as it can in so many seconds.

    Raises
    ------
    Failed
        It ended without a result.

    """
    python = environment("rules", "other rule engines", print)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"rules": [_rule(wish) for wish in wishes], "events": [_event(one) for one in events]}, file)
        file.flush()
        command = [str(python), str(_HERE / "peers" / "rules_elsewhere.py"), engine, file.name, str(seconds)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line for line in said.stdout.splitlines() if line.startswith("RESULT ")]
    if not found:
        raise Failed(f"{engine} measured nothing:\n{said.stderr[-2000:]}")
    return dict(json.loads(found[0].removeprefix("RESULT ")))


def _rule(wish: Wish) -> dict[str, object]:
    who: dict[str, list[str]] = {"tag": [], "no tag": [], "segment": [], "mobile_bank": []}
    for kind, what in wish.who:
        who[kind] += [what] if isinstance(what, str) else what
    value = wish.threshold * (100 if wish.event == "transaction" else 1)
    return {
        "number": wish.number,
        "event": wish.event,
        "category": wish.categories,
        "value": value,
        "window": wish.window,
        "least": wish.least,
        "tags": who["tag"],
        "barred": who["no tag"],
        "segment": who["segment"],
        "mobile_bank": who["mobile_bank"],
    }


def _event(one: Happened) -> dict[str, object]:
    profile, data = people()[one.customer].profile, one.event.data
    value = getattr(data, "amount", getattr(data, "seconds", 0))
    counts = {f"c{name}": count for name, count in one.counts.items()}
    said = {"event": one.event.type, "category": one.event.category, "value": value, "tags": sorted(profile.tags)}
    return {**said, **counts, **profile.attrs}
