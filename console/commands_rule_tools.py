"""`kairos rules why`, `coverage`, `estimate` and `diff`: what rules do and would do, asked of a recorded log."""

from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from console.asking import NoEvent, Question, asked
from console.commands_rule_tests import Language_, rules_of
from console.output import fail, out
from console.publishing import contents_of, whole_contents_of
from console.recorded import recorded
from console.replayed_lines import word
from console.replaying import through_the_door
from console.rule_inputs import Again, apps_of, book_of, columns_of_log, files_told, in_force, instant_of, topic_records
from console.telling import (
    answer_lines,
    change_lines,
    covered_lines,
    effect_lines,
    meant,
    no_event,
    tried_lines,
    way_lines,
)
from kairos.ports import Record
from rules.columns import Columns
from rules.coverage import covered
from rules.diff import difference
from rules.schema import Rule
from rules.trying import Tried, tried
from streams.event_log import read
from streams.versions import Versions

__all__ = ["add_to"]

_EXAMPLES = Path("examples")
_ZONE = "Asia/Shanghai"

Files = Annotated[Path, typer.Argument(exists=True, help="a folder of rule files, or one file")]
Log = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="a recorded event log")]
MaybeLog = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="a recorded event log")]
AppsPath = Annotated[Path, typer.Option("--apps", exists=True, dir_okay=False, help="the catalogue of apps")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to `kairos rules`."""
    for command in (why, coverage, estimate, diff):
        app.command()(command)


def why(
    customer: Annotated[str, typer.Option(help="the customer's key")],
    at: Annotated[str, typer.Option(help="when: a local time in the policy's zone, or RFC 3339")],
    rule: Annotated[str | None, typer.Option(help="only this rule; all that the event triggers unless given")] = None,
    rules: Annotated[Path | None, typer.Option(exists=True, help="rule files; those in force unless given")] = None,
    log: MaybeLog = None,
    policy: Annotated[Path, typer.Option(help="the contact policy, with a log")] = _EXAMPLES / "demo" / "policy.yaml",
    pools: Annotated[Path, typer.Option(help="the coupon pools, with a log")] = _EXAMPLES / "demo" / "pools.yaml",
    apps: AppsPath = _EXAMPLES / "apps.json",
    language: Language_ = "en",
) -> None:
    """Say why rules fired for a customer, and why not: every clause and gate with the value it read.

    Example: kairos rules why --customer C000031 --at "2017-05-01 12:05" --log examples/data/demo.jsonl.gz

    The newest event at or before the time is explained, after the customer's events before it were replayed.
    Without --log they are read from Kafka, and rules, policy and pools are those in force. Other customers are
    left out, so what they took from a pool does not count.
    """
    with files_told():
        versions = _versions(log is None, rules, policy, pools, apps)
        records: Iterable[Record] = topic_records(customer) if log is None else through_the_door(read(log)[1])
        if rule is not None and rule not in versions.book.rules:
            fail(word("not there", language, rule, meant(rule, versions.book.rules, language)))
        zone = versions.policy.zone
        instant = instant_of(at, zone, language)
        try:
            answer = asked(records, versions, Question(customer, instant, rule, by_arrival=log is None))
        except NoEvent as nothing:
            fail(no_event(customer, instant, nothing.nearest, zone, language))
    _print(answer_lines(answer, zone, language))


def coverage(
    log: Log,
    rules: Annotated[Path, typer.Option(exists=True, help="a folder of rule files, or one file")] = _EXAMPLES
    / "demo"
    / "rules",
    apps: AppsPath = _EXAMPLES / "apps.json",
    language: Language_ = "en",
) -> None:
    """Count how often each clause held in a log, and point at those that were never true, false or asked.

    Example: kairos rules coverage --log examples/data/demo.jsonl.gz

    Nothing is cut short: each clause is asked whenever the trigger was met, also behind one that failed.
    """
    book = rules_of(rules).book
    with files_told(), recorded(log, apps_of(apps), "replaying") as happenings:
        found = covered(book, happenings)
    for one in found:
        _print([*covered_lines(one, language), ""])


def estimate(files: Files, log: Log, apps: AppsPath = _EXAMPLES / "apps.json", language: Language_ = "en") -> None:
    """Say how often each rule would have fired in a log, and for how many customers.

    Example: kairos rules estimate examples/demo/rules/activation.yaml --log examples/data/demo.jsonl.gz

    The first run puts the log into columns, kept beside it as LOG.columns.npz; after that an answer takes a moment.
    """
    found = rules_of(files)
    with files_told():
        columns, again = columns_of_log(log, apps)
        for rule in found.book.rules.values():
            begun = perf_counter()
            one = tried(rule, columns, again)
            lines = tried_lines(rule, one, columns, found.places[rule.id].zone, language)
            _print([*lines, *way_lines(one, perf_counter() - begun, language), ""])


def diff(
    before: Annotated[str, typer.Argument(help="files, a folder, the hash of a published book, or `current`")],
    after: Annotated[str, typer.Argument(help="the same, to compare with")],
    log: MaybeLog = None,
    apps: AppsPath = _EXAMPLES / "apps.json",
    language: Language_ = "en",
) -> None:
    """Say what changes between two books of rules, clause by clause; with --log, whom that gains and loses.

    Example: kairos rules diff current rules/ --log examples/data/demo.jsonl.gz
    """
    with files_told():
        changes = difference(book_of(before), book_of(after), _ZONE)
        trying = None if log is None else columns_of_log(log, apps)
        for change in changes:
            effect = (
                ()
                if trying is None
                else effect_lines(_tried(change.before, *trying), _tried(change.after, *trying), language)
            )
            _print([*change_lines(change, language), *effect])
    if not changes:
        out.print("两者内容相同" if language == "zh" else "both say the same", highlight=False)


def _tried(rule: Rule | None, columns: Columns, again: Again) -> Tried | None:
    return None if rule is None else tried(rule, columns, again)


def _versions(is_live: bool, rules: Path | None, policy: Path, pools: Path, apps: Path) -> Versions:
    """Give what decides: what is in force, or the files; rules that are named come in the place of those in force."""
    if is_live:
        contents = {} if rules is None else contents_of(rules, {})
        versions = in_force()
    else:
        contents = whole_contents_of(rules or _EXAMPLES / "demo" / "rules", policy, pools, apps)
        versions = Versions()
    for kind, content in contents.items():
        versions = versions.having(kind, content)
    return versions


def _print(told: Iterable[str]) -> None:
    out.print("\n".join(told), markup=False, highlight=False)
