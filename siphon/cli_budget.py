"""`siphon budget`: what was spent of the caps in siphon.yml; the exit code tells the worst."""

import time
from contextlib import closing
from typing import Any

import click

from siphon import figures, zones
from siphon.budget import EXITS, OVER, WITHIN, Spent, check, said, worst
from siphon.cli import as_json, complain, config_of, emit
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.texttable import Column, Line, printed

_HINT = "add to siphon.yml, for example:\nbudgets:\n  all: {daily: 50, monthly: 600, soft: 80%}"


@click.command()
@click.option(
    "--timezone", metavar="ZONE", help="Days of this zone (Europe/Berlin, UTC); else this machine's."
)
@click.option("--quiet", is_flag=True, help="Print only caps that are near, on course or passed.")
@as_json
@click.pass_context
def budget(context: click.Context, timezone: str | None, quiet: bool, json_: bool) -> None:
    """What was spent of the budgets in siphon.yml: daily, weekly and monthly caps in USD.

    \b
    budgets:
      all: {daily: 50, weekly: 200, monthly: 600, soft: 80%}
      gpu box: {hosts: [gpu], monthly: 300}
      codex: {sources: [codex], projects: [siphon], weekly: 40}

    \b
    Exit codes: 0 within all caps; 3 near one (its soft share) or on course to pass one at the pace of
    the last days; 4 one is passed; 1 something failed; 2 wrong usage.

    \b
    Examples:
      siphon budget
      siphon budget --quiet --timezone Europe/Berlin
    """
    config = config_of(context)
    if not config.budgets:
        raise SiphonError(f"no budgets; {_HINT}")
    zone = zones.zone(timezone)
    with closing(connect(config.database)) as connection:
        found = check(connection, config.budgets, zone, time.time_ns() // 1_000_000)
    if json_:
        emit([_plain(one) for one in found])
    else:
        _print([one for one in found if not quiet or one.state != WITHIN], zone.name, quiet)
    context.exit(EXITS[worst(found)])


def _plain(one: Spent) -> dict[str, Any]:
    money = ("cap", "soft", "spent", "pace", "headed")
    return {
        "budget": one.budget,
        "period": one.period,
        "since": one.since.isoformat(),
        **{f"{name}_usd": getattr(one, name) / 1e9 for name in money},
        "share": one.share,
        "unpriced_requests": one.unpriced_requests,
        "state": one.state,
    }


_COLUMNS = (
    Column("Budget", cut=True), Column("Period"), Column("Since"),
    *(Column(name, right=True) for name in ("Spent", "Cap", "Share", "A day", "Headed for")),
    Column("State"),
)  # fmt: skip


def _print(found: list[Spent], zone: str, quiet: bool) -> None:
    if found:
        click.echo("\n".join(printed(_COLUMNS, [Line(_cells(one)) for one in found])))
    if not quiet:
        click.echo(f"API-equivalent cost; days in {zone}", err=True)
    for one in found:
        if one.state != WITHIN:
            complain(f"{'passed' if one.state == OVER else one.state}: {said(one)}")
        if one.unpriced_requests:
            left_out = figures.plural(one.unpriced_requests, "request")
            complain(f"{one.budget} {one.period} leaves out {left_out} without a known price")


def _cells(one: Spent) -> tuple[str, ...]:
    spent, cap, pace, headed = (
        figures.usd(amount / 1e9) for amount in (one.spent, one.cap, one.pace, one.headed)
    )
    since = one.since.isoformat()
    return one.budget, one.period, since, spent, cap, f"{one.share:.0%}", pace, headed, one.state
