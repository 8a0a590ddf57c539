"""Rows of other tools' stores by column name, and the JSON in them; damage becomes a problem."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from siphon.log import Log

T = TypeVar("T")
# SQLite's own message of what is wrong with a schema may hold broken text.
DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
MAGIC = b"SQLite format 3\0"
_LONE = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def is_store(log: Log) -> bool:
    """Whether the file begins as an SQLite database does."""
    with log.open() as file:
        return file.read(len(MAGIC)) == MAGIC


def tables(log: Log, store: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table of the store; empty, with a problem, if it is damaged."""
    names = [row[0] for row in rows(log, store, "select name from sqlite_master where type = 'table'")]
    found = {}
    for name in names:
        if isinstance(name, str):
            sql = "select name from pragma_table_info(?)"
            found[name] = [str(row[0]) for row in rows(log, store, sql, (name,))]
    return found


def tables_of(log: Log) -> dict[str, list[str]]:
    """The columns of each table of what may be a store; empty if it is none."""
    if not is_store(log):
        return {}
    try:
        with log.sqlite() as store:
            return tables(log, store)
    except DAMAGE:
        return {}


def rows(
    log: Log, store: sqlite3.Connection, sql: str, parameters: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read; a damaged page ends them with a problem."""
    try:
        yield from store.execute(sql, parameters)
    except DAMAGE as error:
        log.problem(f"damaged store: {error}")


def named(
    log: Log,
    store: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    where: str = "",
    parameters: Sequence[Any] = (),
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with those of the columns that it has; `where` may sort too."""
    if columns:
        chosen = ", ".join(f'"{column}"' for column in columns)
        for row in rows(log, store, f'select {chosen} from "{table}" {where}', parameters):
            yield dict(zip(columns, row, strict=True))


def decoded(log: Log, raw: Any, decoder: msgspec.json.Decoder[T], where: str) -> T | None:
    """The value of a JSON text or cell; None, with a problem that names the place: it has none.

    Invalid UTF-8 and lone surrogates are replaced, with a problem.
    """
    raw = bytes(raw) if isinstance(raw, msgspec.Raw) else raw
    if not isinstance(raw, (str, bytes)) or not raw:
        log.problem(f"{where}: {'empty' if raw in (b'', '', None) else 'no text'}")
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _repaired(log, raw, decoder, where)


def _repaired(log: Log, raw: str | bytes, decoder: msgspec.json.Decoder[T], where: str) -> T | None:
    text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
    text = text.encode(errors="replace").decode().strip("\0 \t\r\n\ufeff")
    text = _LONE.sub(lambda match: "\\ufffd" if len(match[0]) == 6 else match[0], text)
    try:
        value = decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        log.problem(f"{where}: {error}")
        return None
    log.problem(f"{where}: invalid UTF-8 or lone surrogates: replaced")
    return value
