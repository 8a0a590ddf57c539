"""Cursor's real workspace store: what we read equals a plain count that follows its page."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Relation, Request, Session, Tally
from siphon.sources import sources

CURSOR = sources()["cursor"]
STORE = ".config/Cursor/User/workspaceStorage/slevin48/state.vscdb"


@pytest.fixture(scope="module")
def conversations(shared: Path) -> list[dict[str, Any]]:
    """The store's conversations, each with its `bubbles`."""
    uri = f"file:{shared / 'homes/server' / STORE}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as store:
        rows = dict(store.execute("select key, value from ItemTable"))
    composers = json.loads(rows["composer.composerData"])["allComposers"]
    tabs = json.loads(rows["workbench.panel.aichat.view.aichat.chatdata"])["tabs"]
    return [{**c, "id": c["composerId"], "bubbles": c["conversation"]} for c in composers] + [
        {**tab, "id": tab["tabId"]} for tab in tabs
    ]


@pytest.fixture(scope="module")
def records(shared: Path) -> list[Record]:
    return goldens.parsed(CURSOR, shared / "homes/server", "server", STORE)


def test_sessions_and_texts_are_those_of_the_store(
    conversations: list[dict[str, Any]], records: list[Record]
) -> None:
    roles = {1: "user", "user": "user", 2: "assistant", "ai": "assistant"}
    expected = sorted(
        (conversation["id"], roles[bubble["type"]], bubble["text"])
        for conversation in conversations
        for bubble in conversation["bubbles"]
        if bubble.get("text")
    )
    messages = [r for r in records if isinstance(r, Message)]
    assert sorted((m.session, m.role, m.text) for m in messages) == expected
    assert {r.native_id for r in records if isinstance(r, Session)} == {c["id"] for c in conversations}


def test_the_store_tells_no_tokens_and_we_make_none_up(
    conversations: list[dict[str, Any]], records: list[Record]
) -> None:
    told = [b for c in conversations for b in c["bubbles"] if b.get("tokenCount") or c.get("usageData")]
    assert told == []
    assert [r for r in records if isinstance(r, Request)] == []


def test_duplicates_under_new_ids_are_counted_once(
    conversations: list[dict[str, Any]], records: list[Record]
) -> None:
    """Composers and tabs that begin with the same prompt and answer share what they repeat."""
    starts = {tuple(b["text"] for b in c["bubbles"][:2]) for c in conversations}
    forks = [r for r in records if isinstance(r, Relation) and r.kind == "fork"]
    assert len(forks) == len(conversations) - len(starts)
    messages = [r for r in records if isinstance(r, Message)]
    assert len({m.native_id for m in messages}) < len(messages)


def test_no_type_is_unknown(records: list[Record]) -> None:
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []


def test_loose_transcripts_are_recognised_and_read(shared: Path, tmp_path: Path) -> None:
    loose = Folder(shared / "samples/cursor")
    assert CURSOR.recognise is not None
    for path in loose.files():
        place = CURSOR.recognise(Log(loose, "loose", path))
        assert place is not None, path
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes((loose.root / path).read_bytes())
    found = [
        r for p in goldens.logs(CURSOR, tmp_path) for r in goldens.parsed(CURSOR, tmp_path, "loose", p)
    ]
    assert sum(isinstance(r, Session) for r in found) == 6
    assert [r for r in found if isinstance(r, Tally) and r.fate == "unknown"] == []
