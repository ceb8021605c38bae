"""Laws of what was closed for a while: stops, channels that the policy closes, quiet hours. By dicts and json alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.recount import Json
from tests.soak.laws import instant

ALLOWED = 2_000
"""Milliseconds after the publication of a stop in which it may still take hold."""

About = Mapping[str, str | None]
"""Of an offer or a candidate: its `rule`, `programme`, `channel` and `pool`."""


class Closed(NamedTuple):
    """Something that was closed from one moment to another, in milliseconds: `all`, or what has a name in a scope."""

    scope: str
    name: str
    begin: int
    end: int

    def touches(self, about: About) -> bool:
        """Whether it is about this offer."""
        return self.scope == "all" or about[self.scope] == self.name


class Shut(NamedTuple):
    """All that was not open at some time.

    Parameters
    ----------
    stops, closures
        What was stopped, and which channels a policy's calendar closed.
    quiet
        When a policy that was in force everywhere left a channel quiet by its hours.
    hours
        The quiet hours themselves, by the content hash of their policy.

    """

    stops: Sequence[Closed]
    closures: Sequence[Closed]
    quiet: Sequence[Closed]
    hours: Mapping[str, Closed]


def check_closed(
    shut: Shut, about: Mapping[str, About], found: tuple[Sequence[Json], Sequence[Json], Mapping[str, str]]
) -> dict[str, int]:
    """Judge all of it; gives the figures.

    Parameters
    ----------
    shut
        What was stopped, closed or quiet.
    about
        Of each rule what a stop may name.
    found
        The decisions, what the gateways wrote down, and the rule of each offer.

    """
    made, taken, rule_of = found
    sent = [(instant(line["at"]), about[rule_of[line["id"]]]) for line in taken]
    won = [(instant(row["decided_at"]), about[rule_of[row["offer"]]]) for row in made if row["state"] == "offered"]
    closed, closures = [*shut.stops, *shut.closures], [*shut.closures, *shut.hours.values()]
    just = check_nothing_passes([*closed, *shut.quiet], sent, "a message")
    check_nothing_passes(closed, won, "an offer")
    verdicts = [(instant(row["decided_at"]), one) for row in made for one in row["verdicts"]]
    refused = [(at, about[one["rule"]]) for at, one in verdicts if one["verdict"] == "stopped"]
    waited = [(instant(row["deferred_at"]), instant(row["decided_at"])) for row in made if row.get("deferred_at")]
    check_waited(closures, waited)
    return {
        "messages just after a stop": just,
        "refused by a stop": check_refused_with_reason(shut.stops, refused, "stopped"),
        "refused in quiet hours": check_quiet_hours(shut.hours, made, about),
        "refused in a closed time": sum(one["verdict"] == "blackout" for _, one in verdicts),
        "decisions that waited": len(waited),
        "decisions that waited in quiet hours": len(_in_quiet(shut, waited)),
    }


def check_quiet_hours(hours: Mapping[str, Closed], made: Iterable[Json], about: Mapping[str, About]) -> int:
    """Let nothing pass the gates in the quiet hours of the very policy that its decision names, and nothing else be
    refused for them, to the millisecond; gives how much was refused.
    """
    count = 0
    for row in made:
        at, quiet = instant(row["decided_at"]), hours.get(row["versions"]["policy"])
        for verdict in row["verdicts"]:
            rule = about[verdict["rule"]]
            is_quiet = quiet is not None and quiet.begin <= at < quiet.end and quiet.touches(rule)
            if verdict["verdict"] == "quiet_hours":
                assert is_quiet, f"{rule} was refused at {at} for quiet hours, and there were none"
                count += 1
            assert not (is_quiet and verdict["rank"] is not None), f"{rule} passed at {at}, in quiet hours"
    return count


def _in_quiet(shut: Shut, waited: Iterable[tuple[int, int]]) -> list[int]:
    """Give since when those waited that came to quiet hours and to no closed time."""
    return [
        since
        for since, _ in waited
        if any(one.begin <= since < one.end for one in shut.quiet)
        and not any(one.begin <= since < one.end for one in shut.closures)
    ]


def check_nothing_passes(closed: Sequence[Closed], happened: Iterable[tuple[int, About]], what: str) -> int:
    """Let nothing happen that was closed, but in the first two seconds; gives how much happened then."""
    just = 0
    for at, about in happened:
        found = [one for one in closed if one.begin <= at < one.end and one.touches(about)]
        late = [one for one in found if at >= one.begin + ALLOWED]
        assert not late, f"{what} of {about}, {at - late[0].begin} ms after {late[0].scope} {late[0].name} was closed"
        just += bool(found)
    return just


def check_refused_with_reason(closed: Sequence[Closed], refused: Iterable[tuple[int, About]], what: str) -> int:
    """Let nothing be refused as closed that was not, give or take two seconds; gives how much was."""
    count = 0
    for at, about in refused:
        count += 1
        near = [one for one in closed if one.begin - ALLOWED <= at < one.end + ALLOWED and one.touches(about)]
        assert near, f"{what}: {about} was refused at {at}, and nothing of it was closed"
    return count


def check_waited(closed: Sequence[Closed], waited: Iterable[tuple[int, int]]) -> None:
    """Let each decision that waited have begun to in a closed time, and be made after its end: `(since, made)`."""
    for since, made in waited:
        ends = [one.end for one in closed if one.begin <= since < one.end]
        assert ends, f"a decision waited since {since}, when nothing was closed"
        assert made >= min(ends), f"a decision that waited since {since} was made at {made}, before {min(ends)}"
