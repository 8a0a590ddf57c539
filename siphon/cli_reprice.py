"""`siphon reprice`: every cost anew by today's prices, and what that changed."""

from contextlib import closing
from typing import Any

import click

from siphon import db, figures
from siphon.archive import Archive
from siphon.cli import as_json, config_of, emit
from siphon.errors import SiphonError
from siphon.own_prices import current_prices
from siphon.price_table import NANO
from siphon.reprice import Repriced, Shift
from siphon.texttable import Column, Line, printed


@click.command()
@as_json
@click.pass_context
def reprice(context: click.Context, json_: bool) -> None:
    """Reckon the cost of every request anew by today's prices, in one pass.

    \b
    Example:
      siphon reprice
    """
    from siphon.load import alone
    from siphon.progress import steps_bar
    from siphon.reprice import reprice as pass_over

    config = config_of(context)
    if not db.current(config.database):
        raise SiphonError(f"{config.database}: not there, or of an older siphon; `siphon load` makes it")
    table = current_prices(Archive(config.archive).root)
    with (
        alone(config.database),
        closing(db.connect(config.database, write=True)) as connection,
        steps_bar("repricing", quiet=json_) as progress,
    ):
        done = pass_over(connection, table, progress)
    if json_:
        return emit(_told(done))
    return _print_repriced(done)


def _print_repriced(done: Repriced) -> None:
    columns = [
        Column("Tool"), Column("Model, as logged", cut=True),
        *(Column(name, right=True) for name in ("Requests", "Before", "Now", "Difference")),
    ]  # fmt: skip
    if done.shifts:
        lines = [Line(_shifted(one)) for one in done.shifts]
        click.echo("\n".join(printed(columns, lines)))
    click.echo(
        f"{done.requests:,} requests looked at, {done.changed:,} changed: {_usd(done.before)} before,"
        f" {_usd(done.after)} now"
    )
    for model, requests in done.unpriced:
        name = model or "a model that the logs do not name"
        click.echo(f"siphon: no price is known for {name} ({requests:,} requests)", err=True)


def _shifted(one: Shift) -> tuple[str, ...]:
    difference = (one.after or 0) - (one.before or 0)
    sign = "-" if difference < 0 else "+"
    return (
        one.source,
        one.model or "(not told)",
        f"{one.requests:,}",
        _usd(one.before),
        _usd(one.after),
        sign + _usd(abs(difference)),
    )


def _usd(nano: int | None) -> str:
    return figures.usd(None if nano is None else nano / NANO)


def _told(done: Repriced) -> dict[str, Any]:
    return {
        "requests": done.requests,
        "changed": done.changed,
        "before_usd": None if done.before is None else done.before / NANO,
        "after_usd": None if done.after is None else done.after / NANO,
        "models": [
            {
                **one._asdict(),
                "before": None if one.before is None else one.before / NANO,
                "after": None if one.after is None else one.after / NANO,
            }
            for one in done.shifts
        ],
        "unpriced": [{"model": model, "requests": requests} for model, requests in done.unpriced],
    }
