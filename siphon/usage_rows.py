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


class Table(NamedTuple):
    """What is printed. The sums are of all that was asked, also of what is not listed."""

    rows: list[Row]
    total: Sum
    unpriced: dict[str | None, int]  # model → requests that no sum has the cost of
    earlier: int = 0  # blocks or sessions that are not listed


def table_of(
    connection: sqlite3.Connection, by: str, asked: Asked, ts: int, limit: int | None = None
) -> Table:
    """A table; `ts` is now (UTC ms). `limit`: of sessions and blocks only the newest; None: all."""
    if by == "session":
        ids = usage.session_ids(connection, asked)
        shown = ids if limit is None else ids[-limit:]
        rows = list(_sessions(connection, usage.sessions(connection, asked, shown)))
        return Table(rows, *usage.all_of(connection, asked), len(ids) - len(shown))
    if by == "blocks":
        known = blocks.begins(connection, asked)
        shown_blocks = known if limit is None else known[-limit:]
        found = blocks.blocks(connection, asked, shown_blocks)
        rows = [_block(block, asked, ts) for block in found]
        timed = usage.all_of(connection, asked, timed=True)
        return Table(rows, *timed, len(known) - len(shown_blocks))
    lines = usage.lines(connection, by, asked)
    total = usage.added(line.sum for line in lines)
    return Table([Row(line.key, line) for line in lines], total, _unpriced(lines))


def _unpriced(lines: Sequence[Line]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for line in lines:
        for model, sum_ in line.models if line.sum.unpriced_requests else ():
            if sum_.unpriced_requests:
                found[model] = found.get(model, 0) + sum_.unpriced_requests
    return found


def _sessions(connection: sqlite3.Connection, found: Sequence[Line]) -> Iterator[Row]:
    query = (
        "select s.uid, s.host, s.source, p.name, coalesce(s.title, s.native_id), s.ended_at"
        " from sessions s left join projects p on p.id = s.project_id where s.uid = ?"
    )
    for line in found:
        _, host, source, project, title, ended_at = connection.execute(query, [line.key]).fetchone()
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


def as_data(by: str, table: Table, asked: Asked) -> dict[str, Any]:
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
            for row in table.rows
        ],
        "total": _plain(table.total),
        "unpriced": [{"model": model, "requests": n} for model, n in table.unpriced.items()],
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
