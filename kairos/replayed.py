"""Replayed: the note beside a dead letter that its record was written back to where it came from."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TYPE", "Replayed"]

TYPE = "kairos.dead_letters.replayed.v1"
"""The CloudEvents type of a note."""


class Replayed(BaseModel):
    """Which dead letters of this note's partition were replayed, in one transaction with their records.

    A note lies behind its letters in the same partition, so retention never drops it before them: what was replayed
    stays known for as long as anybody could replay it again.

    Examples
    --------
    >>> Replayed(by="ann", letters=(3, 4)).model_dump_json()
    '{"by":"ann","letters":[3,4]}'

    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    by: str = Field(description="Who asked for it.")
    letters: tuple[int, ...] = Field(description="The offsets of the letters, in the partition of this note.")
