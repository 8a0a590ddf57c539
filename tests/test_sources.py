"""The laws that every source keeps, on every case under tests/homes."""

import random
import shutil
from pathlib import Path

import pytest

import goldens
from goldens import Case
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
            _check(goldens.parsed(case.source, home, home.name, path))


def _check(records: list[Record]) -> None:
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


@each_case
def test_any_damage_leaves_the_rest_readable(case: Case, tmp_path: Path) -> None:
    """Bytes flipped, lines dropped, doubled and swapped: parsing never raises."""
    chance = random.Random(case.name)
    for home in case.hosts:
        copy = tmp_path / home.name
        shutil.copytree(home, copy)
        for path in goldens.logs(case.source, home):
            whole = (copy / path).read_bytes()
            for _ in range(25):
                (copy / path).write_bytes(_damaged(whole, chance))
                _check(goldens.parsed(case.source, copy, home.name, path))
            (copy / path).write_bytes(whole)


def _damaged(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    lines = data.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    match chance.choice(["flip", "drop", "double", "swap", "cut"]):
        case "flip":
            spot = chance.randrange(len(data))
            return data[:spot] + bytes([data[spot] ^ (1 << chance.randrange(8))]) + data[spot + 1 :]
        case "drop":
            del lines[at]
        case "double":
            lines.insert(at, lines[at])
        case "swap":
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case "cut":
            return data[: chance.randrange(len(data))]
    return b"".join(lines)


def test_every_source_is_named_once_and_matches_something() -> None:
    assert sources(), "no source found"
    assert all(name == source.name and source.globs for name, source in sources().items())


@each_case
def test_no_other_source_claims_a_log(case: Case) -> None:
    for home in case.hosts:
        for path in goldens.logs(case.source, home):
            claims = [s.name for s in sources().values() if path in goldens.logs(s, home)]
            assert claims == [case.source.name]
