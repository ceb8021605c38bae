"""The recorded sentences, of the shipped rules and of one with everything; `python -m tests.sentences --write`."""

import sys
from pathlib import Path
from typing import Any

from console.rule_files import read_rules
from rules.saying import LANGUAGES
from rules.schema import Rule
from rules.sentence import sentence
from rules.whole import whole
from tests.rules_strategies import book_of

GOLDEN = Path(__file__).parent / "data" / "sentences.txt"
# The forty rules of a table say the same of forty shops, so they are not recorded.
EXAMPLES = sorted(
    path for path in (Path(__file__).parent.parent / "examples" / "rules").glob("*.yaml") if path.stem != "shops"
)

EVERYTHING: dict[str, Any] = {
    "id": "everything",
    "name": "样样都有",
    "scenario": "aum_uplift",
    "programme": "wealth",
    "status": "draft",
    "valid": {"from": "2026-12-01", "until": "2027-02-28"},
    "purpose": "service",
    "on": {
        "event": "transaction",
        "where": {
            "merchant_category": ["dining", "grocery"],
            "amount": {"at_least": "30.50", "below": 2000},
            "card": {"not": "credit"},
            "coupon": {"exists": False},
            "at": {"time": ["11:00-13:30", "21:00-02:00"], "days": "mon-wed"},
            "near": {"lat": 31.2304, "lon": 121.4737, "radius": "2km"},
        },
    },
    "who": {
        "all": [
            {"attr": {"mobile_bank": ["active", "registered"], "age": {"at_least": 18, "at_most": 60}}},
            {"any": [{"tag": "payroll"}, {"attr": {"aum": {"above": 5000}, "vip": True}}]},
            {"not": {"all": [{"tag": "staff"}, {"attr": {"branch": "010"}}]}},
            {"score": {"model": "reaction", "at_least": 0.2}},
        ]
    },
    "when": {
        "any": [
            {"count": {"same_as": "on", "within": "30d", "at_least": 2, "at_most": 9}},
            {
                "all": [
                    {"count": {"event": "page_view", "where": {"page": "funds"}, "days": 7, "at_most": 3}},
                    {"not": {"last_seen": {"event": "login", "within": "90m"}}},
                ]
            },
        ]
    },
    "warm": "accept",
    "then": {
        "offer": {"product": "fixed-deposit-6m", "pool": "noodles-5"},
        "channels": ["push", "sms", "list"],
        "template": "wealth",
        "text": {"zh": "定期6个月", "en": "A deposit for six months"},
        "expires": "36h",
        "objective": "deposit",
        "wait": "5d",
        "reactions": ["opened", "converted"],
    },
    "limits": {"cooldown": "14d"},
    "fresh": "1h",
    "priority": {
        "level": "default",
        "value": 35,
        "context": [{"event": "transaction", "where": {"channel": "app"}, "times": 1.5}],
    },
    "experiment": {
        "control": "12.5%",
        "salt": "winter",
        "treatments": [
            {"name": "warm", "share": "30%", "offer": {"product": "fund", "pool": "noodles-5"}, "channels": ["sms"]},
            {"name": "bold", "share": "20%", "template": "bold", "text": {"zh": "限时", "en": "Only now"}},
            {
                "name": "spoken",
                "share": "10%",
                "template": "spoken",
                "with": {"code": {"coupon": "code"}, "least": 100},
            },
        ],
    },
}
"""A rule that says all that can be said."""


def said() -> str:
    """Say every rule in its short and its whole form."""
    read = [read_rules(path) for path in EXAMPLES]
    found = [(rule, files.places[rule.id].zone) for files in read for rule in files.book.rules.values()]
    found += [(rule, "Asia/Shanghai") for rule in book_of(EVERYTHING).rules.values()]
    return "\n".join(_rule(rule, zone) for rule, zone in found)


def _rule(rule: Rule, zone: str) -> str:
    lines = [line for language in LANGUAGES for line in (sentence(rule, language), whole(rule, language, zone))]
    return "\n".join([rule.id, *lines, ""])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        GOLDEN.write_text(said(), encoding="utf-8", newline="\n")
    else:
        print(said())
