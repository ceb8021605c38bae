"""The second judge of a soak: plain recounts over topics read with kafka-python, sharing no code with the product."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from tests import recount
from tests.recount import Json, Row
from tests.soak.closures import About, Shut, check_closed
from tests.soak.laws import Books, Entry, check_caps, check_tiles, entry_of, expired_in_doubt, name, text_of

EVENTS = ("events.app-usage", "events.transactions")
CUSTOMERS = ("customers", "feedback", *EVENTS, "ledger.answers")
STAGES = {"customers": CUSTOMERS, "ledger": ("ledger.commands",), "learning": ("examples",)}
OFFERS = ("offers.sms", "offers.push", "offers.list")
WRITTEN_LATE = 25_000
"""Milliseconds between an event and its record from which on nobody could wait for it any more."""
GRACE = timedelta(seconds=65)
"""How long after its offer's expiry a decision is ended at the latest, with a few seconds to do it."""


@dataclass
class Told:
    """What the driver knows of what it did.

    Parameters
    ----------
    told
        How many events of each kind it made.
    wanted, caps
        What each rule book wants, and what each policy allows, by content hash.
    within, channels
        The seconds of the caps' window, and the one channel of each rule.
    limits, codes
        What each pool may give out, and the imported codes.
    waited
        How long a payment is waited for, in milliseconds.
    apps
        The class of each app.
    accepted
        What the gateways wrote down.
    about
        Of each rule what a stop may name.
    shut
        What was stopped, closed or quiet, from when until when.

    """

    told: Mapping[str, int]
    wanted: Mapping[str, frozenset[tuple[str, str]]]
    caps: Mapping[str, Mapping[str, int]]
    within: int
    channels: Mapping[str, str]
    limits: Mapping[str, int]
    codes: Sequence[str]
    waited: int
    apps: Mapping[str, str]
    accepted: Path
    about: Mapping[str, About]
    shut: Shut


@dataclass
class Recounts:
    """Counts again, one question after the other; `problems` has a sentence for each that was answered by no."""

    servers: Sequence[str]
    known: Told
    figures: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows: Callable[[str], list[Row]] = cache(lambda topic: recount.read(self.servers, name(topic)))
        self.journal: Callable[[str], list[Entry]] = cache(
            lambda stage: [entry_of(row) for row in recount.rows_of(self.servers, name(f"{stage}.journal"))]
        )

    def all(self) -> None:
        """Ask everything."""
        for question in (
            *(self.tiles, self.told, self.dead_letters, self.state, self.decisions, self.absences, self.ends),
            *(self.sandbox, self.caps, self.consent, self.pools, self.answers, self.examples, self.closed),
        ):
            try:
                question()
            except AssertionError as problem:
                self.problems.append(f"{question.__name__}: {problem}")

    @property
    def dead(self) -> list[Row]:
        """The dead letters."""
        return self.rows("dead-letters")

    @cached_property
    def accepted(self) -> dict[tuple[str, str, str], Row]:
        """The first record of every event that was not refused."""
        return recount.accepted([row for topic in EVENTS for row in self.rows(topic)], self.dead)

    def tiles(self) -> None:
        """Every record of every input lies in exactly one commit."""
        for stage, inputs in STAGES.items():
            entries = self.journal(stage)
            for topic in inputs:
                check_tiles(topic, entries, self.rows(topic))
            found = sum(len(self.rows(topic)) for topic in inputs)
            taken = sum(entry.records for entry in entries)
            assert taken == found, f"{stage} took {taken} records, there are {found}"
            self.figures[f"commits of {stage}"] = len(entries)
        largest = max(entry.records for entry in self.journal("customers"))
        self.figures["records of the largest commit"] = largest

    def told(self) -> None:
        """What was told lies in the topics, each once."""
        names = [row.headers["ce_id"] for topic in CUSTOMERS[:4] for row in self.rows(topic) if _ours(row)]
        found = Counter(name.split("-")[0] for name in names)
        told = Counter(self.known.told)
        again = told.pop("again", 0)
        told["good"] += again
        assert found == told, f"told {dict(told)}, found {dict(found)}"
        assert len(names) - len(set(names)) == again, "a record was written twice"
        self.figures |= {f"events {kind}": count for kind, count in sorted(self.known.told.items())}

    def dead_letters(self) -> None:
        """Everything that had to be refused was refused, once, and nothing that was good."""
        letters = Counter(recount.places(row) for row in self.dead)
        assert not (twice := [place for place, count in letters.items() if count > 1]), f"two letters for {twice[:3]}"
        events = [row for topic in CUSTOMERS[:4] for row in self.rows(topic) if _ours(row)]
        bad = {_place(row) for row in events if row.headers["ce_id"].startswith("bad-")}
        maybe = {_place(row) for row in events if row.headers["ce_id"].startswith("fuzz-")}
        assert not bad - set(letters), f"{len(bad - set(letters))} broken records have no dead letter"
        assert not set(letters) - bad - maybe, f"good records have dead letters: {list(set(letters) - bad - maybe)[:3]}"
        self.figures["dead letters"] = len(letters)

    def state(self) -> None:
        """Purchases and money in every customer's state are what the records say."""
        newest = recount.newest(recount.rows_of(self.servers, name("customers.changelog")))
        held, counted = recount.spending(newest), recount.spent(self.accepted.values())
        different = [key for key in held.keys() | counted.keys() if held.get(key) != counted.get(key)]
        assert not different, f"{len(different)} customers differ, {different[0]} first"
        self.figures["events applied"] = len(self.accepted)

    def decisions(self) -> None:
        """Every event that the book in force wanted has one decision, and no other has one."""
        made = [row.json for row in self.rows("decisions") if row.type == "decision"]
        recount.once(row["id"] for row in made)
        book = Books(self.journal("customers"))
        wanted = {
            text_of(row)
            for row in self.accepted.values()
            if (row.type, self._category(row)) in self.known.wanted[book.of(row)]
        }
        found = recount.once(_place_of(row["event"]) for row in made if not row["absence"])
        assert found == wanted, f"{len(wanted - found)} decisions are missing, {len(found - wanted)} too many"
        self.figures["decisions"] = len(made)
        self.figures["rule books in force"] = len({book.of(row) for row in self.accepted.values()})

    def absences(self) -> None:
        """Every look at a coupon without a payment has one decision, and no other look has one."""
        expected = recount.unfollowed(self.accepted.values(), self.known.waited)
        made = [row.json for row in self.rows("decisions") if row.type == "decision" and row.json["absence"]]
        recount.once(row["absence"]["event"] for row in made)
        found = {_place_of(row["event"]): datetime.fromisoformat(row["absence"]["deadline"]) for row in made}
        excused = self._written_late()
        wrong = [place for place in expected.keys() | found.keys() if expected.get(place) != found.get(place)]
        wrong = [place for place in wrong if place not in excused]
        assert not wrong, f"{len(wrong)} looks were not decided as they should, {wrong[0]} first"
        assert all(row["decided_at"] > row["absence"]["deadline"] for row in made), "decided before it was over"
        looks = sum(row.type == "page_view" for row in self.accepted.values())
        assert len(excused) * 4 <= looks, f"{len(excused)} of {looks} looks were written too late to judge"
        self.figures |= {"looks": looks, "looks without a payment": len(expected), "looks written late": len(excused)}

    def _written_late(self) -> set[str]:
        coupons = {
            row.json.get("coupon")
            for row in self.accepted.values()
            if row.at - _instant(row) > WRITTEN_LATE and row.json.get("coupon")
        }
        return {text_of(r) for r in self.accepted.values() if r.type == "page_view" and r.json.get("coupon") in coupons}

    def ends(self) -> None:
        """Every offer is of one decision, and every decision that offered has ended once or is not due."""
        decisions = self.rows("decisions")
        offers = self._offers()
        offered = {
            row.json["id"]: row.json for row in decisions if row.type == "decision" and row.json["state"] == "offered"
        }
        ids = recount.once(offer["id"] for offer in offers)
        assert ids == {row["offer"] for row in offered.values()}, "offers and decisions that offered differ"
        ended = recount.once(row.json["id"] for row in decisions if row.type == "decision_ended")
        assert ended <= offered.keys(), "a decision ended that offered nothing"
        last = {entry.partition: entry.now for entry in self.journal("customers")}
        overdue = [
            offer["id"]
            for offer, partition in self._placed_offers()
            if offer["decision"] not in ended
            and (datetime.fromisoformat(offer["expires_at"]) + GRACE).timestamp() * 1000 < last[partition]
        ]
        assert not overdue, f"{len(overdue)} decisions never ended"
        self.figures |= {"offers": len(ids), "decisions ended": len(ended)}

    def sandbox(self) -> None:
        """Every offer is at the gateway once, unless delivery said that it was not sent; then it is not there."""
        with self.known.accepted.open(encoding="utf-8") as lines:
            there = recount.once(json.loads(line)["id"] for line in lines)
        offers = {offer["id"] for offer in self._offers() if offer["channel"] != "list"}
        said = defaultdict[str, set[str]](set)
        for row in self.rows("feedback"):
            if row.headers["ce_source"].startswith("/kairos/delivery/"):
                said[row.json["offer"]].add(row.json["what"])
        unsent = {offer for offer, what in said.items() if what & {"rejected", "expired"}}
        doubted = expired_in_doubt(self._offers(), self.rows("feedback"))
        assert not there - offers, f"{len(there - offers)} offers at the gateways were never made"
        assert not (silent := offers - said.keys()), f"of {len(silent)} offers nobody knows what became of them"
        assert not (missing := offers - there - unsent - doubted), f"{len(missing)} offers are missing at the gateways"
        assert not (lies := there & unsent), f"{len(lies)} offers are at the gateways and were said to be unsent"
        self.figures |= {"offers at the gateways": len(there), "offers not sent, and said so": len(unsent)}
        self.figures["offers that expired while they were in doubt"] = len(doubted)

    def caps(self) -> None:
        """Nobody was contacted more often than the policy allowed; nobody was refused who had room."""
        rows = [row.json for row in self.rows("decisions")]
        refused = check_caps(rows, self.known.caps, self.known.within, self.known.channels)
        self.figures["candidates refused by a cap"] = refused

    def closed(self) -> None:
        """Nothing was decided or sent of what was stopped, closed or quiet, and nothing else was refused for that."""
        with self.known.accepted.open(encoding="utf-8") as lines:
            taken = [json.loads(line) for line in lines]
        made = [row.json for row in self.rows("decisions") if row.type == "decision"]
        rules = {offer["id"]: offer["rule"] for offer in self._offers()}
        self.figures |= check_closed(self.known.shut, self.known.about, (made, taken, rules))

    def consent(self) -> None:
        """Nobody has an offer of whom nothing is known."""
        known = {row.key for row in self.rows("customers")}
        strangers = [offer["customer"] for offer in self._offers() if offer["customer"].encode() not in known]
        assert not strangers, f"{len(strangers)} offers to customers without consent"
        refused = [v for row in self.rows("decisions") if row.type == "decision" for v in row.json["verdicts"]]
        self.figures["refused without consent"] = sum(verdict["verdict"] == "no_consent" for verdict in refused)

    def pools(self) -> None:
        """No pool gave more than it had, and its sums are those of the offers and of what came back."""
        newest = recount.newest(recount.rows_of(self.servers, name("ledger.changelog")))
        told, given = recount.pools(newest), recount.coupons(self._offer_rows(), self.rows("ledger.commands"))
        for pool, found in given.items():
            assert (found.reserved, found.confirmed, found.redeemed, found.released) == told[pool], pool
            assert found.held <= self.known.limits[pool], f"{pool} gave {found.held}"
            recount.once(found.codes)
            self.figures[f"coupons of {pool} held"] = found.held
        assert set(given["tea"].codes) <= set(self.known.codes), "a code that nobody imported"

    def answers(self) -> None:
        """Every command to reserve has one answer."""
        reserves = [row.json["id"] for row in self.rows("ledger.commands") if row.json["kind"] == "reserve"]
        assert recount.once(reserves) == recount.once(row.json["id"] for row in self.rows("ledger.answers"))
        self.figures["reservations asked"] = len(reserves)

    def examples(self) -> None:
        """Nothing is learnt twice."""
        recount.once(f"{row.json['id']} {row.json['label']}" for row in self.rows("examples"))
        self.figures["examples"] = len(self.rows("examples"))

    def _category(self, row: Row) -> str:
        return recount.category(row) or self.known.apps.get(row.json.get("app", ""), "")

    def _offer_rows(self) -> list[Row]:
        # A list's topic tells of stops, too.
        return [row for topic in OFFERS for row in self.rows(topic) if row.type == "offer"]

    def _placed_offers(self) -> list[tuple[Json, int]]:
        return [(row.json, row.partition) for row in self._offer_rows()]

    def _offers(self) -> list[Json]:
        return [offer for offer, _ in self._placed_offers()]


def _ours(row: Row) -> bool:
    return row.headers.get("ce_source") in ("/soak", "/load", "/test/crm")


def _instant(row: Row) -> float:
    return datetime.fromisoformat(row.headers["ce_time"]).timestamp() * 1000


def _place(row: Row) -> tuple[str, int, int]:
    return row.topic, row.partition, row.offset


def _place_of(event: Json) -> str:
    return f"{event['topic']} {event['partition']} {event['offset']}"
