"""Windows of five hours, as tools' limits have them, and where one stands in the running one."""

import sqlite3
from collections.abc import Iterator, Sequence
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


class Begin(NamedTuple):
    """Where a block lies."""

    begin: int  # UTC ms
    source: str
    last_hour: int


def begins(connection: sqlite3.Connection, asked: Asked) -> list[Begin]:
    """All blocks, the oldest first; what is filtered out takes no part in them."""
    hours = usage.hours(connection, asked)
    return sorted(one for source, found in hours.items() for one in _begins(source, found))


def _begins(source: str, hours: Sequence[int]) -> Iterator[Begin]:
    begin = last = hours[0]
    for hour in hours:
        if hour >= begin + BLOCK:
            yield Begin(begin, source, last)
            begin = hour
        last = hour
    yield Begin(begin, source, last)


def blocks(
    connection: sqlite3.Connection, asked: Asked, among: Sequence[Begin] | None = None
) -> list[Block]:
    """The blocks, the oldest first: all, or `among` these, which are the newest ones."""
    known = begins(connection, asked) if among is None else among
    since = min((one.begin for one in known), default=0)
    hours = {
        source: _hours(connection, asked._replace(sources=(source,)), since)
        for source in {one.source for one in known}
    }
    found = []
    for one in known:
        inside = range(one.begin, one.begin + BLOCK, HOUR)
        parts = (part for hour in inside for part in hours[one.source].get(hour, ()))
        (line,) = usage.gathered(parts)
        found.append(Block(one.source, one.begin, one.last_hour, line))
    return found


def _hours(connection: sqlite3.Connection, asked: Asked, since: int) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = {}
    for hour, model, sum_ in usage.parts(connection, "u.hour", [], asked, "u.hour >= ?", [since]):
        found.setdefault(hour, []).append((None, model, sum_))
    return found


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
