"""What is in force, as commands ask for it and put something else in its place; what cannot be done ends them."""

import asyncio
import getpass
from collections.abc import Mapping

from console.output import said, settings
from console.publishing import Known, catalogue, publish
from streams import clock

__all__ = ["in_catalogue", "put"]


def in_catalogue() -> Known:
    """Read the catalogue as it stands."""
    with said():
        return asyncio.run(catalogue(settings().cluster.for_aiokafka()))


def put(contents: Mapping[str, bytes], by: str | None, known: Known) -> dict[str, str]:
    """Put contents into force, and give the hash of each kind.

    Parameters
    ----------
    contents
        By kind.
    by
        Who does it; the user's name unless it is said.
    known
        What the catalogue holds.

    Raises
    ------
    Refused
        What is in force stays.

    """
    with said():
        client = settings().cluster.for_aiokafka()
        return asyncio.run(publish(client, contents, by or getpass.getuser(), clock.now(), known))
