"""The laws that every source keeps, on every case under tests/homes."""

import io
import os
import sqlite3
import struct
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

import goldens
from goldens import Case
from siphon import stores
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import FileTouch, Message, Record, Relation, Request, Session, ToolCall
from siphon.sources import sources

CASES = goldens.cases()
IDS = [f"{case.source.name}-{case.name}" for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=IDS)


@each_case
def test_a_case_reads_as_its_golden_says(case: Case, accept: bool) -> None:
    golden = case.folder / "expected.jsonl"
    found = goldens.text(case)
    if accept:
        golden.write_text(found)
    assert found == golden.read_text()


@each_case
def test_records_of_a_log_hang_together(case: Case) -> None:
    for home in case.hosts:
        for path in goldens.logs(case.source, home):
            hangs_together(goldens.parsed(case.source, home, home.name, path))


def hangs_together(records: Sequence[Record]) -> None:
    """What is true of the records of any log, however damaged."""
    sessions = [record.native_id for record in records if isinstance(record, Session)]
    assert len(sessions) == len(set(sessions)), "a session is yielded once"
    for kind in (Message, ToolCall, Request, Relation):
        for record in records:
            if isinstance(record, kind):
                assert record.session in sessions
    for kind in (Message, ToolCall):
        keys = [(record.session, record.seq) for record in records if isinstance(record, kind)]
        assert len(keys) == len(set(keys)), f"seq is unique among {kind.__name__}"
    requests = [
        (record.session, record.native_id)
        for record in records
        if isinstance(record, Request) and record.native_id
    ]
    assert len(requests) == len(set(requests)), "a request is yielded once a log and session"
    calls = {(record.session, record.seq) for record in records if isinstance(record, ToolCall)}
    touched = {(r.session, r.call_seq) for r in records if isinstance(r, FileTouch)}
    assert touched <= calls
    tokens = [
        value
        for record in records
        if isinstance(record, Request)
        for name, value in record._asdict().items()
        if name.endswith("_tokens") and value is not None
    ]
    assert all(value >= 0 for value in tokens)


class Damaged(NamedTuple):
    """A home in which one file has other bytes."""

    home: Folder
    path: str
    data: bytes

    def open(self, path: str) -> IO[bytes] | None:
        return io.BytesIO(self.data) if path == self.path else self.home.open(path)

    def glob(self, pattern: str) -> list[str]:
        return self.home.glob(pattern)

    def sqlite(self, path: str) -> AbstractContextManager[sqlite3.Connection]:
        return stores.copied([(end, self.open(path + end)) for end in ("", "-wal")])


Damage = tuple[str, float, float, int]  # what, where, where else (shares of the whole), which bits
_WAYS = ("flip", "flip", "drop", "double", "swap", "cut")
_ONE = struct.Struct("<BHHB")  # a damage in bytes: one choice of hypothesis is far cheaper than twelve


def _chosen(choice: bytes) -> tuple[float, list[Damage]]:
    """Which of the files (a share of them), and one to three damages."""
    at = int.from_bytes(choice[:2], "little") / 65536
    whole = (len(choice) - 2) // _ONE.size * _ONE.size
    return at, [
        (_WAYS[way % 6], here / 65536, there / 65536, 1 + bits % 255)
        for way, here, there, bits in _ONE.iter_unpack(choice[2 : 2 + whole])
    ]


def _damaged(data: bytes, damage: Damage) -> bytes:
    what, share, other, bits = damage
    lines = data.split(b"\n")
    at, to = int(share * len(lines)), int(other * len(lines))
    spot = int(share * len(data))
    match what:
        case "flip":
            return data[:spot] + bytes(byte ^ bits for byte in data[spot : spot + 1]) + data[spot + 1 :]
        case "drop":
            del lines[at]
        case "double":
            lines.insert(to, lines[at])
        case "swap":
            lines[at], lines[to] = lines[to], lines[at]
        case "cut":
            return data[:spot]
    return b"\n".join(lines)


@cache
def _files(source: str) -> list[tuple[Path, str, str]]:
    """(home, log, itself or another file of the home) of all cases of a source, the log's own first."""
    found = []
    for case in CASES:
        for home in case.hosts if case.source.name == source else ():
            others = list(Folder(home).files())
            for log in goldens.logs(case.source, home):
                found += [(home, log, other) for other in (log, log, *others[:5])]
    return found


# 1,000 of each source, the same each time; in soak 10,000, other ones each time.
SOAK = bool(os.environ.get("SIPHON_SOAK"))


@pytest.mark.parametrize("source", sorted({case.source.name for case in CASES}))
def test_any_damage_leaves_the_rest_readable(source: str) -> None:
    """Bytes flipped, lines dropped, doubled, swapped, cut off, in a log or what lies beside it."""

    @settings(max_examples=10_000 if SOAK else 1000)
    @given(st.binary(min_size=2 + _ONE.size, max_size=2 + 3 * _ONE.size))
    def never_raises(choice: bytes) -> None:
        at, damages = _chosen(choice)
        files = _files(source)
        home, path, victim = files[int(at * len(files))]
        data = (home / victim).read_bytes()
        for damage in damages:
            data = _damaged(data, damage)
        log = Log(Damaged(Folder(home), victim, data), home.name, path)
        hangs_together([*sources()[source].parse(log), *log.problems])
        recognise = sources()[source].recognise
        if recognise is not None and victim == path:
            _recognised_or_not(recognise, log)

    never_raises()


def _recognised_or_not(recognise: Callable[[Log], str | None], log: Log) -> None:
    """What siphon/recognise.py takes for an answer, and nothing else."""
    with suppress(zstandard.ZstdError):
        recognise(log)


def test_every_source_is_named_once_and_matches_something() -> None:
    assert sources(), "no source found"
    assert all(name == source.name and source.globs for name, source in sources().items())


@each_case
def test_no_other_source_claims_a_log(case: Case) -> None:
    for home in case.hosts:
        for path in goldens.logs(case.source, home):
            claims = [s.name for s in sources().values() if path in goldens.logs(s, home)]
            assert claims == [case.source.name]
