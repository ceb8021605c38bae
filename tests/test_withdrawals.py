"""Withdrawals: what was put on a list is taken back in the list itself when people stop it."""

from kairos.instants import MINUTE, moment
from rules.stops import kind_of, written
from streams.meter import Meter
from streams.topics import OFFERS_LIST
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


def test_a_withdrawal_is_counted_as_no_offer() -> None:
    table, meter = Table(), Meter()

    meter.committed("customers", {}, stop(table, "all").outputs, NOON)

    assert meter.counts["kairos_offers_total"] == {}
