"""The set-based pass after logs were replaced: names, copies, relations (design §4).

It looks only at what was touched, and gives the same result in whatever order logs arrived.
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from siphon.costs import cost
from siphon.db import run, script
from siphon.price_table import PriceTable
from siphon.records import Request
from siphon.replacing import Changes

TABLES = ("messages", "tool_calls", "requests")
USAGE = Request._fields[5:12]  # tokens by class, web searches
_RAISED = (*USAGE, "reported_nanousd", "incomplete")  # what the maximum over all sightings is taken of
_KEPT = (*_RAISED, "cost_nanousd", "price_id", "price_rule")


def mark_all(connection: sqlite3.Connection, prices: PriceTable) -> None:
    """After a bulk load: everything is touched."""
    _temporary(connection)
    connection.execute("insert into temp.touched_sessions select id from sessions")
    connection.execute(
        "insert into temp.touched_natives select distinct source, native_id from sessions"
    )
    _sessions(connection)
    for table in TABLES:
        connection.execute(
            f"insert into temp.touched"
            f" select identity from {table} group by identity having count(*) > 1"
        )
        _mark(connection, table, prices)
    _relations(connection)


def mark(connection: sqlite3.Connection, changes: Changes, prices: PriceTable) -> None:
    """After some logs were replaced. Leaves temp.touched_sessions for `refresh`."""
    _temporary(connection)
    connection.executemany(
        "insert or ignore into temp.touched_sessions values (?)", [(key,) for key in changes.sessions]
    )
    connection.executemany(
        "insert or ignore into temp.touched_natives values (?, ?)",
        [(source, native) for _, source, native in changes.native_ids],
    )
    connection.execute(
        "insert or ignore into temp.touched_natives"
        " select source, native_id from sessions where id in temp.touched_sessions"
    )
    _sessions(connection)
    for table in TABLES:
        connection.executemany(
            "insert or ignore into temp.touched values (?)",
            [(key,) for key in changes.identities[table]],
        )
        _touch_twins(connection, table)
        _mark(connection, table, prices)
    _relations(connection)


def _temporary(connection: sqlite3.Connection) -> None:
    run(
        connection,
        """
        drop table if exists temp.touched;
        drop table if exists temp.touched_sessions;
        drop table if exists temp.touched_natives;
        create temp table touched (identity integer primary key);
        create temp table touched_sessions (id integer primary key);
        create temp table touched_natives (source text, native_id text, primary key (source, native_id))
            without rowid;
        """,
    )


def _sessions(connection: sqlite3.Connection) -> None:
    """Uids, copies among sessions of one native id, and whether a session is derived from another."""
    run(connection, script("naming.sql"))


def _touch_twins(connection: sqlite3.Connection, table: str) -> None:
    """A session's end decides ties: of touched sessions, all rows that have copies are looked at."""
    connection.execute(
        f"""
        insert or ignore into temp.touched
        select identity from {table} r
        where session_id in temp.touched_sessions
        and (copy_of is not null or exists (select 1 from {table} c where c.copy_of = r.id))
        """
    )


def _mark(connection: sqlite3.Connection, table: str, prices: PriceTable) -> None:
    nested = "r.nested" if table == "requests" else "0"
    run(connection, script("copies.sql").format(table=table, nested=nested))
    if table == "requests":
        _raise_usage(connection, prices)
    connection.execute("delete from temp.touched")


def _raise_usage(connection: sqlite3.Connection, prices: PriceTable) -> None:
    """Give each owner the field-wise maximum over the sightings; its own numbers are kept in `own`."""
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    ours, theirs = (", ".join(f"{row}.{name}" for name in _RAISED) for row in ("r", "o"))
    cursor.execute(
        "select r.* from requests r where r.identity in ("
        "select r.identity from temp.touched t join requests r on r.identity = t.identity"
        " left join requests o on o.id = r.copy_of"
        f" where r.own is not null or (o.id is not null and ({ours}) is not ({theirs})))"
        " order by r.identity, r.copy_of is not null"
    )
    changed = [
        change
        for _, rows in groupby(cursor, key=lambda row: row["identity"])
        for change in _raised(list(rows), prices)
    ]
    sets = ", ".join(f"{name} = ?" for name in (*_KEPT, "own"))
    for key, session, values in changed:
        connection.execute(f"update requests set {sets} where id = ?", [*values, key])
        connection.execute("insert or ignore into temp.touched_sessions values (?)", [session])


def _raised(rows: list[sqlite3.Row], prices: PriceTable) -> Iterator[tuple[int, int, list[object]]]:
    """(id, session, values of _KEPT and own) of the sightings that must change; the owner is first."""
    own = [_own(row) for row in rows]
    most = _maximum(own) if len(own) > 1 else own[0]
    for row, given in zip(rows, own, strict=True):
        wanted = given
        if row["copy_of"] is None and any(most[name] != given[name] for name in _RAISED):
            wanted = {**given, **most, **_price(row, most, prices)}
        values = [wanted[name] for name in _KEPT]
        note = None if wanted is given else msgspec.json.encode(given).decode()
        if values != [row[name] for name in _KEPT] or note != row["own"]:
            yield row["id"], row["session_id"], [*values, note]


def _own(row: sqlite3.Row) -> dict[str, Any]:
    """The row's numbers as its own log gave them."""
    if row["own"] is not None:
        return msgspec.json.decode(row["own"], type=dict[str, Any])
    return {name: row[name] for name in _KEPT}


def _maximum(sightings: list[dict[str, Any]]) -> dict[str, Any]:
    """Field by field; `incomplete` only if every sighting is."""
    most = {
        name: max((own[name] for own in sightings if own[name] is not None), default=None)
        for name in _RAISED
    }
    return {**most, "incomplete": min(own["incomplete"] for own in sightings)}


def _price(row: sqlite3.Row, usage: dict[str, Any], prices: PriceTable) -> dict[str, Any]:
    request = Request(
        session="", native_id=None, seq=0, model=row["model"], ts=row["ts"],
        tier=row["tier"], geo=row["geo"], provider=row["provider"], aggregate=bool(row["aggregate"]),
        **{name: usage[name] for name in USAGE},
    )  # fmt: skip
    return cost(prices, request)._asdict()


def _relations(connection: sqlite3.Connection) -> None:
    run(connection, script("relations.sql"))
