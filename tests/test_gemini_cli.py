"""Gemini CLI's real logs, counted again by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources.gemini_cli import SOURCES, recognise, resume

SOURCE = SOURCES[0]


def logs(shared: Path) -> list[Path]:
    found = sorted((shared / "homes").glob("*/.gemini/tmp/*/chats/session-*.json"))
    assert len(found) == 4
    return found


def records(path: Path) -> list[Record]:
    home = path.parents[4]
    return list(SOURCE.parse(Log(Folder(home), "box", path.relative_to(home).as_posix())))


def messages(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_bytes())["messages"])


def counted(path: Path) -> Counter[str]:
    """cached is inside input; thoughts and tool are beside output and input."""
    sums: Counter[str] = Counter()
    for message in messages(path):
        if tokens := message.get("tokens"):
            sums["read"] += tokens["cached"]
            sums["input"] += tokens["input"] - tokens["cached"] + tokens["tool"]
            sums["output"] += tokens["output"] + tokens["thoughts"]
            sums["reasoning"] += tokens["thoughts"]
    return sums


def test_tokens_equal_an_independent_count(shared: Path) -> None:
    for path in logs(shared):
        sums: Counter[str] = Counter()
        for request in records(path):
            if isinstance(request, Request):
                sums["read"] += request.cache_read_tokens or 0
                sums["input"] += request.input_tokens or 0
                sums["output"] += request.output_tokens or 0
                sums["reasoning"] += request.reasoning_tokens or 0
        assert sums == counted(path) and sums["output"], path


def test_all_classes_add_up_to_the_api_total(shared: Path) -> None:
    for path in logs(shared):
        totals = {m["id"]: m["tokens"]["total"] for m in messages(path) if m.get("tokens")}
        for request in records(path):
            if isinstance(request, Request) and not request.incomplete:
                parts = (request.input_tokens, request.cache_read_tokens, request.output_tokens)
                assert sum(n or 0 for n in parts) == totals[request.native_id or ""]


def test_prompts_are_what_was_typed_and_calls_are_the_logs(shared: Path) -> None:
    for path in logs(shared):
        typed = [
            "\n".join(part["text"] for part in message.get("displayContent") or message["content"])
            for message in messages(path)
            if message["type"] == "user"
        ]
        calls = [call["id"] for message in messages(path) for call in message.get("toolCalls") or ()]
        found = records(path)
        assert [r.text for r in found if isinstance(r, Message) and r.kind == "prompt"] == typed
        assert [r.native_id for r in found if isinstance(r, ToolCall)] == calls


def test_a_rows_offset_leads_back_to_its_record(shared: Path) -> None:
    for path in logs(shared):
        data = path.read_bytes()
        for row in records(path):
            if isinstance(row, Message) and row.offset is not None and row.length is not None:
                raw = json.loads(data[row.offset : row.offset + row.length])
                assert (row.native_id or "").partition("/")[0] == raw["id"]


def test_the_project_is_found_by_its_hash(shared: Path) -> None:
    found = {r.project for path in logs(shared) for r in records(path) if isinstance(r, Session)}
    assert found == {"/Users/savekirk/dev/ai/entire/session-bridge"}


def test_no_type_is_unknown(shared: Path) -> None:
    folder = Folder(shared / "samples")
    places = {path: recognise(Log(folder, "loose", path)) for path in folder.files()}
    ours = {path: place for path, place in places.items() if place}
    assert sorted(ours) == ["gemini/jsonl_v040.jsonl", "gemini/large.json", "gemini/small.json"]
    loose = [record for path in ours for record in SOURCE.parse(Log(folder, "loose", path))]
    real = [record for path in logs(shared) for record in records(path)]
    assert [r for r in (*loose, *real) if isinstance(r, Tally) and r.fate == "unknown"] == []


def test_a_loose_file_is_filed_where_the_tool_would_have_put_it(shared: Path) -> None:
    home = shared / "homes" / "laptop"
    for path in logs(shared):
        place = path.relative_to(home).as_posix()
        assert recognise(Log(Folder(home), "loose", place)) == place


def test_a_session_is_resumed_by_its_id() -> None:
    assert resume("d0ed8c54") == "gemini --resume d0ed8c54"
