"""Kimi's sample wires, counted again by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources.kimi import SOURCES, recognise, resume

SOURCE = SOURCES[0]
WIRES = ("kimi/assistant_tools.jsonl", "kimi/small.jsonl", "kimi/subagent_agent-0.jsonl")


def records(shared: Path, path: str) -> list[Record]:
    return list(SOURCE.parse(Log(Folder(shared / "samples"), "loose", path)))


def lines(shared: Path, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shared / "samples" / path).read_bytes().split(b"\n") if line]


def events(shared: Path, path: str, kind: str) -> list[dict[str, Any]]:
    loop = [line["event"] for line in lines(shared, path) if line["type"] == "context.append_loop_event"]
    return [event for event in loop if event["type"] == kind]


def test_tokens_are_those_of_the_usage_records(shared: Path) -> None:
    """Each step's usage is recorded twice, a compaction's once: the records alone are complete."""
    for path in WIRES:
        sums: Counter[str] = Counter()
        for line in lines(shared, path):
            if line["type"] == "usage.record":
                sums.update(line["usage"])
        requests = [r for r in records(shared, path) if isinstance(r, Request)]
        found = Counter(
            inputOther=sum(r.input_tokens or 0 for r in requests),
            inputCacheRead=sum(r.cache_read_tokens or 0 for r in requests),
            inputCacheCreation=sum(r.cache_write_tokens or 0 for r in requests),
            output=sum(r.output_tokens or 0 for r in requests),
        )
        assert +found == +sums, path


def test_a_steps_request_has_the_providers_id_and_the_model_that_was_called(shared: Path) -> None:
    for path in WIRES:
        steps = [event["messageId"] for event in events(shared, path, "step.end")]
        models = {line["model"] for line in lines(shared, path) if line["type"] == "llm.request"}
        requests = [r for r in records(shared, path) if isinstance(r, Request)]
        assert [r.native_id for r in requests if not (r.native_id or "").startswith("usage@")] == steps
        assert {r.model for r in requests} <= models


def test_prompts_are_what_a_person_typed(shared: Path) -> None:
    for path in WIRES:
        typed = [
            "\n".join(part["text"] for part in line["input"])
            for line in lines(shared, path)
            if line["type"] in ("turn.prompt", "turn.steer") and line["origin"]["kind"] == "user"
        ]
        assert [
            r.text for r in records(shared, path) if isinstance(r, Message) and r.kind == "prompt"
        ] == typed


def test_every_call_has_its_result(shared: Path) -> None:
    for path in WIRES:
        failed = {
            e["toolCallId"]: e["result"].get("isError", False)
            for e in events(shared, path, "tool.result")
        }
        calls = [r for r in records(shared, path) if isinstance(r, ToolCall)]
        found = {(r.native_id or "").rpartition("/")[2]: r.status == "error" for r in calls}
        assert found == failed


def test_a_wire_without_words_leaves_the_session_to_its_context(shared: Path) -> None:
    folder = "kimi/sessions/project-hash/session-1"
    assert records(shared, f"{folder}/wire.jsonl") == [Tally("twin", "skipped", 1)]
    found = records(shared, f"{folder}/context.jsonl")
    assert [r.title for r in found if isinstance(r, Session)] == ["Implement Kimi provider"]
    assert [(r.kind, r.text) for r in found if isinstance(r, Message)] == [
        ("prompt", "Add a Kimi provider"),
        ("thinking", "I should inspect the provider registry first."),
        ("reply", "I will inspect the provider registry."),
        ("reply", "The provider registry is in Rust."),
    ]


def test_no_type_is_unknown_and_samples_are_recognised(shared: Path) -> None:
    folder = Folder(shared / "samples")
    places = {path: recognise(Log(folder, "loose", path)) for path in folder.files()}
    ours = sorted(path for path, place in places.items() if place)
    logs = [path for path in folder.files() if path.startswith("kimi/") and path.endswith(".jsonl")]
    assert ours == sorted(logs)
    assert [
        r for path in ours for r in records(shared, path) if isinstance(r, Tally) and r.fate == "unknown"
    ] == []


def test_a_fork_copies_ids_so_that_nothing_is_counted_twice() -> None:
    home = Path(__file__).parent / "homes" / "kimi" / "forks" / "box"
    ids = []
    for path in sorted(Folder(home).files()):
        rows = SOURCE.parse(Log(Folder(home), "box", path))
        ids.append([r.native_id for r in rows if isinstance(r, Message | ToolCall | Request)])
    one, other = ids
    assert None not in one and len(set(one) & set(other)) == 4, "prompt, reply, call and request"
    assert len(one) == len(other) == 5


def test_a_subagent_cannot_be_resumed() -> None:
    assert resume("abc") == "kimi --session abc"
    assert resume("abc/agent-0") is None
