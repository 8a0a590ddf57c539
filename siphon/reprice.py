"""All costs by today's prices: one pass over the requests, then the sums of what has changed."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from siphon.costs import cost, table_rows
from siphon.db import run, script, transaction
from siphon.price_table import PriceTable
from siphon.records import Request

_USAGE = Request._fields[5:12]  # tokens by class, web searches
_CHUNK = 20_000  # rows between two words of progress


class Shift(NamedTuple):
    """What became of one model's requests, copies left out. Costs in nano-USD; None: none was priced."""

    source: str
    model: str | None
    requests: int  # whose cost has changed
    priced: int  # that had no price
    unpriced: int  # that have none any more
    before: int | None
    after: int | None


class Repriced(NamedTuple):
    """What a pass did."""

    requests: int  # looked at, copies among them
    changed: int  # copies among them
    shifts: list[Shift]  # the largest difference first
    before: int | None  # nano-USD, of all requests that are no copies
    after: int | None
    unpriced: list[tuple[str | None, int]]  # model, requests that still have no price


def silent(_done: int, _total: int) -> None:
    """Says nothing."""


def outdated(connection: sqlite3.Connection, table: PriceTable) -> bool:
    """Whether the database was priced by another table."""
    row = connection.execute("select value from meta where key = 'prices'").fetchone()
    return row is None or row[0] != table.version


def store_prices(connection: sqlite3.Connection, table: PriceTable) -> None:
    """Put the table's rows in the place of those that are there."""
    connection.execute("delete from prices")
    connection.executemany(f"insert into prices values ({', '.join('?' * 13)})", table_rows(table))
    connection.execute("insert or replace into meta values ('prices', ?)", [table.version])


def reprice(
    connection: sqlite3.Connection, table: PriceTable, progress: Callable[[int, int], None] = silent
) -> Repriced:
    """Reckon every request's cost anew, in one transaction; write what differs, and its sums."""
    with transaction(connection):
        before = _sum(connection)
        (total,) = connection.execute("select count(*) from requests").fetchone()
        connection.execute("drop table if exists temp.repriced")
        connection.execute(
            "create temp table repriced (id integer primary key, cost integer, price integer, rule text,"
            " own text)"
        )
        for done, rows in _chunks(connection, table):
            connection.executemany("insert into temp.repriced values (?, ?, ?, ?, ?)", rows)
            progress(done, total)
        shifts = _shifts(connection)
        changed = _write(connection)
        store_prices(connection, table)
        run(connection, script("rollups.sql"))
        after = _sum(connection)
        left = connection.execute(
            "select nullif(model, ''), sum(unpriced_requests) from usage_hours"
            " where unpriced_requests > 0 group by 1 order by 2 desc, 1"
        ).fetchall()
    return Repriced(total, changed, shifts, before, after, left)


def _sum(connection: sqlite3.Connection) -> int | None:
    row = connection.execute("select sum(cost_nanousd) from requests where copy_of is null").fetchone()
    return None if row[0] is None else int(row[0])


def _chunks(
    connection: sqlite3.Connection, table: PriceTable
) -> Iterator[tuple[int, list[tuple[object, ...]]]]:
    """(requests seen so far, values of those that differ)."""
    names = ", ".join(_USAGE)
    cursor = connection.execute(
        "select id, own, cost_nanousd, price_id, price_rule, model, ts, provider, tier, geo, aggregate,"
        f" {names} from requests order by id"
    )
    done = 0
    while rows := cursor.fetchmany(_CHUNK):
        done += len(rows)
        yield done, [changed for row in rows if (changed := _repriced(row, table)) is not None]


def _repriced(row: tuple[Any, ...], table: PriceTable) -> tuple[object, ...] | None:
    """A request's new values; None where nothing changes."""
    key, own, *old = row[:5]
    facts = row[5:11]
    new = cost(table, _request(facts, row[11:]))
    told = None if own is None else _own(own, facts, table)
    return None if (tuple(old), own) == (tuple(new), told) else (key, *new, told)


def _request(facts: tuple[Any, ...], usage: tuple[Any, ...]) -> Request:
    model, ts, provider, tier, geo, aggregate = facts
    return Request(
        session="", native_id=None, seq=0, model=model, ts=ts, tier=tier, geo=geo, provider=provider,
        aggregate=bool(aggregate), **dict(zip(_USAGE, usage, strict=True)),
    )  # fmt: skip


def _own(text: str, facts: tuple[Any, ...], table: PriceTable) -> str:
    """Its own usage, where another sighting raised it: that has a cost as well."""
    own = msgspec.json.decode(text, type=dict[str, Any])
    new = cost(table, _request(facts, tuple(own[name] for name in _USAGE)))
    return msgspec.json.encode({**own, **new._asdict()}).decode()


def _shifts(connection: sqlite3.Connection) -> list[Shift]:
    rows = connection.execute(
        """
        select s.source, r.model, count(*), sum(r.cost_nanousd is null), sum(n.cost is null),
            sum(r.cost_nanousd), sum(n.cost)
        from temp.repriced n
        join requests r on r.id = n.id
        join sessions s on s.id = r.session_id
        where r.copy_of is null and r.cost_nanousd is not n.cost
        group by 1, 2
        """
    )
    found = [Shift._make(row) for row in rows]
    return sorted(found, key=lambda one: -abs((one.after or 0) - (one.before or 0)))


def _write(connection: sqlite3.Connection) -> int:
    """Write what differs; leaves the sessions it touched in temp.touched_sessions."""
    connection.execute("drop table if exists temp.touched_sessions")
    connection.execute("create temp table touched_sessions (id integer primary key)")
    connection.execute(
        "insert into temp.touched_sessions select distinct r.session_id from temp.repriced n"
        " join requests r on r.id = n.id"
    )
    cursor = connection.execute(
        """
        update requests set cost_nanousd = n.cost, price_id = n.price, price_rule = n.rule, own = n.own
        from temp.repriced n where n.id = requests.id
        """
    )
    connection.execute("drop table temp.repriced")
    return cursor.rowcount
