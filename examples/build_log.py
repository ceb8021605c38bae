"""Build the demo's event log, once, from two public data sets; needs pyarrow, which Kairos itself does not.

    python examples/build_log.py --completejourney DIR --cmu DIR --out examples/data/demo.jsonl.gz

What is real and what is invented stands in `examples/data/README.md`. The same input makes the same events.
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec

from console.population import invent_consent
from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis, from_rfc3339, rfc3339
from streams.event_log import Header, Line, write

FIRST = "2016-12-31T00:00:00Z"
START = from_rfc3339("2017-01-01T12:00:00Z")
END = from_rfc3339("2018-01-01T03:47:38Z")
HERE = Path(__file__).parent
ACROSS_THE_FEED = 300
"""Households whose card payments reach the bank by its own feed."""
ECHOES = {"food_delivery": 90, "travel": 60, "ride_hailing": 60, "shopping": 60, "coupons": 30}
"""To how many further customers a spell of app use of a class is dealt: 19 phones alone show too few of these."""
PAGES = ("credit-card", "coupons", "funds", "loans", "statement")
NOTE = (
    "Real: 75,000 card purchases of the Complete Journey 2.0 (84.51 degrees, CC0), age and household of those who "
    "told, and the order of apps in CMU's app invocation sequences (Sun, Pappu, Chen, Rudnicky, SLT 2016, CC0). "
    "Invented: which customer used an app and when, the echoes of sequences, logins, page views, opt-outs, consent, "
    "and every other attribute. No public set links app use and purchases of one person: report no conversion "
    "and no uplift from this file."
)

Row = dict[str, Any]
Topic = Literal["app-usage", "transactions", "customers", "feedback"]
Purchases = dict[str, list[Millis]]


def main() -> None:
    """Read the two sets and write the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--completejourney", type=Path, required=True)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "data" / "demo.jsonl.gz")
    chosen = parser.parse_args()
    chance = Random(2017)  # noqa: S311  # the same log every time, no secret
    rows = _purchases(chosen.completejourney)
    bought: Purchases = {}
    for row in rows:
        bought.setdefault(row["customer"], []).append(row["at"])
    customers = sorted(bought)
    across = frozenset(chance.sample([c for c in customers if len(bought[c]) >= 15], ACROSS_THE_FEED))
    found = [_across_the_feed(row) if row["customer"] in across else _transaction(row) for row in rows]
    profiles = list(_profiles(customers, chosen.completejourney, chance))
    for profile in profiles:
        found += _digital_life(profile, chance)
    found += _app_usage(chosen.cmu, bought, chance)
    found += _broken(customers)
    found.sort(key=lambda line: (_arrival(line), line.topic, line.key or "", line.id or line.raw or ""))
    found = [*profiles, *found]
    print(write(chosen.out, _header(found), found), "lines in", chosen.out)


def _header(found: list[Line]) -> Header:
    counts = Counter[str](line.topic for line in found if not line.broken)
    counts.update(f"{line.type} from {line.source}" for line in found if line.type and not line.broken)
    return Header(
        "A year of a household's card, and of a phone",
        "real",
        NOTE,
        first=FIRST,
        last=rfc3339(max(map(_arrival, found))),
        counts=dict(sorted(counts.items())),
        broken=sum(bool(line.broken) for line in found),
    )


def _arrival(line: Line) -> Millis:
    return from_rfc3339(line.arrived or line.time or "")


# Purchases: real.


def _table(path: Path) -> list[Row]:
    rows: list[Row] = import_module("pyarrow.parquet").read_table(path).to_pylist()
    return rows


def _purchases(folder: Path) -> list[Row]:
    """Give a row per product bought: the set is a sample of rows, so that whole baskets cannot be put together."""
    mapped = json.loads((HERE / "data" / "categories.json").read_text(encoding="utf-8"))
    products = {row["product_id"]: row for row in _table(folder / "products.parquet")}
    found = []
    for row in _table(folder / "transactions_sample.parquet"):
        product = products.get(row["product_id"], {})
        category = mapped["product_categories"].get(product.get("product_category"))
        found.append(
            {
                "customer": _customer(row["household_id"]),
                # The set's times carry no zone; its last one shows that they are UTC.
                "at": from_rfc3339(row["transaction_timestamp"].isoformat() + "+00:00"),
                "id": f"{row['basket_id']}-{row['product_id']}",
                "store": row["store_id"],
                "minor": round(row["sales_value"] * 100),
                "category": category or mapped["departments"].get(product.get("department"), "other"),
            }
        )
    return found


def _customer(household: str) -> str:
    return f"C{int(household):06d}"


def _transaction(row: Row) -> Line:
    data = {
        "amount": row["minor"],
        "currency": "USD",
        "direction": "debit",
        "kind": "purchase",
        "card": "debit",
        "channel": "pos",
        "merchant": f"store-{row['store']}",
        "merchant_category": row["category"],
        "link": "real",
    }
    return _line("transactions", row["customer"], "transaction", row["id"], "/bank/cards", row["at"], data)


def _across_the_feed(row: Row) -> Line:
    """Write the purchase as a bank's card system might: time;customer;channel;direction;amount;currency;..."""
    store, time = f"STORE-{row['store']}", _second(row["at"])
    fields = (time, row["customer"], "POS", "DBT", f"{row['minor'] / 100:.2f}", "USD", row["category"].upper(), store)
    return Line("bank-feed", key=store, raw=";".join((*fields, f"ref-{row['id']}")), arrived=time)


# Customers: age and household are real where the set has them, everything else is invented.


def _profiles(customers: list[str], folder: Path, chance: Random) -> Iterator[Line]:
    told = {_customer(row["household_id"]): row for row in _table(folder / "demographics.parquet")}
    for customer in customers:
        real = told.get(customer, {})
        known = {"age_band": real.get("age"), "household_size": real.get("household_size")}
        attrs = {
            "mobile_bank": chance.choices(("unregistered", "registered", "active"), (40, 35, 25))[0],
            "has_credit_card": chance.random() < 0.3,
            "aum": round(chance.lognormvariate(9, 1.4)),
            **{name: value for name, value in known.items() if value},
        }
        tags = ["has_debit_card"]
        tags += ["payroll"] if chance.random() < 0.4 else []
        tags += ["has_kids"] if real.get("kids_count", "0") != "0" else []
        tags += ["homeowner"] if real.get("home_ownership") == "Homeowner" else []
        data = {
            "attrs": attrs,
            "tags": tags,
            "consent": invent_consent(chance, from_rfc3339(FIRST)),
            "do_not_contact": chance.random() < 0.01,
            "personalisation": chance.random() < 0.95,
            "link": "synthetic",
        }
        yield _line("customers", customer, "customer", f"profile-{customer}", "/bank/crm", from_rfc3339(FIRST), data)


def _digital_life(profile: Line, chance: Random) -> Iterator[Line]:
    """Invent logins, page views and a few opt-outs, as busy as the profile says."""
    customer, attrs = profile.key or "", msgspec.json.decode(profile.data)["attrs"]  # type: ignore[arg-type]  # set above
    busy = {"unregistered": 0, "registered": chance.choice((0, 0, 0, 2)), "active": chance.randint(12, 40)}
    for number in range(busy[attrs["mobile_bank"]]):
        at = chance.randrange(START, END - DAY) // DAY * DAY + chance.randrange(13 * HOUR, 27 * HOUR)
        login = {"channel": "mobile_bank", "link": "synthetic"}
        yield _line("app-usage", customer, "login", f"login-{customer}-{number}", "/bank/mobile/invented", at, login)
        if chance.random() < 0.15:
            page = {"page": chance.choice(PAGES), "link": "synthetic"}
            name, after = f"page-{customer}-{number}", at + chance.randrange(10, 120) * SECOND
            yield _line("app-usage", customer, "page_view", name, "/bank/mobile/invented", after, page)
    if chance.random() < 0.02:
        data = {"what": "opted_out", "channel": chance.choice(("*", "sms")), "purpose": "*", "simulated": True}
        at = chance.randrange(START, END)
        yield _line("feedback", customer, "feedback", f"opt-out-{customer}", "/bank/mobile/invented", at, data)


# App use: the order of apps inside a sequence is real; whose it is and when, is invented.


def _app_usage(folder: Path, bought: Purchases, chance: Random) -> Iterator[Line]:
    catalogue = json.loads((HERE / "apps.json").read_text(encoding="utf-8"))["apps"]
    with gzip.open(folder / "apps.csv.gz", "rt", encoding="utf-8") as file:
        names = {number: app for app, _, number in (text.strip().partition(";") for text in file)}
    with gzip.open(folder / "R1.csv.gz", "rt", encoding="utf-8") as file:
        sequences = [[names[number] for number in text.split()] for text in file]
    customers = chance.sample(sorted(bought), len(bought))
    first = 0
    # Neighbours in the file seem to come from the same phone, so a customer gets neighbours.
    for place in range(len(sequences)):
        if first >= len(sequences):
            break
        size = chance.randint(2, 5)
        numbered = list(enumerate(sequences[first : first + size], first))
        yield from _spell(customers[place % len(customers)], numbered, "/phones/cmu", bought, catalogue, chance)
        first += size
    for class_, copies in ECHOES.items():
        those = [(number, apps) for number, apps in enumerate(sequences) if class_ in {catalogue[app] for app in apps}]
        for customer in chance.sample(customers, copies):
            spell = [chance.choice(those) for _ in range(chance.randint(2, 5))]
            yield from _spell(customer, spell, f"/phones/cmu-echo/{class_}", bought, catalogue, chance)


def _spell(
    customer: str,
    sequences: Iterable[tuple[int, list[str]]],
    source: str,
    bought: Purchases,
    catalogue: dict[str, str],
    chance: Random,
) -> Iterator[Line]:
    """Let a customer live through some sequences within about a week, beginning around a real purchase."""
    at = min(chance.choice(bought[customer]), END - 14 * DAY) + chance.randrange(-90, 60) * MINUTE
    for turn, (number, apps) in enumerate(sequences):
        if "food_delivery" in {catalogue[app] for app in apps}:
            at = at // DAY * DAY + chance.choice((16, 22)) * HOUR + chance.randrange(100) * MINUTE
        moment = max(at, START)
        for place, app in enumerate(apps):
            moment += chance.randrange(5, 120) * SECOND
            name = f"r1-{number}-{place}-{customer}-{turn}"
            yield _line("app-usage", customer, "app_usage", name, source, moment, {"app": app, "link": "synthetic"})
        at += chance.randrange(8, 60) * HOUR


# Broken on purpose.


def _broken(customers: list[str]) -> Iterator[Line]:
    """Spread records over the year that the door must refuse, each with the code of its refusal."""
    good = '{"amount":1250,"currency":"USD","direction":"debit","merchant_category":"grocery"}'
    used = '{"app":"com.grubhub.android","link":"synthetic"}'
    card, phone = ("transactions", "transaction"), ("app-usage", "app_usage")
    cases: list[tuple[tuple[str, str], str, str, dict[str, str | None]]] = [
        (card, "invalid", '{"amount":1250,"currency":"USD","direc', {}),
        (card, "invalid", "amount=1250&currency=USD", {}),
        (phone, "invalid", '{"app":"com.grubhub.android"', {}),
        (("customers", "customer"), "invalid", '{"attrs":{"mobile_bank":', {}),
        (card, "invalid", '{"amount":"twelve","currency":"USD","direction":"debit"}', {}),
        (card, "invalid", '{"amount":-1250,"currency":"USD","direction":"debit"}', {}),
        (card, "invalid", '{"amount":12.5,"currency":"USD","direction":"debit"}', {}),
        (card, "invalid", '{"amount":1250,"currency":"dollars","direction":"debit"}', {}),
        (card, "invalid", '{"amount":1250,"currency":"USD"}', {}),
        (card, "invalid", '{"currency":"USD","direction":"debit"}', {}),
        (phone, "invalid", '{"seconds":40}', {}),
        (phone, "invalid", '["com.grubhub.android"]', {}),
        (("customers", "customer"), "invalid", '{"consent":[{"purpose":"marketing","channel":"sms"}]}', {}),
        (phone, "unknown_type", used, {"type": "weather"}),
        (card, "unknown_type", good, {"type": "transactions"}),
        (card, "unknown_type", good, {"type": None}),
        (card, "future", good, {"time": "2099-01-01T00:00:00Z"}),
        (phone, "future", used, {"time": "2099-01-01T00:00:00Z"}),
        (card, "no_key", good, {"key": None}),
        (phone, "no_key", used, {"key": None}),
        (card, "no_id", good, {"id": None}),
        (card, "no_time", good, {"time": None}),
        (phone, "invalid_time", used, {"time": "01.03.2017 12:00"}),
        (phone, "invalid_time", used, {"time": "2017-03-01T12:00:00"}),
        (phone, "empty", "", {"raw": None}),
    ]
    for number, ((topic, type_), code, raw, other) in enumerate(cases):
        arrived = _second(START + (number + 1) * (END - START) // 40)
        usual = {"key": customers[number * 7], "type": type_, "id": f"broken-{number}", "source": "/bank/broken"}
        fields = {**usual, "time": arrived, "raw": raw, "arrived": arrived, **other}
        yield msgspec.convert(
            {"topic": topic, "broken": code, **{k: v for k, v in fields.items() if v is not None}}, Line
        )
    for number, rest in enumerate(("C000031;POS;DBT", "C000031;POS;DBT;12,5O;USD;GROCERY;STORE-31;ref-1", ";;;;;;;")):
        at = _second(START + (number + 30) * (END - START) // 40)
        yield Line("bank-feed", key="STORE-31", raw=f"{at};{rest}", arrived=at, broken="feed")


def _line(topic: Topic, key: str, type_: str, id_: str, source: str, at: Millis, data: Row) -> Line:
    return Line(topic, key, type_, id_, source, _second(at), data=msgspec.Raw(msgspec.json.encode(data)))


def _second(at: Millis) -> str:
    return rfc3339(at // SECOND * SECOND).replace(".000Z", "Z")


if __name__ == "__main__":
    main()
