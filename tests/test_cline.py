"""Cline, Roo Code, Kilo Code: sums against a plain count, what counts once, files found elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally
from siphon.sources import sources


def _read(name: str, home: Path, path: str) -> list[Record]:
    return goldens.parsed(sources()[name], home, "laptop", path)


def _case(name: str, case: str) -> Path:
    return next(c for c in goldens.cases() if (c.source.name, c.name) == (name, case)).hosts[0]


def _told(home: Path, path: str) -> list[dict[str, Any]]:
    """What api_req_started and its like tell, where it is JSON with tokens."""
    told = []
    for message in json.loads((home / path).read_text()):
        if message.get("say") in ("api_req_started", "deleted_api_reqs", "subagent_usage"):
            try:
                told.append(json.loads(message["text"]))
            except ValueError:
                continue
    return [each for each in told if "tokensIn" in each]


@pytest.mark.parametrize(
    ("name", "case"), [("cline", "task"), ("roo_code", "subtask"), ("kilo_code", "legacy")]
)
def test_tokens_and_cost_equal_a_plain_count(name: str, case: str) -> None:
    home = _case(name, case)
    for path in goldens.logs(sources()[name], home):
        if not path.endswith("ui_messages.json"):
            continue
        requests = [
            r for r in _read(name, home, path) if isinstance(r, Request) and r.output_tokens is not None
        ]
        given = 0
        for told in _told(home, path):
            reads, writes = told.get("cacheReads", 0), told.get("cacheWrites", 0)
            if name != "cline":  # the whole input, unless it is less than its cached parts
                held = reads + writes if told["tokensIn"] >= reads + writes else 0
            else:
                held = reads if told.get("apiProtocol") == "openai" else 0
            given += told["tokensIn"] - held
        sums = [
            sum(each.get(key, 0) for each in _told(home, path))
            for key in ("tokensOut", "cacheWrites", "cacheReads")
        ]
        assert sum(r.input_tokens or 0 for r in requests) == given
        assert [
            sum(r.output_tokens or 0 for r in requests),
            sum(r.cache_write_tokens or 0 for r in requests),
            sum(r.cache_read_tokens or 0 for r in requests),
        ] == sums
        assert sum(r.reported_nanousd or 0 for r in requests) == sum(
            round(told.get("cost", 0) * 1e9) for told in _told(home, path)
        )


def test_a_task_in_three_editors_is_read_once_where_it_is_longest() -> None:
    home = _case("cline", "leftovers")
    read = {
        p: _read("cline", home, p)
        for p in goldens.logs(sources()["cline"], home)
        if "/1767225600000/" in p
    }
    twins = sorted(
        p.split("/")[2] for p, records in read.items() if records == [Tally("twin", "skipped", 1)]
    )
    assert (len(read), twins) == (3, ["Code", "Cursor"])


def test_a_task_of_which_only_the_index_is_left_is_a_partial_session_with_its_totals() -> None:
    home = _case("cline", "leftovers")
    (index,) = [
        p for p in goldens.logs(sources()["cline"], home) if "Roaming" in p and "taskHistory" in p
    ]
    records = _read("cline", home, index)
    assert [r.native_id for r in records if isinstance(r, Session) and r.partial] == ["1767225600002"]
    assert [(r.input_tokens, r.aggregate) for r in records if isinstance(r, Request)] == [(1000, True)]


def test_a_tools_result_comes_from_the_models_side_and_is_not_a_message() -> None:
    home = _case("cline", "task")
    (path,) = [p for p in goldens.logs(sources()["cline"], home) if p.endswith("ui_messages.json")]
    texts = [r.text for r in _read("cline", home, path) if isinstance(r, Message)]
    assert not any("SEARCH block does not match" in (text or "") for text in texts)


def test_no_record_type_of_the_samples_is_unknown(shared: Path) -> None:
    records = _read("cline", shared / "samples", "cline/cass/task1/ui_messages.json")
    assert [r.text for r in records if isinstance(r, Message)] == ["Hello Cline", "Hi from Cline"]
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []


@pytest.mark.parametrize(("name", "case"), [("cline", "task"), ("roo_code", "subtask")])
def test_a_loose_task_is_recognised_by_one_source(name: str, case: str) -> None:
    home = _case(name, case)
    path = next(p for p in goldens.logs(sources()[name], home) if p.endswith("ui_messages.json"))
    log = Log(Folder(home), "loose", path)
    found = {s.name: s.recognise(log) for s in sources().values() if s.recognise}
    assert {key: place for key, place in found.items() if place} == {name: path}
