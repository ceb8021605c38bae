"""A backtest beside what happened live: how much is the same, and of the rest where it differs and why."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from console.backtest_live_words import SAID, part
from console.backtest_offpolicy import Draws, Reactions
from console.backtest_report import Cell, Section, Table, cut, share
from console.backtest_words import fate
from console.live_causes import CAUSES, Difference, Why, explained
from console.live_fates import Fate, Fates, Pair, decision_of
from console.live_histories import Seen, of_live, of_log
from console.live_records import LiveRecords
from console.written import whole
from kairos.decisions import MADE
from kairos.instants import Millis, rfc3339
from kairos.ports import Output, Record
from rules.findings import clock
from rules.saying import Language
from streams.topics import DECISIONS, FEEDBACK

__all__ = ["Beside", "Compared", "Live", "beside", "section", "write_differences"]

_MOST = 60
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Compared:
    """What came of it, counted by rules at events.

    Parameters
    ----------
    same, moment
        The same in every field, and of these decided at the same moment.
    read
        The same outcome, and something else was read or weighed.
    other, only_live, only_back
        Another outcome; a match in one run alone.
    differences
        All but the first, in the order of their events.
    is_whole
        Whether it is known in which order live took all events.

    """

    same: int = 0
    moment: int = 0
    read: int = 0
    other: int = 0
    only_live: int = 0
    only_back: int = 0
    differences: list[Difference] = field(default_factory=list)
    is_whole: bool = True

    @property
    def all(self) -> int:
        """How many rules at events were held beside each other."""
        return self.same + self.read + self.other + self.only_live + self.only_back


class Beside:
    """Gathers the decisions of one run and what came back, to be held beside those of another when it is over."""

    def __init__(self) -> None:
        self.fates, self.draws, self.reactions = Fates(), Draws(), Reactions()

    def hear(self, record: Record) -> Record:
        """Hear a record of the log."""
        if record.topic == FEEDBACK:
            self.reactions.take(record.value)
        return record

    def take(self, written: Output | Record) -> None:
        """Hear a record that a stage wrote."""
        if written.topic == DECISIONS and MADE in written.headers:
            made = decision_of(written.value or b"")
            self.fates.take(made)
            self.draws.take(made.row)


class Live:
    """What was decided live, and the records from which more can be asked.

    Parameters
    ----------
    records
        What the live run left.

    Raises
    ------
    ValueError
        There is no decision in it, or what is to be one is none.

    """

    def __init__(self, records: LiveRecords) -> None:
        self.records, self.heard = records, Beside()
        records.each((DECISIONS, FEEDBACK), lambda record: self.heard.take(self.heard.hear(record)))
        if not self.heard.fates.found:
            raise ValueError(f"{records} holds no decision, so there is nothing to hold the backtest beside")


def beside(run: Beside, live: Live, log: Callable[[], Iterable[Record]], versions: Mapping[str, str]) -> Compared:
    """Hold a backtest beside a live run.

    Parameters
    ----------
    run
        The backtest's decisions.
    live
        The live run's, and what else it left.
    log
        Opens the log once more; those customers' events are looked for who had another end.
    versions
        The content hashes under which the backtest ran.

    """
    compared, differ = Compared(), list[Pair]()
    for pair in run.fates.beside(live.heard.fates):
        if not _counted(compared, pair):
            differ.append(pair)
    customers = {pair.key[0] for pair in differ}
    if customers:
        histories = of_live(live.records, live.heard.fates, customers), of_log(log(), customers)
        compared.is_whole = histories[0].is_whole
        compared.differences = list(explained(differ, *histories, versions))
    return compared


def _counted(compared: Compared, pair: Pair) -> bool:
    """Count a pair; tells whether both are the same."""
    live, back = pair.live, pair.back
    if live is None or back is None:
        compared.only_live += back is None
        compared.only_back += live is None
        return False
    if live.parts == back.parts and live.ends_as(back):
        compared.same += 1
        compared.moment += live.at == back.at
        return True
    compared.read += live.ends_as(back)
    compared.other += not live.ends_as(back)
    return False


def section(compared: Compared, zone: str, language: Language) -> Section:
    """Tell it."""
    words, number = SAID[language], len(compared.differences)
    customers = {one.pair.key[0] for one in compared.differences}
    said = [words["said"].format(all=f"{compared.all:,}", same=f"{compared.same:,}")]
    said.append(words["differ" if number else "equal"].format(number=f"{number:,}", customers=f"{len(customers):,}"))
    if number:
        said.append(words["evidence"])
    if not compared.is_whole:
        said.append(words["no order"])
    counts = ("same", "moment", "read", "other", "only_live", "only_back")
    rows = tuple((words[name], n := getattr(compared, name), share(n, compared.all)) for name in counts)
    tables = [Table((words["what"], words["pairs"], words["share"]), rows)]
    if number:
        tables += [_causes(compared, language), _places(compared, zone, language)]
    return Section("live", words["live"], tuple(said), (), tuple(tables))


def _causes(compared: Compared, language: Language) -> Table:
    words = SAID[language]
    first = Counter(one.whys[0].cause for one in compared.differences)
    also = Counter(why.cause for one in compared.differences for why in one.whys[1:])
    who = {cause: {one.pair.key[0] for one in compared.differences if one.whys[0].cause == cause} for cause in CAUSES}
    rows = tuple(
        (words[f"why {cause}"], first[cause], len(who[cause]), also[cause])
        for cause in CAUSES
        if first[cause] or also[cause]
    )
    return Table((words["cause"], words["pairs"], words["customers"], words["besides"]), rows)


def _places(compared: Compared, zone: str, language: Language) -> Table:
    words = SAID[language]
    rows: list[tuple[Cell, ...]] = []
    for one in compared.differences:
        pair = one.pair
        at = clock(pair.some.event_at, zone)
        why = words["then"].join(_why(why, zone, language) for why in one.whys)
        ends = (_end(pair.live, language), _end(pair.back, language))
        what = words["and"].join(part(name, language) for name in _parts(pair)) or "\N{EN DASH}"
        rows.append((at, pair.some.decision[:12], pair.key[2], *ends, what, why))
    shown, note = cut(rows, _MOST, words["more"])
    columns = ("when", "decision", "rule", "live end", "back end", "differs", "cause")
    return Table(tuple(words[name] for name in columns), shown, note)


def _parts(pair: Pair) -> tuple[str, ...]:
    return pair.live.differs(pair.back) if pair.live and pair.back else ()


def _end(found: Fate | None, language: Language) -> str:
    return SAID[language]["no match"] if found is None else fate(found.verdict, language)


def _why(why: Why, zone: str, language: Language) -> str:
    words = SAID[language]
    told = [_told(one, zone, language) for one in why.told]
    if why.cause == "events":
        return words[f"told events {why.told[0]}"].format(words["and"].join(told[1:]) or words["this event"])
    if why.cause in ("versions", "models"):
        return words["told versions"].format(words["and"].join(told))
    return words[f"told {why.cause}"].format(*told)


def _told(one: Seen | Millis | str, zone: str, language: Language) -> str:
    if isinstance(one, Seen):
        return f"{one.type or SAID[language]['an event']} {one.id[:8]} ({clock(one.at, zone)})"
    return clock(one, zone) if isinstance(one, int) else one[:8] if len(one) == 32 else one


def write_differences(found: Mapping[str, Compared], path: Path) -> None:
    """Write every difference as a JSON line: customer, cause, rule, both ends, what differs, and why.

    Parameters
    ----------
    found
        What was held beside the live run, by the name of the rules that were backtested.
    path
        The file; it is there once all of it is written, or not at all.

    """
    with whole(path) as part, part.open("wb") as file:
        for rules, compared in found.items():
            for row in _rows(rules, compared):
                file.write(_encode(row) + b"\n")


def _rows(rules: str, compared: Compared) -> Iterator[dict[str, object]]:
    for one in compared.differences:
        pair = one.pair
        yield {
            "rules": rules,
            "customer": pair.key[0],
            "cause": pair.key[1],
            "rule": pair.key[2],
            "event_at": rfc3339(pair.some.event_at),
            "live": _written(pair.live),
            "backtest": _written(pair.back),
            "differs": _parts(pair),
            "why": [{"cause": why.cause, "told": why.told} for why in one.whys],
        }


def _written(found: Fate | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {"decision": found.decision, "decided_at": rfc3339(found.at), "verdict": found.verdict}
