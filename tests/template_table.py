"""Templates that say all that can be said, and a few ways to change them."""

from copy import deepcopy
from typing import Any

import yaml

from rules.template_checks import load_templates
from rules.templates import Templates

EVERYTHING: dict[str, Any] = {
    "format": 1,
    "zone": "Asia/Shanghai",
    "currency": "CNY",
    "language": {"attribute": "language", "otherwise": "zh"},
    "words": {"cafe": {"zh": "咖啡店", "en": "the cafe"}},
    "gateways": {
        "platform": {
            "channel": "sms",
            "approves": True,
            "sender": {"zh": "【银行】", "en": "[Bank] "},
            "sender_added": True,
            "opt_out": {"zh": "退订回复T", "en": "Reply T to stop", "purposes": ["marketing"]},
            "segments": 2,
            "length": 300,
            "variables": {"length": 60, "links": False},
            "price": "0.05",
        },
        "app": {"channel": "push", "html": True, "length": 200, "price": "0.01 USD"},
    },
    "templates": {
        "coupon": {
            "name": "发券",
            "parameters": {
                "shop": {"type": "word", "length": 10, "example": "cafe"},
                "value": {"type": "money", "length": 6, "currency": "CNY", "example": 15.5},
                "code": {"type": "code", "length": 20},
                "until": {"type": "date"},
                "who": {"type": "text", "length": 8},
                "page": {"type": "link", "length": 40, "under": "https://m.bank.example/"},
            },
            "texts": {
                "sms": {
                    "zh": "凭{{ code }}在{{ shop }}减{{ value }}元，{{ until }}前有效，退订回复T",
                    "en": "{{ code }}: {{ value }} yuan off at {{ shop }} until {{ until }}. Reply T to stop",
                },
                "push": {"zh": "<b>{{ who }}</b>，{{ shop }}减{{ value }}元：{{ page }}"},
            },
            "registered": {
                "platform": {
                    "zh": {"status": "approved", "id": "S1"},
                    "en": {"status": "rejected", "reason": "too long"},
                }
            },
        }
    },
}


def with_(path: str, value: Any) -> dict[str, Any]:
    """Give the templates with one place changed; None takes it away."""
    changed = deepcopy(EVERYTHING)
    *way, last = path.split(".")
    part: Any = changed
    for step in way:
        part = part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return changed


def templates_of(said: dict[str, Any]) -> Templates:
    """Read templates, which must be right."""

    loaded = load_templates(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
    assert loaded.templates is not None, [str(problem) for problem in loaded.problems]
    return loaded.templates


def wrong_with(said: dict[str, Any]) -> list[str]:
    """Give what is wrong with templates, without the places."""

    loaded = load_templates(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
    return [problem.what for problem in loaded.problems]
