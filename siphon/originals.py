"""A session's logs as their host has them: one by itself, or those of its subagents too in a ZIP file.

First it is told which (with the database), then their bytes are read, block by block, from the archive;
never a file that is not in it, a tool's store, or a log of which whoever asks may not read all.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from siphon.archive import Archive
from siphon.auth_limits import is_limited
from siphon.errors import SiphonError
from siphon.raw import check_whole
from siphon.sessions import Header
from siphon.stores import is_store
from siphon.zst import unpacked

MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|]|[. ]+$')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Original(NamedTuple):
    """A log, and what of it is handed out."""

    host: str
    path: str  # below the home
    generation: int
    mtime: int | None  # ms, on the host
    most: int | None  # bytes; None: all
    sessions: tuple[str, ...]  # uids of those asked for that it holds


class Originals(NamedTuple):
    """The logs of a session and, if asked for, of its subagents."""

    uid: str
    logs: Sequence[Original]  # the session's own first
    left_out: Sequence[tuple[str, str]]  # uids of subagents, and why


def originals(connection: sqlite3.Connection, archive: Archive, family: Sequence[Header]) -> Originals:
    """Where the logs of the sessions lie; the first must be handed out, the others may not be.

    Raises SiphonError.
    """
    found: dict[tuple[str, str], Original] = {}
    left_out = []
    for head in family:
        try:
            one = _original(connection, archive, head)
        except SiphonError as error:
            if head is family[0]:
                raise
            left_out.append((head.uid, str(error)))
            continue
        key = (one.host, one.path)
        found[key] = one._replace(sessions=(*found.get(key, one).sessions, *one.sessions))
        found[key] = found[key]._replace(sessions=tuple(dict.fromkeys(found[key].sessions)))
    return Originals(family[0].uid, list(found.values()), left_out)


def _original(connection: sqlite3.Connection, archive: Archive, head: Header) -> Original:
    check_whole(connection, head.id)
    generation, size, mtime = connection.execute(
        "select l.generation, l.size, l.mtime from sessions s join logs l on l.id = s.log_id"
        " where s.id = ?",
        [head.id],
    ).fetchone()
    # What came after is not loaded: nobody knows yet whose sessions it tells of.
    most = size if is_limited(connection) else None
    one = Original(head.host, head.path, generation, mtime, most, (head.uid,))
    if is_store(_opened(archive, one)):
        raise SiphonError(
            f"{head.path} is a store that holds more than this session, tokens of logins maybe: it is"
            f" not handed out; `siphon restore {head.host}/{head.path} --to DIR` gives it"
        )
    return one


def _opened(archive: Archive, one: Original) -> IO[bytes]:
    file = None
    if archive.ledger.path.exists():
        file = archive.open(one.host, one.path, one.generation)
    if file is None:
        raise SiphonError(f"{one.path} is not in the archive; `siphon archive show` tells more")
    return file


def log_bytes(archive: Archive, one: Original) -> Iterator[bytes]:
    """The log to read; a `.zst` one is unpacked. Raises SiphonError."""
    with closing(_opened(archive, one)) as file:
        if not one.path.endswith(".zst"):
            yield from _blocks(file, one.most)
        else:
            with unpacked(file) as log:
                yield from _blocks(log, None)


def _blocks(file: IO[bytes], most: int | None) -> Iterator[bytes]:
    left = most
    while block := file.read(_BLOCK if left is None else min(_BLOCK, left)):
        yield block
        left = None if left is None else left - len(block)


def zipped(archive: Archive, found: Originals) -> Iterator[bytes]:
    """A ZIP file, made as it goes: the logs byte for byte, and manifest.json with their hashes."""
    rows: list[_Row] = []
    left_out = [{"session": uid, "why": why} for uid, why in found.left_out]
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as file:
        for one, name in zip(found.logs, _names(found.logs), strict=True):
            try:
                log = _opened(archive, one)
            except SiphonError as error:  # pruned in between
                left_out += [{"session": uid, "why": str(error)} for uid in one.sessions]
                continue
            rows.append(_row(name, one))
            with closing(log), file.open(_entry(name, one.mtime), "w", force_zip64=True) as entry:
                for _ in _copied(_blocks(log, one.most), entry, rows[-1]):
                    yield from sink.taken()
        told = {"session": found.uid, "logs": rows, "left_out": left_out}
        file.writestr(_entry(MANIFEST, None), json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    yield from sink.taken()


_Row = dict[str, Any]  # of the manifest


def _row(name: str, one: Original) -> _Row:
    told = ("host", "path", "generation", "mtime", "sessions")
    return {"name": name} | {key: getattr(one, key) for key in told}


def _copied(blocks: Iterator[bytes], to: IO[bytes], row: _Row) -> Iterator[None]:
    """Write the blocks, one at a time; at the end the row has their size and hash."""
    digest, size = hashlib.sha256(), 0
    for block in blocks:
        to.write(block)
        digest.update(block)
        size += len(block)
        yield
    row |= {"bytes": size, "sha256": digest.hexdigest()}


def _entry(name: str, mtime: int | None) -> ZipInfo:
    # ZIP knows years from 1980 to 2107, and what no log tells is left as the first of these.
    at = datetime.fromtimestamp(max(mtime or 0, 0) / 1000, UTC)
    entry = ZipInfo(name, at.timetuple()[:6] if 1980 <= at.year <= 2107 else (1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _names(logs: Sequence[Original]) -> list[str]:
    """Host and path as every system takes them, no two the same."""
    names: list[str] = []
    known = {MANIFEST}
    for one in logs:
        name = first = "/".join(map(_safe, f"{one.host}/{one.path}".split("/")))
        number = 1
        while name.casefold() in known:
            number += 1
            name = f"{first}~{number}"
        known.add(name.casefold())
        names.append(name)
    return names


def _safe(part: str) -> str:
    safe = _UNSAFE.sub("_", part.encode(errors="replace").decode()) or "_"
    return f"_{safe}" if _DEVICES.fullmatch(safe) else safe


class _Sink:
    """Where ZipFile writes; what is written is taken away at once. It cannot seek, nor need it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        if data:
            self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nor is anything open."""

    def taken(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        yield from parts
