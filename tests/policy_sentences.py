"""The recorded sentences of the shipped policy and of a full one; `python -m tests.policy_sentences --write`."""

import sys
from pathlib import Path
from typing import Any

from rules.policy import Policy, load_policy
from rules.policy_saying import policy_lines
from rules.saying import LANGUAGES

GOLDEN = Path(__file__).parent / "data" / "policy_sentences.txt"
SHIPPED = Path(__file__).parent.parent / "examples" / "policy.yaml"

EVERYTHING: dict[str, Any] = {
    "format": 1,
    "zone": "Asia/Shanghai",
    "customer_zone": "home",
    "hours": {"sms": "09:00-20:30", "push": "21:00-08:00", "list": "09:00-18:00"},
    "classes": {"loans": {"products": ["cash-loan", "credit-card"], "hours": {"sms": "10:00-12:00"}}},
    "calendar": [
        {"name": "春节", "from": "2027-02-05", "until": "2027-02-11", "channels": ["sms"], "classes": ["loans"]},
        {"name": "清明", "on": "2027-04-05"},
    ],
    "caps": {
        "sms": [{"within": "1d", "at_most": 1}, {"within": "7d", "at_most": 2}],
        "push": {"within": "7d", "at_most": 4},
        "list": {"within": "30d", "at_most": 1},
    },
    "overall": {"within": "7d", "at_most": 5},
    "gap": "4h",
    "purposes": {
        "marketing": {"caps": {"within": "30d", "at_most": 8}},
        "service": {"bypass": ["hours", "caps"], "because": "合同约定"},
    },
    "ignored": {"after": 3, "within": "3d", "rest": "30d"},
    "testers": {"customers": ["T1"], "tag": "colleague"},
    "control": {"everywhere": "2%", "salt": "y2027", "programmes": {"lunch": "12.5%"}},
    "losers": "10%",
}
"""A policy that says all that can be said."""


def said() -> str:
    """Say both policies in both languages."""
    shipped = load_policy(SHIPPED.read_bytes())
    assert isinstance(shipped, Policy)
    both = (shipped, Policy.model_validate(EVERYTHING, context={"zone": "Asia/Shanghai"}))
    return "\n\n".join("\n".join(policy_lines(one, language)) for one in both for language in LANGUAGES) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        GOLDEN.write_text(said(), encoding="utf-8", newline="\n")
    else:
        print(said())
