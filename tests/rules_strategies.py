"""Rule files and the lives of customers, drawn from a small world in which things meet."""

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from kairos.customer import Standing
from kairos.events import AppUsage, Event, Login, Profile, Transaction
from kairos.instants import DAY
from rules.book import Book, load

unhurried = settings(deadline=None)
"""For laws that read a whole rule file in each example: a busy machine is no failure."""
NOON = 1796097600000
CLASSES = ("food_delivery", "travel", "it's; import os #")
CATEGORIES = ("grocery", "fuel", 'quo"te\\')
TAGS = ("has_debit_card", "vip", "a'b")
bounds = st.fixed_dictionaries(
    {}, optional={name: st.integers(0, 90) for name in ("at_least", "at_most", "above", "below")}
).filter(bool)


def one_of(values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2)
    return st.one_of(st.sampled_from(values), some, some.map(lambda these: {"not": these}))


amounts = st.one_of(
    st.sampled_from([30, "30.50", "60 JPY"]),
    bounds,
    st.sampled_from([{"not": 30}, {"at_least": "50 JPY"}, {"not": ["30", "60"], "below": 80}]),
)
clocks = st.sampled_from(
    [
        {"time": "11:30-12:30"},
        {"time": ["23:00-12:05", "12:10-12:20"]},
        {"days": "tue"},
        {"days": "sat-mon", "zone": "UTC"},
    ]
)
near = st.sampled_from([{"lat": 31.2, "lon": 121.4, "radius": "2km"}, {"lat": -90, "lon": 0, "radius": "500m"}])
there = st.sampled_from([{"exists": True}, {"exists": False}])
app_use = st.fixed_dictionaries(
    {"event": st.just("app_usage")},
    optional={
        "where": st.fixed_dictionaries(
            {},
            optional={
                "app_class": one_of(CLASSES) | there,
                "app": one_of(("a", "b")),
                "seconds": bounds | there,
                "at": clocks,
                "near": near,
            },
        )
    },
)
transaction = st.fixed_dictionaries(
    {"event": st.just("transaction")},
    optional={
        "where": st.fixed_dictionaries(
            {},
            optional={
                "merchant_category": one_of(CATEGORIES),
                "card": one_of(("debit", "credit")),
                "amount": amounts,
                "at": clocks,
                "currency": one_of(("CNY", "JPY")),
            },
        )
    },
)
selectors = st.one_of(app_use, transaction, st.just({"event": "login"}))
watched: st.SearchStrategy[dict[str, Any]] = st.one_of(st.just({"same_as": "on"}), selectors)
windows = st.sampled_from(["1s", "10s", "1m", "1h"])
numbers = st.one_of(
    st.integers(1, 5).map(lambda n: {"at_least": n}),
    st.integers(0, 4).map(lambda n: {"at_most": n}),
    st.integers(1, 3).map(lambda n: {"at_least": n, "at_most": n + 1}),
)
lengths: st.SearchStrategy[dict[str, Any]] = windows.map(lambda w: {"within": w}) | st.tuples(
    st.integers(1, 3), st.sampled_from([{}, {"zone": "UTC"}])
).map(lambda t: {"days": t[0], **t[1]})
spans: st.SearchStrategy[dict[str, Any]] = lengths | st.sampled_from(
    [{"within": "3h"}, {"within": "7d"}, {"within": "8d"}, {"days": 9, "zone": "UTC"}]
)
FIELDS = {"transaction": "amount", "app_usage": "seconds", "login": None}
TEXTS = {"transaction": ("merchant", "card"), "app_usage": ("app", "app_class"), "login": ("channel",)}
AGGREGATES = ("sum", "avg", "min", "max")


def aggregates(on: str) -> st.SearchStrategy[dict[str, Any]]:
    """What an amount or a number comes to, of the trigger's own events where those have one."""
    same: dict[str, Any] = {"same_as": "on"}
    own = [st.just((same, on))] if FIELDS[on] else []
    of = st.one_of(*own, (app_use | transaction).map(lambda found: (found, found["event"])))
    return st.tuples(st.sampled_from(AGGREGATES), of, spans, bounds).map(
        lambda t: {t[0]: {**t[1][0], "field": FIELDS[t[1][1]], **t[2], **t[3]}}
    )


def distincts(on: str) -> st.SearchStrategy[dict[str, Any]]:
    """How many different values there were."""
    own: dict[str, Any] = {"same_as": "on"}
    of = st.just((own, on)) | selectors.map(lambda found: (found, found["event"]))
    return st.tuples(of, st.integers(0, 1), spans, numbers).map(
        lambda t: {"distinct": {**t[0][0], "field": TEXTS[t[0][1]][t[1] % len(TEXTS[t[0][1]])], **t[2], **t[3]}}
    )


steps = st.lists(watched, min_size=2, max_size=5) | st.lists(selectors, min_size=1, max_size=3).map(
    lambda found: [*found, {"same_as": "on"}]
)
counted = st.one_of(
    st.tuples(watched, lengths, numbers).map(lambda t: {"count": {**t[0], **t[1], **t[2]}}),
    st.tuples(watched, st.sampled_from(["within", "at_least"]), windows).map(
        lambda t: {"last_seen": {**t[0], t[1]: t[2]}}
    ),
)
in_time = counted | st.tuples(watched, st.none() | windows).map(
    lambda t: {"first": t[0] if t[1] is None else {**t[0], "in": t[1]}}
)
plain = in_time | st.tuples(windows, steps).map(lambda t: {"sequence": {"within": t[0], "steps": t[1]}})


def tied(on: str) -> st.SearchStrategy[dict[str, Any]]:
    """Steps of the trigger's kind that say in some field what it says."""
    kinds = st.lists(watched.filter(lambda found: found.get("event", on) == on), min_size=2, max_size=3)
    same = st.sampled_from([*TEXTS[on], list(TEXTS[on])])
    return st.fixed_dictionaries({"within": windows, "steps": kinds, "same": same}).map(lambda s: {"sequence": s})


def pasts(on: str) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions on the past for a trigger of this type; a log in columns can tell them all."""
    return st.one_of(plain, plain, aggregates(on), distincts(on), tied(on))


def joined(clauses: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions joined by all, any and not, a few levels deep."""
    return st.recursive(
        clauses,
        lambda inner: st.one_of(
            inner.map(lambda clause: {"not": clause}),
            st.lists(inner, min_size=1, max_size=2).map(lambda some: {"any": some}),
            st.lists(inner, max_size=2).map(lambda some: {"all": some}),
        ),
        max_leaves=4,
    )


whens = joined(pasts("app_usage"))
asked = st.one_of(
    st.sampled_from(TAGS).map(lambda tag: {"tag": tag}),
    st.fixed_dictionaries(
        {},
        optional={
            "age": st.one_of(st.integers(20, 40), bounds, st.just({"not": 30})),
            "mobile_bank": one_of(("active", "registered")),
            "has_card": st.booleans(),
            "zip": there,
        },
    )
    .filter(bool)
    .map(lambda attr: {"attr": attr}),
)
whos = joined(asked)
_SHARED = {
    frozenset({"app_usage"}): ["app", "app_class", "link"],
    frozenset({"transaction"}): ["card", "merchant_category", "currency"],
    frozenset({"login"}): ["channel"],
    frozenset({"transaction", "login"}): ["channel"],
    frozenset({"app_usage", "transaction"}): ["link"],
}
"""The texts that two kinds of events both tell."""


@st.composite
def absences(draw: st.DrawFn, on: dict[str, Any]) -> list[dict[str, Any]]:
    """What must not follow, or nothing."""
    if draw(st.booleans()):
        return []
    found = draw(selectors)
    shared = _SHARED.get(frozenset({on["event"], found["event"]}), [])
    same = draw(st.lists(st.sampled_from(shared), max_size=2)) if shared else []
    where = found.get("where", {}) | {name: {"same_as": "on"} for name in same}
    waits: dict[str, Any] = {"for": draw(windows), "rearm": draw(st.sampled_from(["keep", "restart"]))}
    waits |= {} if same else draw(st.sampled_from([{}, {"or": [{"event": "login"}]}, {"or": [on]}]))
    return [{"absent": {"event": found["event"], "where": where, **waits}}]


@st.composite
def rules(draw: st.DrawFn, number: int, *, consumes: bool = True, waits: bool = True) -> dict[str, Any]:
    on = draw(selectors)
    when = draw(st.lists(joined(pasts(on["event"])), max_size=2))
    sums = any(f'"{kind}"' in json.dumps(when) for kind in AGGREGATES)
    return {
        "id": f"rule-{number}",
        "name": "a rule",
        "scenario": "activation",
        "programme": draw(st.sampled_from(["one", "two"])),
        "status": draw(st.sampled_from(["active", "active", "active", "paused", "draft"])),
        "on": on,
        "who": {"all": draw(st.just([]) | st.lists(whos, max_size=2))},
        "when": {"all": [*when, *(draw(absences(on)) if waits else [])]},
        "consume": not sums and consumes and draw(st.booleans()),
        "then": {
            "offer": {"product": "thing"},
            "channels": draw(st.permutations(["sms", "push", "list"]))[: draw(st.integers(1, 3))],
            "template": "t",
            "text": {"zh": "好", "en": "good"},
            "expires": "2h",
        },
        "limits": {"cooldown": draw(st.sampled_from(["0s", "1m", "1h"]))},
        "warm": draw(st.sampled_from(["wait", "accept", "replay"])),
        "experiment": {"control": draw(st.sampled_from(["0%", "50%"]))},
    }


def written(*found: dict[str, Any]) -> str:
    """Write rules as a file; JSON is YAML."""
    return json.dumps({"format": 1, "zone": "Asia/Shanghai", "currency": "CNY", "rules": found}, ensure_ascii=False)


def book_of(*found: dict[str, Any]) -> Book:
    loaded = load({"rules.yaml": written(*found)})
    assert loaded.book is not None, [str(problem) for problem in loaded.problems]
    return loaded.book


books = (
    st.integers(1, 4)
    .flatmap(lambda count: st.tuples(*(rules(number) for number in range(count))))
    .map(lambda found: book_of(*found))
)

_app_use = st.builds(
    AppUsage,
    app=st.sampled_from(["a", "b"]),
    app_class=st.none() | st.sampled_from(CLASSES),
    seconds=st.none() | st.integers(0, 90),
    lat=st.none() | st.floats(31.19, 31.23),
    lon=st.none() | st.floats(121.39, 121.43),
)
_transaction = st.builds(
    Transaction,
    amount=st.sampled_from([0, 30, 60, 3000, 3050, 6000, 9000]),
    currency=st.sampled_from(["CNY", "JPY"]),
    direction=st.just("debit"),
    card=st.none() | st.sampled_from(["debit", "credit"]),
    merchant=st.none() | st.sampled_from(["a", "b", "c"]),
    merchant_category=st.none() | st.sampled_from(CATEGORIES),
)


def event_of(data: AppUsage | Transaction | Login, at: int) -> Event:
    if isinstance(data, AppUsage):
        return Event("00" * 16, "app_usage", at, "c7", data.app_class, data)
    if isinstance(data, Transaction):
        return Event("00" * 16, "transaction", at, "c7", data.merchant_category, data)
    return Event("00" * 16, "login", at, "c7", None, data)


events = st.builds(
    event_of,
    st.one_of(_app_use, _transaction, st.just(Login())),
    st.one_of(st.integers(0, 20_000), st.integers(0, 4_000_000), st.integers(0, 10 * DAY)).map(
        lambda later: NOON + later
    ),
)


class Since(dict[str, int]):
    """Since when features are remembered: all of them since the same second."""

    def __init__(self, second: int) -> None:
        super().__init__()
        self._second = second

    def __missing__(self, key: str) -> int:
        return self._second


memories = st.builds(Since, st.sampled_from([0, 30, 4000, 10**6]).map(lambda ago: NOON // 1000 - ago))
lives = st.lists(events, min_size=1, max_size=14)
standings = st.builds(
    lambda attrs, tags, talked: Standing(Profile(attrs=attrs, tags=tags, personalisation=talked)),
    st.fixed_dictionaries(
        {},
        optional={
            "age": st.one_of(st.integers(20, 40), st.floats(20, 40), st.just("30"), st.booleans()),
            "mobile_bank": st.sampled_from(["active", "registered", "none"]),
            "has_card": st.one_of(st.booleans(), st.integers(0, 1)),
            "zip": st.just("200000"),
        },
    ),
    st.frozensets(st.sampled_from(TAGS)),
    st.booleans(),
)
