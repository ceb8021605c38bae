"""A decision made again: what was drawn, which form it had and what a template said come out byte for byte.

The journal, the records and the catalogue are those that a worker would write; only Kafka is not there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from console.decisions_found import Found, NotFound
from console.recomputing import Again
from console.replayed_lines import replayed_lines
from kairos.decisions import Decision
from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.ports import Batch, Output, Record
from models.snapshot import Snapshot
from rules.book import load
from rules.priorities import Priorities, load_priorities
from streams import journal
from streams.memory_store import MemoryStore
from streams.played import CutOff, Played, batch_of, moved, outputs_of
from streams.stages import STAGES
from streams.topics import DECISIONS, OFFERS_PUSH
from streams.versions import Versions
from tests.customer_table import Said, Table
from tests.template_table import templates_of
from tests.test_templates_live import TEMPLATES, spoken

PEOPLE = [f"c{number}" for number in range(24)]
BOLD = {"treatments": [{"name": "bold", "share": "50%", "channels": ["push"]}]}
LEVER = "{name: push tea, times: 2, rule: tea, owner: Li, because: merchant pays, until: 2026-12-31}"
PULLED = f"smoothing: {{prior: 5%, impressions: 100}}\nlevers: [{LEVER}]\n"


def priorities(gamma: int, more: str = "") -> bytes:
    said = load_priorities(f"format: 1\nzone: UTC\n{more}explore: {{gamma: {gamma}, evenly: 20%}}")
    assert isinstance(said, Priorities), said
    return said.content


def experimenting() -> bytes:
    """The rules with templates, each with a second form for half of the customers."""
    said = json.loads(spoken().book.content)
    for rule in said["rules"]:
        rule["experiment"] = BOLD
    loaded = load({"r": json.dumps({"zone": "Asia/Shanghai", "currency": "CNY", **said})})
    assert loaded.book is not None, loaded.problems
    return loaded.book.content


@dataclass
class Taped(Table):
    """A table whose every batch is written into a journal, and whose catalogue keeps every content."""

    contents: dict[str, bytes] = field(default_factory=dict)
    rows: list[tuple[bytes, list[Record]]] = field(default_factory=list)
    outputs: list[list[Output]] = field(default_factory=list)

    def publish(self, kind: str, content: bytes) -> None:
        self.versions = self.versions.having(kind, content)
        self.contents[content_hash(content)] = content

    def hear(self, *records: Record, after: Millis = 0) -> Said:
        said = super().hear(*records, after=after)
        batch = Batch(0, 1, list(records), self.now, self.versions, self.drained)
        self.rows.append((journal.write(journal.entry(batch, {}, ())), list(records)))
        self.outputs.append(said.outputs)
        return said

    def played(self) -> Iterator[Played]:
        """Give what was written, as `kairos explain --replay` is given it from the topics."""
        versions = Versions()
        for row, records in self.rows:
            entry = journal.read(row)
            versions = moved(versions, entry.versions, self.contents)
            yield batch_of(entry, records, (0, 1), versions), entry

    def found(self) -> list[Found]:
        """Every decision with its end, as they lie in their topic."""
        found: dict[str, Found] = {}
        for output in [one for lot in self.outputs for one in lot if one.topic == DECISIONS]:
            name = json.loads(output.value or b"")["id"]
            if name in found:
                found[name].ended = self.as_record(output)
            else:
                found[name] = Found(self.as_record(output))
        return list(found.values())


@pytest.fixture(scope="module")
def live() -> Taped:
    """A day in which rules, priorities, templates and a model changed, and coupons ran short."""
    basic = spoken(cafe=9, tea=9)
    table = Taped(Versions())
    for kind, content in (
        ("pools", b'[{"pool":"cafe","programme":"lunch","merchant":"m1","value":1500,"currency":"CNY","count":9,'
        b'"prefix":"CA"},{"pool":"tea","programme":"lunch","merchant":"m2","value":1000,"currency":"CNY","count":9,'
        b'"prefix":"TE"}]'),
        ("rules", basic.book.content),
        ("policy", basic.policy.content),
        ("templates", basic.templates.content),
        ("priorities", priorities(20)),
    ):  # fmt: skip
        table.publish(kind, content)
    table.hear(*(table.profile(key, attrs={"nick": "小王"}) for key in PEOPLE))
    for key in PEOPLE[:8]:
        table.ask(table.pays(key))
    table.publish("rules", experimenting())
    table.publish("model/reaction", Snapshot("reaction", 0.04, {"rule=tea": 1.0}, {"cafe": 1_000}).to_bytes())
    table.publish("priorities", priorities(5, PULLED))
    words = {**TEMPLATES, "words": {"m1": {"zh": "壹号店", "en": "First"}, "m2": {"zh": "贰号店", "en": "Second"}}}
    table.publish("templates", templates_of(words).content)
    for key in PEOPLE[8:]:
        table.ask(table.pays(key), table.pays(key, "fuel"))
    for one in table.found():
        table.hear(table.feedback("delivered", one.decision.customer, one.decision.id))
    table.hear(after=60 * 60 * 1000)
    return table


def test_the_day_has_all_that_is_drawn_and_said(live: Taped) -> None:
    decisions = [one.decision for one in live.found()]
    verdicts = [verdict for one in decisions for verdict in one.verdicts]

    explored = [
        one for one in decisions if (best := max(v.chance or 0.0 for v in one.verdicts)) and best != one_won(one)
    ]
    assert len(explored) > 3
    assert {verdict.treatment for verdict in verdicts} == {None, "bold"}
    assert any(verdict.terms and verdict.terms.levers for verdict in verdicts)
    assert {str(one.reason) for one in decisions} >= {"None", "out_of_stock"}
    assert any(one.ended for one in live.found())
    texts = {json.loads(o.value or b"")["text"]["zh"] for lot in live.outputs for o in lot if o.topic == OFFERS_PUSH}
    assert texts == {"小王，<b>12</b>元 2026年12月1日 12:00"}


def one_won(decision: Decision) -> float:
    return next((v.chance or 0.0 for v in decision.verdicts if v.verdict == "won"), 0.0)


def test_every_decision_and_its_end_are_made_again_byte_for_byte(live: Taped) -> None:
    for found in live.found():
        again = Again(found)
        done = any(again.take(batch, entry) for batch, entry in live.played())
        result = again.result()

        assert (done, result.is_equal, result.differs) == (True, True, [])
        assert result.equal == 1 + (found.ended is not None)


def test_everything_else_that_was_written_is_made_again_too(live: Taped) -> None:
    store = MemoryStore()

    made = [outputs_of(STAGES["customers"], store, batch, entry) for batch, entry in live.played()]

    assert made == live.outputs
    assert list(store.items()) == list(live.store.items())


def test_with_other_priorities_than_were_in_force_it_differs_and_says_where(live: Taped) -> None:
    changed = replace(live, contents={**live.contents, content_hash(priorities(5, PULLED)): priorities(1000, PULLED)})
    found = next(one for one in live.found() if one.decision.verdicts[0].terms and one.decision.verdicts[0].chance)
    again = Again(found)
    for batch, entry in changed.played():
        again.take(batch, entry)

    said = list(replayed_lines(again.result(), "zh"))

    assert not again.result().is_equal
    assert said[0].startswith("回放      不一致，共回放0号分区的")
    assert any(line.strip().startswith("verdicts.") for line in said[1:])


def test_a_record_that_never_comes_is_told_in_the_asked_language(live: Taped) -> None:
    found = live.found()[0]
    made = replace_id(found.made)
    again = Again(Found(made))
    for batch, entry in live.played():
        again.take(batch, entry)

    english, chinese = (list(replayed_lines(again.result(), language))[1] for language in ("en", "zh"))

    assert english.strip() == "the journal was played to its end, and 1 of the decision's records did not come"
    assert chinese.strip() == "日志已回放到末尾，该决策有1条记录没有再次出现"


def replace_id(record: Record) -> Record:
    headers = tuple((name, b"other" if name == "ce_id" else value) for name, value in record.headers)
    return Record(record.topic, 0, record.offset, record.key, record.value, headers, record.at)


def test_what_the_catalogue_no_longer_holds_is_named_in_the_asked_language(live: Taped) -> None:
    name = content_hash(priorities(20))
    without = {hash_: content for hash_, content in live.contents.items() if hash_ != name}

    with pytest.raises(CutOff) as cut:
        list(replace(live, contents=without).played())

    assert cut.value.said("zh") == f"目录中已没有当时生效的priorities {name}"
    assert str(cut.value) == f"the catalogue no longer holds priorities {name}, which was in force then"


def test_that_no_decision_begins_so_is_said_in_the_asked_language() -> None:
    nothing = NotFound("ab", (), "c1", 0)

    assert nothing.said("zh").startswith("没有以ab开头的决策；该客户所在分区")
    assert str(nothing).startswith("no decision begins with ab; the oldest record of this customer's partition")
    assert NotFound("ab").said("zh") == "决策主题是空的"
    assert NotFound("ab", [str(number) for number in range(7)]).said("zh").endswith("4，另有2条；请多写几位")
