"""Withdrawals: what was put on a list is taken back in the list itself when people stop it."""

import json

from kairos.instants import MINUTE, moment
from kairos.offers import Offer, Withdrawn
from rules.book import load
from rules.stops import kind_of, written
from streams.meter import Meter
from streams.pools import totals
from streams.topics import DECISIONS, OFFERS_LIST
from streams.withdrawals import TOLD, WITHDRAWN
from tests.customer_table import NOON, Said, Table, versions

LISTED = versions(extra="", policy={"hours": {"list": "00:00-24:00"}})


def stop(table: Table, scope: str, name: str = "", *, stopped: bool = True) -> Said:
    """Stop something, or let it go on, a minute later."""
    table.versions = table.versions.having(kind_of(scope, name), written("wrong text", stopped=stopped))
    return table.hear(after=MINUTE)


def withdrawn(said: Said) -> list[tuple[str, str]]:
    return [(row["scope"], row["name"]) for row in said.of(OFFERS_LIST, "offers_withdrawn")]


def test_a_stop_is_told_once_to_each_partition_of_the_list_and_names_its_moment() -> None:
    table = Table()

    first, second = stop(table, "programme", "lunch"), table.hear(table.profile(), after=MINUTE)

    (word,) = first.of(OFFERS_LIST, "offers_withdrawn")
    assert word == {
        "scope": "programme",
        "name": "lunch",
        "until": moment(NOON + MINUTE).isoformat().replace("+00:00", "Z"),
    }
    assert [(o.key, dict(o.headers)["ce_type"]) for o in first.outputs] == [(None, WITHDRAWN.encode())]
    assert withdrawn(second) == []


def test_a_stop_that_ended_and_begins_again_is_told_again_and_nothing_is_kept_meanwhile() -> None:
    table = Table()
    stop(table, "all")

    ended = stop(table, "all", stopped=False)

    assert withdrawn(ended) == []
    assert table.store.get(b"", TOLD) is None
    assert withdrawn(stop(table, "all")) == [("all", "")]


def test_only_what_reaches_lists_is_told() -> None:
    table = Table()

    assert withdrawn(stop(table, "channel", "sms")) == []
    assert withdrawn(stop(table, "channel", "list")) == [("channel", "list")]
    assert withdrawn(stop(table, "pool", "cafe")) == [("pool", "cafe")]
    assert withdrawn(stop(table, "rule", "card")) == [("rule", "card")]


def test_a_house_without_stops_keeps_nothing_for_it() -> None:
    table = Table()
    table.hear(table.profile(), table.pays(category="fuel"))

    assert table.store.get(b"", TOLD) is None


def test_who_took_an_offer_off_its_list_says_so_and_the_decision_ends_with_the_reason() -> None:
    table = Table()
    table.hear(table.profile())
    made = table.ask(table.pays())[0].decision

    back = table.hear(table.feedback("rejected", decision=made["id"], channel="list", reason="stopped"))

    (end,) = back.of("kairos.decisions.v1", "decision_ended")
    assert (end["state"], end["reason"]) == ("failed", "stopped")
    assert back.commands == ["release"]
    assert table.customer("c1").contacts == {"sms": b""} or not any(table.customer("c1").contacts.values())


class Branch:
    """Who reads the list as the operations page asks: in its order, and any withdrawal against any offer."""

    def __init__(self) -> None:
        self.offers: dict[str, Offer] = {}
        self.words: list[Withdrawn] = []

    def reads(self, *told: Said) -> None:
        for output in (one for said in told for one in said.outputs if one.topic == OFFERS_LIST):
            if ("ce_type", WITHDRAWN.encode()) in output.headers:
                self.words.append(Withdrawn.model_validate_json(output.value or b""))
            else:
                offer = Offer.model_validate_json(output.value or b"")
                self.offers[offer.customer] = offer

    def stopped(self) -> list[Offer]:
        """What is not to be used any more."""
        return [offer for offer in self.offers.values() if any(self._names(word, offer) for word in self.words)]

    @staticmethod
    def _names(word: Withdrawn, offer: Offer) -> bool:
        pool = "" if offer.coupon is None else offer.coupon.pool
        named = {"all": "", "rule": offer.rule, "programme": offer.programme, "pool": pool, "channel": offer.channel}
        return offer.decided_at <= word.until and named[word.scope] == (word.name or "")


def listed() -> Table:
    """Rules of which everything goes onto lists."""
    found = versions(cafe=9, tea=0, policy={"hours": {"list": "00:00-24:00"}})
    said = json.loads(found.book.content)
    for rule in said["rules"]:
        rule["then"]["channels"] = ["list"]
    loaded = load({"r": json.dumps({"zone": "Asia/Shanghai", "currency": "CNY", **said})})
    assert loaded.book is not None, loaded.problems
    table = Table(found.having("rules", loaded.book.content))
    table.hear(*(table.profile(f"c{number}") for number in range(1, 6)))
    return table


def test_a_stop_takes_back_what_lies_on_the_list_and_what_comes_onto_it_late_and_leaves_the_rest() -> None:
    table, branch = listed(), Branch()
    coupons = [table.hear(table.pays(key)) for key in ("c1", "c2")]
    branch.reads(table.hear(table.pays("c3", "fuel")))
    answers = []
    for said in coupons:
        answered, written_ = table.ledger(said)
        answers += answered
        branch.reads(written_)
    used = table.feedback("redeemed", "c2", branch.offers["c2"].decision, channel="list")
    table.ledger(table.hear(*answers, used))
    waiting = table.hear(table.pays("c4"))

    branch.reads(stop(table, "programme", "lunch"))
    # The ledger had not heard of the stop when it granted this one, which was decided before.
    before, table.versions = table.versions, listed().versions
    late, onto = table.ledger(waiting)
    table.versions = before
    branch.reads(onto, table.hear(*late), table.hear(table.pays("c5")))

    assert [offer.customer for offer in branch.stopped()] == ["c1", "c2", "c4"]
    assert branch.offers.keys() == {"c1", "c2", "c3", "c4"}
    unused = [offer for offer in branch.stopped() if offer.customer != "c2"]
    back = [table.feedback("rejected", o.customer, o.decision, channel="list", reason="stopped") for o in unused]
    said = table.hear(*back)
    table.ledger(said)
    assert [(row["state"], row["reason"]) for row in said.of(DECISIONS, "decision_ended")] == [
        ("failed", "stopped")
    ] * 2
    left = totals(table.books, table.versions.pools["cafe"])
    assert (left.held, left.redeemed, left.released) == (1, 1, 2)


def test_a_withdrawal_is_counted_as_no_offer() -> None:
    table, meter = Table(), Meter()

    meter.committed("customers", {}, stop(table, "all").outputs, NOON)

    assert meter.counts["kairos_offers_total"] == {}
