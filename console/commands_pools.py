"""`kairos pools`: say whether a file of pools is right, redeem codes that tills report, move slices of budgets."""

import asyncio
from collections.abc import Mapping
from os import getpid
from pathlib import Path
from typing import Annotated

import typer

from console.moving import Fate, moved
from console.moving import said as moving_said
from console.output import errors, fail, out, said, settings
from console.publishing import catalogue
from console.redeeming import outcome_lines, redeemed
from console.redemptions import RedemptionsError, read_redemptions
from kairos.ids import content_hash
from kairos.instants import moment
from kairos.money import Money, parse
from kairos.offers import Slice
from kairos.reservations import Move
from rules.pools import Published, load_pools, published_pools
from rules.problems import many, suggest
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Client = Mapping[str, object]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the file of pools")],
) -> None:
    """Say every mistake in a file of pools with its line and column, or what the pools come to."""
    loaded = load_pools(file.read_bytes(), str(file))
    for problem in loaded.problems:
        errors.print(str(problem), markup=False, highlight=False)
    if loaded.problems:
        raise typer.Exit(1)
    worth: dict[str, int] = {}
    for pool in loaded.pools:
        most = pool.value * pool.count
        worth[pool.currency] = worth.get(pool.currency, 0) + min(most, most if pool.budget is None else pool.budget)
    total = " and ".join(str(Money(minor, currency)) for currency, minor in sorted(worth.items()))
    out.print(f"{many(len(loaded.pools), 'pool')}, at most {total} of face value", markup=False, highlight=False)


@app.command()
def redeem(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: code, and pool, at, amount if known")],
    wait: Annotated[
        float, typer.Option(min=0.1, max=3600, help="how many seconds to wait for the ledger's answer")
    ] = 60,
) -> None:
    """Redeem the codes that tills report: the whole file or, if anything in it is wrong, nothing.

    Example: kairos pools redeem redeemed.csv

    It says how many coupons were redeemed, how many had been before, and which lines the ledger refused. Exit code 0
    where none was refused, 1 where one was, 3 where the ledger did not answer in time: then the redemptions stay, and
    are carried out later.
    """
    with said():
        told = settings().cluster.for_aiokafka()
        known = asyncio.run(_in_force(told))
        pools = {pool.pool: pool for pool in known.pools}
        now = clock.now()
        trace = content_hash(f"{file.absolute()}:{getpid()}:{now}".encode())
        try:
            orders = read_redemptions(file, pools, moment(now))
            with errors.status("checking the file ...") as status:

                def tell(doing: str, number: int) -> None:
                    status.update(f"{doing} ... {number:,}")

                outcome = asyncio.run(redeemed(told, orders, trace, (now, wait), tell))
        except RedemptionsError as error:
            errors.print("\n".join(error.problems), markup=False, highlight=False)
            raise typer.Exit(1) from None
    sentence, refused = outcome_lines(file.name, outcome, wait)
    if not outcome.is_answered:
        errors.print(sentence, style="yellow", markup=False, highlight=False)
        raise typer.Exit(3)
    out.print(sentence, markup=False, highlight=False)
    if refused:
        errors.print("\n".join(refused), markup=False, highlight=False)
        raise typer.Exit(1)


@app.command()
def move(
    budget: Annotated[str, typer.Argument(help="the shared budget's id")],
    amount: Annotated[str, typer.Argument(help="how much, such as 50000 or 50000.00")],
    of: Annotated[str, typer.Option("--from", help="the programme that gives it up")],
    to: Annotated[str, typer.Option("--to", help="the programme that gets it")],
    name: Annotated[str | None, typer.Option("--name", help="the move's name; by a name it is done once")] = None,
    wait: Annotated[
        float, typer.Option(min=0.1, max=3600, help="how many seconds to wait for the ledger's answer")
    ] = 15,
) -> None:
    """Move a part of a budget from one programme's slice to another's, and say what the ledger answered.

    Example: kairos pools move spring 50000 --from lunch --to travel --name travel-in-may

    What is not free is refused, with how much is. Exit code 0 where it is done (now, or by this name before), 1 where
    it was refused, 3 where the ledger did not answer in time: then the order stays, and is carried out later.
    """
    with said():
        told = settings().cluster.for_aiokafka()
        slice_ = _slice(asyncio.run(_in_force(told)), budget, of)
        now = clock.now()
        try:
            minor = parse(amount, slice_.currency).minor
            order = Move(
                id=name or content_hash(f"{budget}:{of}:{to}:{minor}:{now}".encode()),
                programme=of,
                to=to,
                budget=budget,
                minor=minor,
                at=moment(now),
            )
        except ValueError as error:
            fail(str(error).splitlines()[0], 2)
        with errors.status("asking the ledger ..."):
            answer = asyncio.run(moved(told, order, now, wait))
    sentence = moving_said(order, slice_.currency, answer, wait)
    if answer.fate in (Fate.ARRIVED, Fate.REPEATED):
        out.print(sentence, markup=False, highlight=False)
        return
    errors.print(sentence, style="red" if answer.fate is Fate.REFUSED else "yellow", markup=False, highlight=False)
    raise typer.Exit(1 if answer.fate is Fate.REFUSED else 3)


async def _in_force(client: Client) -> Published:
    content = (await catalogue(client)).current("pools")
    return published_pools(content) if content else Published()


def _slice(known: Published, budget: str, programme: str) -> Slice:
    slices = {(limits.programme, found.budget): found for limits in known.programmes for found in limits.slices}
    if (programme, budget) not in slices:
        budgets = {name for _, name in slices}
        fail(f"{programme} has no slice of a budget {budget}{suggest(budget, budgets - {budget})}")
    return slices[programme, budget]
