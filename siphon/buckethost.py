"""A machine's folder in a bucket as a host: objects instead of files.

Every read asks for the version that was listed (If-Match), so that what arrives is that version or
nothing. Of an object that grew only the tail is fetched, if what is held proves to be its beginning: by
the ETag where that is a hash (siphon/etag.py), by the hash that `siphon push` states, else by samples.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError

from siphon.ahead import ahead
from siphon.bucketerrors import reason
from siphon.bucketlist import Object, listed
from siphon.errors import SiphonError
from siphon.etag import Digest, bare
from siphon.hosts import BLOCK, Found, Listing, Piece, Proof, Want
from siphon.layout import RAW, arranged, path_of
from siphon.wanted import Wanted

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SHA256 = "siphon-sha256"  # metadata that a push adds: of all bytes, hex
_RANGE = 8 << 20  # bytes asked for at a time
_AT_ONCE = 4  # such ranges
_SMALL = 1 << 20
_SMALL_AT_ONCE = 16
_WINDOW = 8192  # bytes of a sample
_WINDOWS = 16
_FULL_CHECK = 16  # sizes of which one is not believed on samples
_CHANGED = Proof("it is another version now")

Held = Callable[[str], IO[bytes] | None]


class _Changed(Exception):  # noqa: N818  # news, not an error
    """The object is no longer the version that was listed."""


class BucketHost:
    """One machine of a bucket."""

    means = "bucket"

    def __init__(self, store: "ObjectStore", where: str, machine: str, held: Held) -> None:
        """`where` is for messages; `held` gives the bytes archived of a log."""
        self.wire = 0  # bytes of objects; what HTTP adds is not told
        self.store = store
        self.where = where
        self._folder = f"{machine}/{RAW}"
        self._held = held
        self._objects: dict[str, Object] = {}  # by the path of the log

    def find(self, wanted: Wanted) -> Listing:
        objects, problems = listed(self.store, self.where, self._folder, wanted)
        names = {each.key[len(self._folder) + 1 :]: each for each in objects}
        paths = {name: path for name in names if (path := path_of(name)) is not None}
        odd = [f"{name}: its name is no path below a home" for name in names.keys() - paths.keys()]
        found, twice = arranged(paths, wanted)
        self._objects = {path: names[name] for path, name in found.items()}
        there = {path: _found(path, each) for path, each in self._objects.items()}
        return Listing(there, [*problems, *sorted(odd), *twice])

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        with ThreadPoolExecutor(_SMALL_AT_ONCE) as pool:
            heads = list(pool.map(self._head, paths))
        return {path: _found(path, head) for path, head in zip(paths, heads, strict=True) if head}

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:  # noqa: ARG002
        small = [want for want in wants if want.size - want.start <= _SMALL]
        with ThreadPoolExecutor(_SMALL_AT_ONCE) as pool:
            for want, reading in ahead(pool, self._read_small, small, _SMALL_AT_ONCE * 2):
                if reading is not None:
                    yield reading.piece(want, self._held)
        for want in wants:
            if want.size - want.start > _SMALL:
                yield from self._large(want)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}  # there is no git in a bucket

    def root(self) -> None:
        return None

    def close(self) -> None:
        """Nothing to hang up."""

    def _head(self, path: str) -> Object | None:
        listed = self._objects.get(path)
        if listed is None:
            return None  # not a log, or not there
        try:
            meta = obstore.head(self.store, listed.key)
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise SiphonError(f"{self.where}: {reason(error)}") from None
        return Object.of(meta)._replace(key=listed.key)

    def _read_small(self, want: Want) -> "_Reading | None":
        """All that is wanted, at once; None: it cannot be read."""
        reading = _Reading(self, self._objects[want.path])
        try:
            reading.blocks = [reading.get(want.start, want.size)]
        except (FileNotFoundError, PermissionDeniedError):
            return None
        except _Changed:
            reading.changed = True
        return reading

    def _large(self, want: Want) -> Iterator[Piece]:
        reading = _Reading(self, self._objects[want.path])
        starts = range(want.start, want.size, _RANGE)
        with ThreadPoolExecutor(_AT_ONCE) as pool:

            def get(start: int) -> bytes:
                return reading.get(start, min(start + _RANGE, want.size))

            def blocks() -> Iterator[bytes]:
                # What fails here leaves the piece short; its proof says so.
                with suppress(_Changed, FileNotFoundError, PermissionDeniedError):
                    for _, block in ahead(pool, get, starts, _AT_ONCE):
                        yield block
                    return
                reading.changed = True

            reading.blocks = blocks()
            yield reading.piece(want, self._held)


class _Reading:
    """One object on its way, always the version that was listed."""

    def __init__(self, host: BucketHost, each: Object) -> None:
        self._host = host
        self._object = each
        self.blocks: Sequence[bytes] | Iterator[bytes] = ()
        self.changed = False
        self._stated: str | None = None  # the sha256 that whoever put it there stated

    def get(self, start: int, end: int) -> bytes:
        """The bytes from start to end. Raises _Changed, FileNotFoundError, PermissionDeniedError."""
        if end <= start:
            if start == 0:
                return b""  # as the listing says: nothing to ask for
            return self._ask(head=True)[:0]
        data = self._ask(range=(start, end))
        if len(data) != end - start:
            raise _Changed
        return data

    def piece(self, want: Want, held: Held) -> Piece:
        """The piece, once `blocks` are set."""
        sha256 = hashlib.sha256()
        digest = Digest(self._object.etag, want.size) if want.start else Digest(None, 0)

        def blocks() -> Iterator[bytes]:
            if want.start and not self.changed:
                for block in _beginning(held(want.path), want.start):
                    sha256.update(block)
                    digest.feed(block)
            for block in () if self.changed else self.blocks:
                self._host.wire += len(block)
                sha256.update(block)
                digest.feed(block)
                yield block

        def proof() -> Proof:
            return _CHANGED if self.changed else self._proof(want, sha256.hexdigest(), digest)

        return Piece(want, blocks(), proof)

    def _proof(self, want: Want, sha256: str, digest: Digest) -> Proof:
        if want.start == 0:
            # Each byte came with the ETag that was listed: it is that version. Without, who lists tells.
            return Proof(sha256) if self._object.etag else Proof()
        if digest.agrees():
            return Proof(sha256)
        if self._stated is not None:
            return Proof(self._stated)
        if want.start == want.size or random.Random(want.start).randrange(_FULL_CHECK) == 0:
            return Proof("unproved: fetch it whole")
        try:
            samples = [(at, self.get(at, to)) for at, to in _windows(want.start)]
        except (_Changed, FileNotFoundError, PermissionDeniedError):
            return _CHANGED
        self._host.wire += sum(len(sample) for _, sample in samples)
        return Proof(samples=samples)

    def _ask(self, **options: Any) -> bytes:
        """An answer that is of the version listed."""
        etag = self._object.etag
        if etag is not None:
            options["if_match"] = f'"{etag}"'
        try:
            answer = obstore.get(self._host.store, self._object.key, options=options)  # type: ignore[arg-type]  # a TypedDict
            data = bytes(answer.bytes())
        except PreconditionError:
            raise _Changed from None
        except PermissionDeniedError:
            raise
        except BaseError as error:
            raise SiphonError(f"{self._host.where}: {reason(error)}") from None
        if etag is not None and bare(answer.meta["e_tag"]) != etag:
            raise _Changed  # a store that does not know If-Match
        self._stated = answer.attributes.get(SHA256)
        return data


def _found(path: str, each: Object) -> Found:
    return Found(path, each.size, each.mtime, None, settled=each.etag is not None, etag=each.etag)


def _beginning(file: IO[bytes] | None, size: int) -> Iterator[bytes]:
    """The first bytes of what is held."""
    if file is None:
        return
    with file:
        while size > 0 and (block := file.read(min(size, BLOCK))):
            yield block
            size -= len(block)


def _windows(size: int) -> list[tuple[int, int]]:
    """Where to look, from and to: the first and the last bytes held, and some between."""
    if size <= _WINDOW * _WINDOWS:
        return [(0, size)]
    between = random.Random(size).sample(range(_WINDOW, size - _WINDOW), _WINDOWS - 2)
    starts = sorted([0, size - _WINDOW, *between])
    return [(start, min(start + _WINDOW, size)) for start in starts]
