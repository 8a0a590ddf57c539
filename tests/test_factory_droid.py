"""Factory Droid's samples and fixtures, counted again by hand and by the vendor's own discovery."""

import asyncio
import json
from pathlib import Path

import pytest

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources.factory_droid import SOURCES, recognise, resume
from siphon.sources.factory_droid.usage import model

SOURCE = SOURCES[0]
CASES = Path(__file__).parent / "homes" / "factory_droid"


def samples(shared: Path) -> dict[str, list[Record]]:
    folder = Folder(shared / "samples")
    logs = [
        Log(folder, "loose", path) for path in folder.files() if path.startswith("droid/session_store")
    ]
    assert len(logs) == 3
    return {log.path: list(SOURCE.parse(log)) for log in logs}


def blocks(path: Path) -> list[tuple[str, dict[str, str]]]:
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    said = [line["message"] for line in lines if line["type"] == "message"]
    return [(message["role"], block) for message in said for block in message["content"]]


def test_every_prompt_reply_and_call_of_the_samples_is_read(shared: Path) -> None:
    for path, records in samples(shared).items():
        known = blocks(shared / "samples" / path)
        texts = [(role, block["text"]) for role, block in known if block["type"] == "text"]
        roles = {"prompt": "user", "reply": "assistant"}
        said = [(roles[r.kind], r.text) for r in records if isinstance(r, Message) and r.kind in roles]
        assert [role for role, _ in said] == [role for role, _ in texts]
        assert all((text or "") in whole for (_, text), (_, whole) in zip(said, texts, strict=True))
        calls = [block["id"] for _, block in known if block["type"] == "tool_use"]
        assert [
            (r.native_id or "").rpartition("/")[2] for r in records if isinstance(r, ToolCall)
        ] == calls


def test_no_type_is_unknown_and_samples_are_recognised(shared: Path) -> None:
    assert [
        r for rs in samples(shared).values() for r in rs if isinstance(r, Tally) and r.fate == "unknown"
    ] == []
    folder = Folder(shared / "samples")
    places = {path: recognise(Log(folder, "loose", path)) for path in folder.files()}
    assert {path: place for path, place in places.items() if place} == {
        "droid/session_store_large.jsonl": ".factory/sessions/-tmp-large/droid_large.jsonl",
        "droid/session_store_schema_drift.jsonl": ".factory/sessions/-tmp/droid_drift.jsonl",
        "droid/session_store_small.jsonl": ".factory/sessions/-tmp/droid_s1.jsonl",
    }


def test_a_session_has_one_usage_row_with_the_settings_totals() -> None:
    """Input is beside the cache; thinking is inside output at Anthropic's, beside it elsewhere."""
    home = CASES / "usage" / "box"
    for path in Folder(home).files():
        if not path.endswith(".jsonl"):
            continue
        settings = json.loads((home / path.replace(".jsonl", ".settings.json")).read_bytes())
        usage = settings.get("tokenUsage")
        rows = [r for r in SOURCE.parse(Log(Folder(home), "box", path)) if isinstance(r, Request)]
        assert len(rows) == (usage is not None)
        for row in rows:
            inside = (
                "claude" in str(settings["model"]).lower()
                and usage["thinkingTokens"] <= usage["outputTokens"]
            )
            assert row.aggregate
            assert row.input_tokens == usage["inputTokens"]
            assert row.cache_read_tokens == usage["cacheReadTokens"]
            assert row.cache_write_tokens == usage["cacheCreationTokens"]
            assert row.output_tokens == usage["outputTokens"] + (
                0 if inside else usage["thinkingTokens"]
            )


def test_a_custom_models_name_is_its_vendors() -> None:
    assert model("custom:Claude Opus 4.5 [Anthropic]-0") == "claude-opus-4-5"
    assert model("custom:gemini-2.5-pro-1") == "gemini-2.5-pro"
    assert model("gpt-5.1-codex") == "gpt-5.1-codex"
    assert model("") is None


def test_the_vendors_discovery_finds_no_session_that_we_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """It skips archived ones and those that do not begin with session_start; we read these too."""
    discovery = pytest.importorskip("droid_sdk._high_level.discovery", reason="droid-sdk not installed")
    for case in sorted(CASES.iterdir()):
        home = case / "box"
        monkeypatch.setenv("HOME", str(home))
        theirs = {found.id for found in asyncio.run(discovery.list_sessions(all_workspaces=True))}
        logs = [
            Log(Folder(home), "box", path) for path in Folder(home).files() if path.endswith(".jsonl")
        ]
        ours = {r.native_id: r for log in logs for r in SOURCE.parse(log) if isinstance(r, Session)}
        assert theirs <= set(ours)
        assert len(theirs) == len(ours) - {"ordinary": 1, "malformed": 2}.get(case.name, 0)


def test_a_session_is_resumed_by_its_id() -> None:
    assert resume("abc") == "droid --resume abc"
