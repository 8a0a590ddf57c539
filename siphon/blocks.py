"""Windows of five hours, as tools' limits have them, and where one stands in the running one."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from siphon import usage, zones
from siphon.usage import Asked, Line, Part, Sum

HOUR = 3_600_000
BLOCK = 5 * HOUR


class Block(NamedTuple):
    """Five hours of one tool, from the first hour that has a request and lies in no block before."""

    source: str
    begin: int  # UTC ms
    last_hour: int  # the last one with a request
    line: Line

    @property
    def hours(self) -> int:
        """From the first hour that has a request to the last."""
        return (self.last_hour - self.begin) // HOUR + 1

    @property
    def usd_per_hour(self) -> float | None:
        """How fast it burns."""
        cost = self.line.sum.cost_usd
        return None if cost is None else cost / self.hours

    @property
    def tokens_per_minute(self) -> float:
        return self.line.sum.tokens / (60 * self.hours)


def blocks(connection: sqlite3.Connection, asked: Asked) -> list[Block]:
    """The blocks, the oldest first; what is filtered out takes no part in them."""
    known = [row[0] for row in connection.execute("select distinct source from sessions")]
    found = [
        block
        for source in known
        if not asked.sources or source in asked.sources
        for block in _blocks(source, _hours(connection, asked._replace(sources=(source,))))
    ]
    return sorted(found, key=lambda block: (block.begin, block.source))


def _hours(connection: sqlite3.Connection, asked: Asked) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = {}
    for hour, model, sum_ in usage.parts(connection, "u.hour", [], asked):
        if hour >= 0:
            found.setdefault(hour, []).append((None, model, sum_))
    return found


def _blocks(source: str, hours: dict[int, list[Part]]) -> Iterator[Block]:
    begins: dict[int, list[int]] = {}
    begin = None
    for hour in sorted(hours):
        if begin is None or hour >= begin + BLOCK:
            begin = hour
        begins.setdefault(begin, []).append(hour)
    for begin, inside in begins.items():
        (line,) = usage.gathered(part for hour in inside for part in hours[hour])
        yield Block(source, begin, inside[-1], line)


class Now(NamedTuple):
    """Where one stands; costs are None where no price is known."""

    today: Sum
    month: Sum
    block: Block | None  # that is running, of all tools the dearest


def now(connection: sqlite3.Connection, asked: Asked, ts: int) -> Now:
    """Today, this month, and the block that runs at `ts` (UTC ms)."""
    today = zones.local(ts, asked.zone).date()
    months = usage.lines(connection, "monthly", asked._replace(since=today.replace(day=1), until=today))
    days = usage.lines(connection, "daily", asked._replace(since=today, until=today))
    recent = asked._replace(since=date.fromordinal(today.toordinal() - 2), until=today)
    running = [block for block in blocks(connection, recent) if block.begin <= ts < block.begin + BLOCK]
    return Now(
        usage.added(line.sum for line in days),
        usage.added(line.sum for line in months),
        max(running, key=lambda block: block.line.sum.cost_usd or 0, default=None),
    )
