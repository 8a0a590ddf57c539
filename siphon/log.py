"""Log: one log as a parser sees it. It remembers everything it read and all it could not read."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate, count
from operator import add
from pathlib import PurePosixPath
from typing import IO, Generic, NamedTuple, Protocol, TypeVar

import msgspec
import zstandard

from siphon import lines
from siphon.lines import MAKE, Line, lines_of, rows_of
from siphon.records import Problem
from siphon.salvage import documents, head, reason, repaired
from siphon.zst import unpacked

T = TypeVar("T")
Q = TypeVar("Q")
PROBLEMS_KEPT = 1000  # per log; the rest are counted in one more row
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Read(NamedTuple):
    """Something a parse depended on: a file, present or not, a glob's matches, some lines of a file."""

    kind: str  # "file", "glob" or "lines"
    path: str  # POSIX, below the home; of "lines": the path, a newline, the word they hold


class Home(Protocol):
    """One host's files as the archive, or a plain folder, holds them. Paths are POSIX, below home."""

    def open(self, path: str) -> IO[bytes] | None:
        """The file's bytes (decompressed if the archive compressed them), seekable; None: not held."""

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, sorted; syntax as in Source.globs."""

    def sqlite(self, path: str) -> AbstractContextManager[sqlite3.Connection]:
        """A read-only connection to a consistent copy of the store, its -wal included."""


class Block(NamedTuple, Generic[Q]):
    """Some lines that follow each other, at least one, by columns."""

    numbers: Sequence[int]
    offsets: Sequence[int]
    rows: Sequence[bytes]
    values: Sequence[Q]


class Log:
    """A log of one host, at a path below its home."""

    def __init__(self, home: Home, host: str, path: str) -> None:
        self.home = home
        self.host = host
        self.path = path
        self.reads: dict[Read, None] = {}  # in order; trees of thousands of files are looked up
        self.problems: list[Problem] = []
        self.counted = [0]  # all problems, shared with companions
        self._file: IO[bytes] | None = None  # opened in looking whether it is held

    @property
    def problem_count(self) -> int:
        """Problems in all, of which the first PROBLEMS_KEPT are kept."""
        return self.counted[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its last suffix (`.jsonl.zst` counts as one)."""
        return PurePosixPath(self.path.removesuffix(".zst")).stem

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts, the first being a folder (or file) directly in the home."""
        return tuple(self.path.split("/"))

    def problem(self, what: str, line: int | None = None, offset: int | None = None) -> None:
        """Record a part that could not be read; parsing goes on."""
        self.counted[0] += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(Problem(what, line, offset))

    def open(self) -> IO[bytes]:
        """The log's bytes, `.zst` decompressed; raises FileNotFoundError if the file is gone."""
        self._read("file", self.path)
        file, self._file = self._file or self.home.open(self.path), None
        if file is None:
            raise FileNotFoundError(self.path)
        return unpacked(file) if self.path.endswith(".zst") else file

    def data(self) -> bytes:
        """All of the log's bytes."""
        with self.open() as file:
            return file.read()

    def lines(self) -> Iterator[Line]:
        """Yield each whole, non-blank line; a last line without newline is not yet written."""
        for number, offset, rows in self.blocks():
            yield from lines_of(number, offset, rows)

    def objects(self, decoder: msgspec.json.Decoder[T]) -> Iterator[tuple[Line, T]]:
        """Yield (line, object) for each line; what does not decode becomes a problem.

        Salvaged with a problem: invalid UTF-8 and lone surrogates (replaced by U+FFFD) and several
        objects glued on one line (each yielded, with its own offset).
        """
        decode = decoder.decode
        return self.either(decode, decode)

    def first(self, decoder: msgspec.json.Decoder[T]) -> Iterator[tuple[Line, T]]:
        """As `objects`, decoding no line before it is asked for: for a look at a log's head."""
        for line in self.lines():
            yield from self._mended(line, decoder.decode, decoder.decode)

    def either(
        self, quick: Callable[[bytes], Q], decode: Callable[[bytes], T]
    ) -> Iterator[tuple[Line, Q | T]]:
        """As `objects`, by functions; the other one gets what the quick one, more narrow, refuses."""
        for block in self.decoded(lambda rows: list(map(quick, rows)), decode):
            for number, offset, row, value in zip(*block, strict=True):
                yield MAKE(Line, (number, offset, row)), value

    def decoded(
        self, quick: Callable[[list[bytes]], list[Q]], decode: Callable[[bytes], T]
    ) -> Iterator[Block[Q | T]]:
        """As `either`, many lines at once: `quick` reads rows; a block of which it refuses any comes
        line by line.
        """
        for number, offset, rows in self.blocks():
            try:
                values = None if rows[0].endswith(b"\r") else quick(rows)
            except _REFUSED:
                values = None
            if values is not None:
                before = accumulate(
                    map(len, rows[:-1]), initial=offset
                )  # and a byte for each line's end
                numbers = range(number, number + len(rows))
                yield Block(numbers, list(map(add, before, count())), rows, values)
                continue
            for line in lines_of(number, offset, rows):
                for (at, place, data), value in self._mended(line, lambda row: quick([row])[0], decode):
                    yield Block((at,), (place,), (data,), (value,))

    def _mended(
        self, line: Line, quick: Callable[[bytes], Q], decode: Callable[[bytes], T]
    ) -> Iterator[tuple[Line, Q | T]]:
        """A line's value; what can be saved of one that is none as it stands."""
        try:
            value = quick(line.data)
        except _REFUSED as error:
            yield from self._salvage(line, decode, error if quick is decode else None)
        else:
            yield line, value

    def blocks(self) -> Iterator[tuple[int, int, list[bytes]]]:
        """Yield whole rows, as they are, some at a time, with number and offset of the first of them."""
        number, offset = 1, 0
        rest: list[bytes] = []
        with self.open() as file:
            try:
                for rows in rows_of(file, rest):
                    yield number, offset, rows
                    number += len(rows)
                    offset += sum(map(len, rows)) + len(rows)
            except zstandard.ZstdError as error:
                self.problem(f"compressed data is damaged: {error}", number - 1, offset)
            else:
                if b"".join(rest).strip(b"\0 \t\r"):
                    self.problem("unfinished last line: waits for its rest", number, offset)

    def json(self, decoder: msgspec.json.Decoder[T]) -> T | None:
        """The whole log as one JSON document; None, with a problem, if it does not decode."""
        data = self.data().strip(b"\0 \t\r\n").removeprefix(b"\xef\xbb\xbf")
        if not data:
            self.problem("empty file", 1, 0)
            return None
        for _, value in self._salvage(Line(1, 0, data), decoder.decode, None):
            return value
        return None

    def sqlite(self) -> AbstractContextManager[sqlite3.Connection]:
        """A read-only connection to a consistent copy of the store; raises sqlite3.DatabaseError."""
        for suffix in ("", "-wal"):
            self._read("file", self.path + suffix)
        return self.home.sqlite(self.path)

    def near(self, path: str) -> "Log | None":
        """The companion at `path`, relative to this log's folder (`..` allowed); None: not held.

        It shares this log's reads and problems. Looking in vain is remembered too.
        """
        target = _join(PurePosixPath(self.path).parent, path)
        return None if target is None else self.at(target)

    def at(self, path: str) -> "Log | None":
        """As `near`, the path being below the home."""
        self._read("file", path)
        file = self.home.open(path)
        if file is None:
            return None
        other = Log(self.home, self.host, path)
        other._file = file
        other.reads, other.problems, other.counted = self.reads, self.problems, self.counted
        return other

    def lines_with(self, path: str, word: str) -> list[Line]:
        """Whole lines of the file at `path`, below the home, that hold the word; [] if it is not held.

        The parse depends on these lines alone, not on the rest of the file.
        """
        self._read("lines", f"{path}\n{word}")
        return lines_with(self.home, path, word)

    def glob(self, pattern: str) -> list[str]:
        """Paths below the home that match a pattern relative to this log's folder, sorted."""
        target = _join(PurePosixPath(self.path).parent, pattern)
        if target is None:
            return []
        self._read("glob", target)
        return self.home.glob(target)

    def _read(self, kind: str, path: str) -> None:
        self.reads[Read(kind, path)] = None

    def _salvage(
        self, line: Line, decode: Callable[[bytes], T], error: Exception | None
    ) -> Iterator[tuple[Line, T]]:
        """What can be had of a line that did not decode; `error` None: it was not yet tried."""
        if error is None:
            try:
                yield line, decode(line.data)
                return
            except _REFUSED as first:
                error = first
        text, repairs = repaired(line.data)
        if repairs:
            self.problem(f"{', '.join(repairs)}: replaced", line.number, line.offset)
        for start, end in documents(text):
            part = text[start:end].encode()
            place = Line(line.number, line.offset + len(text[:start].encode()), part)
            try:
                yield place, decode(part)
            except (msgspec.DecodeError, RecursionError) as again:
                self.problem(f"{reason(again)}: {head(part)}", line.number, place.offset)
            if end < len(text):
                self.problem("several values on one line: split", line.number, line.offset)


def lines_with(home: Home, path: str, word: str) -> list[Line]:
    """See Log.lines_with; reads the file, and remembers nothing."""
    file = home.open(path)
    if file is None:
        return []
    with file:
        return lines.lines_with(file, word)


def _join(folder: PurePosixPath, path: str) -> str | None:
    """The normalised path below the home; None if it leaves the home."""
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in (".", "/"):
            parts.append(part)
    return "/".join(parts)
