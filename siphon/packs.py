"""Replaced generations without their repetitions: where 500 MB changed in a page, a page is kept.

A packed generation is a file of the chunks that no earlier one of the log had, each compressed, then an
index that says for every chunk which file has it and where, then the index's size.
"""

import hashlib
import io
import os
import struct
from pathlib import Path
from typing import IO

import msgspec
import zstandard

from siphon import private
from siphon.bounded import bounded
from siphon.hashing import digest
from siphon.ledger import Ledger
from siphon.pieces import Pieces
from siphon.places import GENERATIONS, PACKED, PARTS, doubtful, located, remove, sync_names
from siphon.resting import rests
from siphon.zst import seekable

CHUNK = 64 << 10  # bytes: SQLite changes pages in place, a rewritten log keeps most of its beginning
_TAIL = struct.Struct(">Q8s")  # the index's size
_MAGIC = b"siphonpk"
_LARGEST_INDEX = 1 << 30  # bytes


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """Where a chunk lies: in `places[place]`, compressed."""

    sha256: str
    place: int
    offset: int
    size: int


class Index(msgspec.Struct, frozen=True):
    """A generation's chunks, in order, and the packed files that have them."""

    places: list[str]
    chunks: list[Chunk]


def opened(root: Path, place: str, size: int) -> IO[bytes]:
    """The first `size` bytes of what lies at a place, packed or not. Raises OSError."""
    if rests(place):
        return seekable(located(root, place).open("rb"), size)
    if place.startswith(PACKED + "/"):
        unpacked = _Unpacked(root, index(root, place))
        return io.BufferedReader(Pieces(size, unpacked.rest, unpacked.close), CHUNK)
    return bounded(str(located(root, place)), size)


def index(root: Path, place: str) -> Index:
    """The index of a packed generation. Raises OSError."""
    with located(root, place).open("rb") as file:
        end = file.seek(-_TAIL.size, os.SEEK_END)
        size, magic = _TAIL.unpack(file.read())
        if magic != _MAGIC or size > end:
            raise OSError(f"{place}: no packed generation")
        file.seek(end - size)
        data = _decompressed(file.read(size), place, _LARGEST_INDEX)
    try:
        return msgspec.json.decode(data, type=Index)
    except msgspec.DecodeError as error:
        raise OSError(f"{place}: damaged: {error}") from error


def pack(root: Path, ledger: Ledger, host: str) -> None:
    """Pack the host's replaced generations; each is there, in one form or the other, at any moment."""
    sql = """select log_id, g.generation, g.size, g.place from generations g join logs on id = log_id
        where host = ? and g.size > ? and g.place glob ? order by log_id, g.generation"""
    for log_id, generation, size, place in ledger.rows(sql, host, CHUNK, f"{GENERATIONS}/*"):
        file = located(root, place)
        if not file.exists():
            continue  # the archive has lost it: for `verify` to tell
        packed = PACKED + place.removeprefix(GENERATIONS)
        with bounded(str(file), size) as bytes, doubtful(root, [packed, place]):
            _write(root, packed, bytes, _before(root, ledger, log_id))
            written = located(root, packed)
            size = written.stat().st_size
            row = (packed, size, digest(written, size), log_id, generation)
            with ledger.write() as db:
                db.execute(_PACK, row)
            remove(root, place)


_PACK = """update generations set place = ?, packed_size = ?, packed_sha256 = ?
    where log_id = ? and generation = ?"""


def _before(root: Path, ledger: Ledger, log_id: int) -> Index:
    """The index of the log's generation packed last; an empty one if there is none to build on."""
    sql = """select place from generations where log_id = ? and place glob ?
        order by generation desc limit 1"""
    for (place,) in ledger.rows(sql, log_id, f"{PACKED}/*"):
        try:
            return index(root, place)
        except OSError:
            break
    return Index([], [])


def _write(root: Path, place: str, file: IO[bytes], before: Index) -> None:
    """Write the packed generation whole to disk before it has its name."""
    known = {chunk.sha256: chunk for chunk in before.chunks}
    places = [*before.places, place]
    part = root / PARTS / f"pack-{os.getpid()}"
    part.unlink(missing_ok=True)
    with private.create(part) as out:
        chunks = [
            _chunk(data, known, len(places) - 1, out) for data in iter(lambda: file.read(CHUNK), b"")
        ]
        packed = _compressed(msgspec.json.encode(Index(places, chunks)))
        out.write(packed + _TAIL.pack(len(packed), _MAGIC))
    private.sync([part])
    target = located(root, place)
    private.folder(target.parent)
    part.replace(target)
    sync_names(root, [place])


def _chunk(data: bytes, known: dict[str, Chunk], place: int, out: IO[bytes]) -> Chunk:
    name = hashlib.sha256(data).hexdigest()
    if name not in known:
        packed = _compressed(data)
        known[name] = Chunk(name, place, out.tell(), len(packed))
        out.write(packed)
    return known[name]


def _compressed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _decompressed(data: bytes, place: str, largest: int) -> bytes:
    try:
        if zstandard.frame_content_size(data) > largest:
            raise OSError(f"{place}: damaged: a chunk too large")
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise OSError(f"{place}: damaged: {error}") from error


class _Unpacked:
    """A packed generation's chunks, and the files that have them."""

    def __init__(self, root: Path, index: Index) -> None:
        self._root = root
        self._index = index
        self._files: dict[int, IO[bytes]] = {}

    def rest(self, at: int) -> bytes:
        """From `at` to the end of its chunk."""
        number, skip = divmod(at, CHUNK)
        chunks = self._index.chunks
        return self._chunk(chunks[number])[skip:] if number < len(chunks) else b""

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _chunk(self, chunk: Chunk) -> bytes:
        place = self._index.places[chunk.place]
        if chunk.place not in self._files:
            self._files[chunk.place] = located(self._root, place).open("rb")
        file = self._files[chunk.place]
        file.seek(chunk.offset)
        return _decompressed(file.read(chunk.size), place, CHUNK)
