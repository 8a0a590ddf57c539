"""Copilot CLI's real logs, counted again by hand, and by the vendor's own reader."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources.copilot_cli import SOURCES, recognise, resume
from siphon.sources.copilot_cli.reading import HANDLERS
from siphon.sources.copilot_cli.skips import SKIPS

SOURCE = SOURCES[0]


def logs(shared: Path) -> list[Path]:
    found = sorted((shared / "homes").glob("*/.copilot/session-state/*/events.jsonl"))
    assert len(found) == 14
    return found


def records(path: Path) -> list[Record]:
    log = Log(Folder(path.parents[3]), "box", path.relative_to(path.parents[3]).as_posix())
    return list(SOURCE.parse(log))


def events(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().split(b"\n"):
        if line:
            yield json.loads(line)


def counted(path: Path) -> Counter[str]:
    """Each shutdown's totals (all start anew in these logs), and what comes after the last one."""
    sums: Counter[str] = Counter()
    rest: Counter[str] = Counter()
    for event in events(path):
        data = event["data"]
        if event["type"] == "session.shutdown":
            rest.clear()
            for metric in data["modelMetrics"].values():
                usage = metric["usage"]
                cached = usage["cacheReadTokens"] + usage["cacheWriteTokens"]
                sums["input"] += usage["inputTokens"] - cached
                sums["read"] += usage["cacheReadTokens"]
                sums["write"] += usage["cacheWriteTokens"]
                sums["output"] += usage["outputTokens"]
        elif event["type"] == "assistant.message":
            rest["output"] += data["outputTokens"]
        elif event["type"] == "session.compaction_complete":
            for detail in data["compactionTokensUsed"]["copilotUsage"]["tokenDetails"]:
                rest[detail["tokenType"].removeprefix("cache_")] += detail["tokenCount"]
    return sums + rest


def test_tokens_are_those_of_the_shutdowns_and_of_what_follows_the_last(shared: Path) -> None:
    for path in logs(shared):
        sums: Counter[str] = Counter()
        for request in records(path):
            if isinstance(request, Request):
                sums["input"] += request.input_tokens or 0
                sums["read"] += request.cache_read_tokens or 0
                sums["write"] += request.cache_write_tokens or 0
                sums["output"] += request.output_tokens or 0
        assert +sums == counted(path), path


def test_the_reported_cost_is_the_last_ai_units_and_the_compactions_after_them(shared: Path) -> None:
    for path in logs(shared):
        units = 0
        for event in events(path):
            data = event["data"]
            if event["type"] in ("session.shutdown", "session.usage_checkpoint"):
                units, later = data["totalNanoAiu"], 0
            elif event["type"] == "session.compaction_complete":
                later += data["compactionTokensUsed"]["copilotUsage"]["totalNanoAiu"]
        reported = sum(r.reported_nanousd or 0 for r in records(path) if isinstance(r, Request))
        assert reported == (units + later) // 100 if units else reported == 0, path


def test_the_tools_price_equals_ours(shared: Path) -> None:
    """fable-5 costs 10/50/1/12.50 $ per million; the vendor's AI units come to the same cent."""
    path = next(path for path in logs(shared) if path.parent.name.startswith("e07fc822"))
    run = next(r for r in records(path) if isinstance(r, Request) and r.aggregate and r.model)
    tokens = (run.input_tokens, run.output_tokens, run.cache_read_tokens, run.cache_write_tokens)
    prices = (10_000, 50_000, 1_000, 12_500)
    assert run.reported_nanousd == sum((n or 0) * price for n, price in zip(tokens, prices, strict=True))


def test_prompts_are_what_people_typed(shared: Path) -> None:
    """No source and no agent: a person. 33 user.message events hold 19 such prompts."""
    for path in logs(shared):
        typed = [e["data"]["content"] for e in events(path) if e["type"] == "user.message"
                 and not e["data"].get("source") and not e.get("agentId")]  # fmt: skip
        prompts = [r.text for r in records(path) if isinstance(r, Message) and r.kind == "prompt"]
        assert prompts == typed


def test_no_type_is_unknown_and_nothing_lacks_a_time(shared: Path) -> None:
    for path in logs(shared):
        found = records(path)
        assert [r for r in found if isinstance(r, Tally) and r.fate == "unknown"] == []
        assert all(r.ts for r in found if isinstance(r, Message | ToolCall | Request))
        assert all(r.project and r.started_at for r in found if isinstance(r, Session))


def test_samples_are_recognised_by_content(shared: Path) -> None:
    folder = Folder(shared / "samples")
    found = {path: recognise(Log(folder, "loose", path)) for path in folder.files()}
    ours = {path: place for path, place in found.items() if place}
    assert ours == {
        "copilot/large.jsonl": ".copilot/session-state/copilot_stage0_large/events.jsonl",
        "copilot/schema_drift.jsonl": ".copilot/session-state/copilot_stage0_drift/events.jsonl",
        "copilot/small.jsonl": ".copilot/session-state/copilot_stage0_small/events.jsonl",
        "copilot/subdir_v1/aaaabbbb-1111-2222-3333-ccccddddeeee/events.jsonl": (
            ".copilot/session-state/aaaabbbb-1111-2222-3333-ccccddddeeee/events.jsonl"
        ),
    }
    for path in ours:
        log = Log(folder, "loose", path)
        assert [r for r in SOURCE.parse(log) if isinstance(r, Tally) and r.fate == "unknown"] == []


def test_a_subagent_cannot_be_resumed() -> None:
    assert resume("abc") == "copilot --resume abc"
    assert resume("abc/toolu_1") is None


def test_every_event_type_of_the_vendor_is_read_or_skipped_for_a_reason() -> None:
    vendor = pytest.importorskip(
        "copilot.generated.session_events", reason="github-copilot-sdk not installed"
    )
    names = {kind.value for kind in vendor.SessionEventType} - {"unknown"}
    assert names - set(HANDLERS) - set(SKIPS) == set()
    assert (set(HANDLERS) | set(SKIPS)) - names == {"twin"}


def test_the_vendors_reader_finds_the_same_calls(shared: Path) -> None:
    vendor = pytest.importorskip(
        "copilot.generated.session_events", reason="github-copilot-sdk not installed"
    )
    for path in logs(shared):
        read = [vendor.SessionEvent.from_dict(event) for event in events(path)]
        theirs = {
            (e.data.tool_call_id, e.data.success)
            for e in read
            if e.type is vendor.SessionEventType.TOOL_EXECUTION_COMPLETE
        }
        calls = [
            r
            for r in records(path)
            if isinstance(r, ToolCall) and r.status not in ("pending", "interrupted")
        ]
        assert {(call.native_id, call.status == "ok") for call in calls} == theirs
