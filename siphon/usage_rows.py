"""What `siphon usage` tells, line by line: as JSON, as CSV, and for its tables."""

import csv
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from siphon import blocks, figures, usage, zones
from siphon.blocks import BLOCK, Block
from siphon.usage import Asked, Line, Sum


class Row(NamedTuple):
    """A line of a table as it is printed."""

    key: str | None
    line: Line
    more: Mapping[str, Any] = {}  # of a block or session


def total(rows: Sequence[Row]) -> Sum:
    return usage.added(row.line.sum for row in rows)


def unpriced(rows: Sequence[Row]) -> dict[str | None, int]:
    """Model → requests that no sum has the cost of."""
    found: dict[str | None, int] = {}
    for row in rows:
        for model, sum_ in row.line.models:
            if sum_.unpriced_requests:
                found[model] = found.get(model, 0) + sum_.unpriced_requests
    return found


def rows_of(connection: sqlite3.Connection, by: str, asked: Asked, ts: int) -> list[Row]:
    """The lines of a table; `ts` is now (UTC ms)."""
    if by == "blocks":
        return [_block(block, asked, ts) for block in blocks.blocks(connection, asked)]
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


def _block(block: Block, asked: Asked, ts: int) -> Row:
    begin, until = (zones.local(ts, asked.zone) for ts in (block.begin, block.begin + BLOCK))
    more = {
        "source": block.source,
        "begin": figures.iso(block.begin),
        "until": figures.iso(block.begin + BLOCK),
        "running": block.begin <= ts < block.begin + BLOCK,
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


def print_csv(by: str, rows: Sequence[Row], breakdown: bool) -> None:
    """A header, then a line each; with `breakdown` a line for each model instead."""
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
