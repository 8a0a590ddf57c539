"""The bytes in the archive that a record was read from; no other file is ever opened."""

import sqlite3
from collections.abc import Iterator
from typing import IO, NamedTuple

from siphon.archive import Archive
from siphon.auth_limits import holds_others
from siphon.errors import SiphonError
from siphon.log import Log
from siphon.stores import is_store

LARGEST = 64 << 20  # bytes of one record that are handed out


class Raw(NamedTuple):
    """A record's bytes and where they lie. For a tool call whose result is a record of its own: two."""

    data: bytes
    path: str  # of the log, below the host's home
    offset: int


class Place(NamedTuple):
    """Where a session's log lies in the archive."""

    host: str
    path: str
    generation: int


def records(connection: sqlite3.Connection, archive: Archive, session: int, seq: int) -> list[Raw]:
    """The raw records of the session's record `seq`. Raises SiphonError where there are none."""
    place = _place(connection, session)
    spans = list(_spans(connection, session, seq))
    if not spans:
        raise SiphonError(
            f"record {seq} has no place of its own in {place.path}; the whole log is below 'Export'"
        )
    _check(archive, place)
    log = Log(archive.home(place.host), place.host, place.path)
    if is_store(log.home.open(place.path)):
        raise SiphonError(f"{place.path} is a store of which no part is handed out as it is")
    try:
        with log.open() as file:
            return [_read(file, place, span) for span in spans]
    except FileNotFoundError:
        raise SiphonError(f"{place.path} is not in the archive; `siphon verify` tells more") from None


def _read(file: IO[bytes], place: Place, span: tuple[int, int]) -> Raw:
    offset, length = span
    file.seek(offset)
    data = file.read(min(length, LARGEST))
    return Raw(data, place.path, offset)


def _spans(connection: sqlite3.Connection, session: int, seq: int) -> Iterator[tuple[int, int]]:
    key = [session, seq]
    sql = "select offset, length from messages where session_id = ? and seq = ? and length is not null"
    yield from connection.execute(sql, key).fetchall()
    sql = (
        "select offset, length, result_offset, result_length from tool_calls"
        " where session_id = ? and seq = ?"
    )
    for offset, length, result_offset, result_length in connection.execute(sql, key).fetchall():
        if length is not None:
            yield offset, length
        if result_length is not None and (result_offset, result_length) != (offset, length):
            yield result_offset, result_length


def _place(connection: sqlite3.Connection, session: int) -> Place:
    row = connection.execute(
        "select l.host, l.path, l.generation from sessions s join logs l on l.id = s.log_id"
        " where s.id = ?",
        [session],
    ).fetchone()
    return Place(*row)


def _check(archive: Archive, place: Place) -> None:
    """A rewritten log has other bytes at the places that were read."""
    if not archive.ledger.path.exists():
        raise SiphonError(f"{archive.root}: there is no archive; see 'archive' in siphon.yml")
    entry = archive.ledger.entry(place.host, place.path)
    if entry is None:
        raise SiphonError(
            f"{place.path} is not in the archive; `siphon load` brings the pages up to date"
        )
    if entry.generation != place.generation:
        raise SiphonError(
            f"{place.path} was rewritten since it was loaded; `siphon load` reads it again"
        )


def check_whole(connection: sqlite3.Connection, session: int) -> None:
    """Raises SiphonError if the session's log holds others too, which whoever asks may not read."""
    (log,) = connection.execute("select log_id from sessions where id = ?", [session]).fetchone()
    if holds_others(connection, log):
        raise SiphonError("the log holds other sessions too; take another form, such as JSON")


def gone(connection: sqlite3.Connection, archive: Archive, session: int) -> bool:
    """Whether the session's log is no longer on its host, as the last collect saw it."""
    place = _place(connection, session)
    if not archive.ledger.path.exists():
        return False
    entry = archive.ledger.entry(place.host, place.path)
    return entry is not None and entry.gone_at is not None
