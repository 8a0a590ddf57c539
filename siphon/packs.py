"""Replaced generations without their repetitions: a store of 500 MB that changed a page adds a chunk.

    .packed/<host>/<n>/<path>    a generation: its size, then the hash of each of its chunks, one a line
    .chunks/<ab>/<hash>          a chunk, zstd; shared by all generations that have it
"""

import hashlib
import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import zstandard

from siphon import private
from siphon.bounded import bounded
from siphon.deposit import GENERATIONS, PARTS, located
from siphon.ledger import Ledger

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = ".packed"
CHUNKS = ".chunks"
CHUNK = 64 << 10  # bytes: SQLite changes pages in place, rewritten logs keep most of their beginning
_HEAD = "siphon-chunks 1 "
_numbers = itertools.count()


def opened(root: Path, place: str, size: int) -> IO[bytes]:
    """The first `size` bytes of what lies at a place, packed or not. Raises OSError."""
    file = located(root, place)
    if not place.startswith(PACKED + "/"):
        return bounded(str(file), size)
    head, *hashes = file.read_text().split("\n")
    if not head.startswith(_HEAD):
        raise OSError(f"{file}: not a packed generation")
    return io.BufferedReader(_Chunks(root, hashes, size), CHUNK)


def pack(root: Path, ledger: Ledger, host: str) -> None:
    """Pack the host's replaced generations; each is there, in one form or the other, at any moment."""
    sql = """select log_id, g.generation, g.size, g.place from generations g join logs on id = log_id
        where host = ? and g.size > ? and g.place glob ? order by log_id, g.generation"""
    for log_id, generation, size, place in ledger.rows(sql, host, CHUNK, f"{GENERATIONS}/*"):
        packed = PACKED + place.removeprefix(GENERATIONS)
        try:
            _pack(root, place, packed, size)
        except FileNotFoundError:
            continue  # the archive has lost it: for `verify` to tell
        with ledger.write() as db:
            sql = "update generations set place = ? where log_id = ? and generation = ?"
            db.execute(sql, (packed, log_id, generation))
        located(root, place).unlink()


def _pack(root: Path, place: str, packed: str, size: int) -> None:
    new: list[Path] = []
    hashes = []
    with bounded(str(located(root, place)), size) as file:
        while chunk := file.read(CHUNK):
            hashes.append(hashlib.sha256(chunk).hexdigest())
            new += _stored(root, hashes[-1], chunk)
    list_of_chunks = "\n".join([f"{_HEAD}{size}", *hashes])
    new.append(_put(root, located(root, packed), list_of_chunks.encode()))
    private.sync({*new, *(path.parent for path in new), root / CHUNKS})


def _stored(root: Path, name: str, chunk: bytes) -> Iterator[Path]:
    """The chunk's file, if it was not there yet."""
    path = _chunk(root, name)
    if not path.exists():
        yield _put(root, path, zstandard.ZstdCompressor(write_checksum=True).compress(chunk))


def _put(root: Path, path: Path, data: bytes) -> Path:
    part = root / PARTS / f"pack-{os.getpid()}-{next(_numbers)}"
    with private.create(part) as file:
        file.write(data)
    private.folder(path.parent)
    part.replace(path)
    return path


def _chunk(root: Path, name: str) -> Path:
    return Path(f"{root}/{CHUNKS}/{name[:2]}/{name}")


class _Chunks(io.RawIOBase):
    """A packed generation, seekable."""

    def __init__(self, root: Path, hashes: list[str], size: int) -> None:
        self._root = root
        self._hashes = hashes
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer from the chunk under way."""
        view = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        data = self._read(self._at // CHUNK)[self._at % CHUNK :][: len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As any file's."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def _read(self, number: int) -> bytes:
        path = _chunk(self._root, self._hashes[number])
        try:
            return zstandard.ZstdDecompressor().decompress(path.read_bytes())
        except zstandard.ZstdError as error:
            raise OSError(f"{path}: damaged: {error}") from error
