"""Skipping: what `kairos worker --skip` was given, checked before anything starts."""

from collections.abc import Sequence

import typer

from streams.dead_letters import Place
from streams.skips import Skip
from streams.stages import STAGES
from streams.topics import TOPICS, Partitions

__all__ = ["wanted_skips"]

_GROUPS = {topic.name: topic.group for topic in TOPICS}


def wanted_skips(texts: Sequence[str], reason: str, stages: Sequence[str], partitions: Partitions) -> list[Skip]:
    """Read the skips of a command line.

    Raises
    ------
    typer.BadParameter
        One is no place of a topic that these stages read, or nobody says who skips and why.

    Examples
    --------
    >>> wanted_skips(["kairos.feedback.v1:1:31"], "ann, OPS-7", ["customers"], Partitions())
    [Skip(place=Place(topic='kairos.feedback.v1', partition=1, offset=31), reason='ann, OPS-7')]

    """
    if texts and not reason.strip():
        raise typer.BadParameter("say by --reason who skips, and why")
    if reason and not texts:
        raise typer.BadParameter("there is a --reason and nothing to --skip")
    return [Skip(_place(text, stages, partitions), " ".join(reason.split())) for text in texts]


def _place(text: str, stages: Sequence[str], partitions: Partitions) -> Place:
    try:
        place = Place.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if all(place.topic not in STAGES[name].inputs for name in stages):
        raise typer.BadParameter(f"{place.topic} is read by no stage that runs here")
    if place.partition >= (count := partitions.of(_GROUPS[place.topic])):
        raise typer.BadParameter(f"{place.topic} has {count} partitions, the first is 0")
    return place
