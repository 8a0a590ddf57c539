"""`siphon usage`: what was used and what it cost, over all machines and tools: tables, JSON, CSV."""

import csv
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import click

from siphon import blocks, figures, origins, usage, zones
from siphon.blocks import BLOCK, Block
from siphon.cli import as_json, config_of, emit
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.origins import Origin
from siphon.usage import Asked, Line, Sum
from siphon.usage_table import Row, print_origins, print_table, total, unpriced

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
        rows = _rows(connection, by, asked)
    if json_:
        return emit(as_data(by, rows, asked))
    if csv_:
        return _print_csv(by, rows, breakdown)
    return print_table(by, rows, breakdown, asked)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SiphonError(f"{text!r} is no day; write it as 2026-01-31") from None


# --- what is printed ---


def _rows(connection: sqlite3.Connection, by: str, asked: Asked) -> list[Row]:
    if by == "blocks":
        return [_block(block, asked) for block in blocks.blocks(connection, asked)]
    found = usage.lines(connection, by, asked)
    if by == "session":
        return list(_sessions(connection, found))
    return [Row(line.key, line) for line in found]


def _sessions(connection: sqlite3.Connection, found: Sequence[Line]) -> Iterator[Row]:
    query = "select uid, host, source, project, title, ended_at from session_list"
    known = {row[0]: row[1:] for row in connection.execute(query)}
    for line in found:
        host, source, project, title, ended_at = known.get(line.key, (None,) * 5)
        more = {
            "title": title,
            "host": host,
            "source": source,
            "project": project,
            "ended_at": figures.iso(ended_at),
        }
        yield Row(line.key, line, more)


def _block(block: Block, asked: Asked) -> Row:
    begin, until = (zones.local(ts, asked.zone) for ts in (block.begin, block.begin + BLOCK))
    more = {
        "source": block.source,
        "begin": figures.iso(block.begin),
        "until": figures.iso(block.begin + BLOCK),
        "running": block.begin <= _now() < block.begin + BLOCK,
        "cost_usd_per_hour": block.usd_per_hour,
        "tokens_per_minute": round(block.tokens_per_minute, 1),
    }
    return Row(f"{begin:%Y-%m-%d %H:%M}–{until:%H:%M}", block.line, more)


def _plain(sum_: Sum) -> dict[str, Any]:
    names = [name for name in Sum._fields if not name.endswith("_nanousd")]
    return {
        **{name: getattr(sum_, name) for name in names},
        "tokens": sum_.tokens,
        "cost_usd": sum_.cost_usd,
        "reported_usd": sum_.reported_usd,
    }


def as_data(by: str, rows: Sequence[Row], asked: Asked) -> dict[str, Any]:
    """The JSON document."""
    return {
        "by": by,
        "timezone": asked.zone.name,
        "rows": [
            {
                "key": row.key,
                **row.more,
                **_plain(row.line.sum),
                "models": [{"model": model, **_plain(sum_)} for model, sum_ in row.line.models],
            }
            for row in rows
        ],
        "total": _plain(total(rows)),
        "unpriced": [{"model": model, "requests": n} for model, n in unpriced(rows).items()],
    }


def _print_csv(by: str, rows: Sequence[Row], breakdown: bool) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    more = list(rows[0].more) if rows else []
    out.writerow([by, *more, *(["model"] if breakdown else []), *_plain(usage.NOTHING)])
    for row in rows:
        start = [_cell(row.key), *map(_cell, row.more.values())]
        if not breakdown:
            out.writerow([*start, *_plain(row.line.sum).values()])
        for model, sum_ in row.line.models if breakdown else ():
            out.writerow([*start, _cell(model), *_plain(sum_).values()])


def _cell(value: object) -> object:
    """A spreadsheet must not take a title for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _explain(found: Sequence[Origin], json_: bool) -> None:
    if json_:
        return emit([{**one._asdict(), "valid_from": figures.iso(one.valid_from)} for one in found])
    return print_origins(found)


# --- one line ---


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
