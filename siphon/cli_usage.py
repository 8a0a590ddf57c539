"""`siphon usage`: what was used and what it cost, over all machines and tools: tables, JSON, CSV."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import click

from siphon import blocks, figures, origins, usage, zones
from siphon.blocks import BLOCK
from siphon.cli import as_json, config_of, emit
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.origins import Origin
from siphon.usage import Asked, Sum
from siphon.usage_rows import as_data, print_csv, table_of

LISTED = 50  # sessions or blocks in a table, where nobody says
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _filter(name: str, what: str) -> Decorator:
    return click.option(
        f"--{name}", f"{name}s", multiple=True, metavar=name.upper(), help=f"Only {what}."
    )


@click.command(name="usage")
@click.argument("by", type=click.Choice([*usage.BY, "statusline"]), default="daily", metavar="[BY]")
@click.option("--since", metavar="DAY", help="From this day on, such as 2026-01-31.")
@click.option("--until", metavar="DAY", help="Up to and with this day.")
@_filter("host", "of this host (more than one: of any of them)")
@_filter("source", "of this tool, as `siphon sources` names it")
@_filter("project", "of this project")
@_filter("model", "by this model")
@click.option(
    "--timezone", metavar="ZONE", help="Days of this zone (Europe/Berlin, UTC); else this machine's."
)
@click.option("--breakdown", is_flag=True, help="A line for each model below each line.")
@click.option("--explain", is_flag=True, help="Which prices the sums rest on, and what they leave out.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="List the newest N sessions or blocks (0: all); else 50 in the table, all in JSON and CSV.",
)
@click.option("--csv", "csv_", is_flag=True, help="Print only CSV on stdout.")
@as_json
@click.pass_context
def usage_(
    context: click.Context,
    /,
    by: str,
    since: str | None,
    until: str | None,
    timezone: str | None,
    breakdown: bool,
    explain: bool,
    limit: int | None,
    csv_: bool,
    json_: bool,
    **filters: tuple[str, ...],
) -> None:
    """What was used and what it cost: each request once, over all machines and tools.

    \b
    BY is daily (if left out), weekly, monthly, session, blocks (of 5 hours), model, project, host,
    source, or statusline: one line with today, the month and the running block.

    \b
    siphon usage                                   a line a day
    siphon usage monthly --breakdown               a line a month, with its models
    siphon usage project --since 2026-10-01 --json
    siphon usage model --explain                   where the figures come from

    Costs are what the tokens cost at API prices; under a subscription nobody paid them.
    """
    asked = Asked(zones.zone(timezone), _day(since), _day(until), **filters)
    with closing(connect(config_of(context).database)) as connection:
        if by == "statusline":
            return click.echo(statusline(blocks.now(connection, asked, _now()), _now()))
        if explain:
            return _explain(origins.origins(connection, asked), json_)
        if limit is None and not json_ and not csv_:
            limit = LISTED
        table = table_of(connection, by, asked, _now(), limit or None)
    if json_:
        return emit(as_data(by, table, asked))
    if csv_:
        return print_csv(by, table.rows, breakdown)
    from siphon.usage_table import print_table

    return print_table(by, table, breakdown, asked)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SiphonError(f"{text!r} is no day; write it as 2026-01-31") from None


def _explain(found: Sequence[Origin], json_: bool) -> None:
    if json_:
        return emit([{**one._asdict(), "valid_from": figures.iso(one.valid_from)} for one in found])
    from siphon.usage_table import print_origins

    return print_origins(found)


def statusline(now: blocks.Now, ts: int) -> str:
    """Today, the month, and the block that runs with what is left of it."""
    parts = [f"today {_spent(now.today)}", f"month {_spent(now.month)}"]
    if now.block is not None:
        left = figures.duration(now.block.begin + BLOCK - ts)
        rate = figures.usd(now.block.usd_per_hour)
        parts.append(f"block {figures.usd(now.block.line.sum.cost_usd)} at {rate}/h, {left} left")
    return " · ".join(parts)


def _spent(sum_: Sum) -> str:
    return figures.usd(sum_.cost_usd if sum_.requests else 0)
