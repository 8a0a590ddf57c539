"""Claude Code's logs as the vendor's own package reads them. It is no dependency: skipped without it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import goldens
from siphon.records import Message, Record, Relation, Session, ToolCall
from siphon.sources import sources

sdk: Any = pytest.importorskip(
    "claude_agent_sdk", reason="claude-agent-sdk, the vendor's reader, is not installed"
)
CLAUDE = sources()["claude_code"]
HOSTS = ("laptop", "server", "workstation")
WINDOW = 64 << 10  # the vendor's listing looks no further into a log's head and tail


@pytest.fixture(params=HOSTS)
def home(request: pytest.FixtureRequest, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of real logs; the vendor's package is pointed at it."""
    folder = shared / "homes" / str(request.param)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder / ".claude"))
    return folder


def records(home: Path) -> dict[str, list[Record]]:
    """Of each main transcript, by its session's id."""
    return {
        Path(path).stem: goldens.parsed(CLAUDE, home, "host", path)
        for path in goldens.logs(CLAUDE, home)
        if "subagents" not in path
    }


def session(found: list[Record]) -> Session | None:
    return next((r for r in found if isinstance(r, Session) and "/" not in r.native_id), None)


def test_each_session_that_the_vendor_lists_has_the_same_folder_and_branch(home: Path) -> None:
    ours = records(home)
    for listed in sdk.list_sessions():
        mine = session(ours[listed.session_id])
        if listed.cwd is None:
            assert mine is None, "a log without conversation is no session"
            continue
        assert mine is not None
        assert (mine.cwd, mine.git_branch) == (listed.cwd, listed.git_branch)
        assert mine.started_at is not None
        assert mine.started_at <= listed.created_at


def test_titles_and_first_prompts_are_the_vendors(home: Path) -> None:
    ours = records(home)
    paths = {Path(path).stem: path for path in goldens.logs(CLAUDE, home)}
    for listed in sdk.list_sessions():
        mine = session(ours[listed.session_id])
        if mine is None:
            continue
        if (home / paths[listed.session_id]).stat().st_size < WINDOW and listed.custom_title:
            assert mine.title == listed.custom_title
        if listed.first_prompt and not listed.first_prompt.startswith(("/", "<")):
            prompts = (m for m in ours[listed.session_id] if isinstance(m, Message))
            first = next(m for m in prompts if m.kind == "prompt")
            said = " ".join((first.text or "").split())
            assert said.startswith(" ".join(listed.first_prompt.split()).removesuffix("…")[:150])


def test_what_the_vendor_shows_of_a_talk_is_here_and_not_abandoned(home: Path) -> None:
    for native_id, found in records(home).items():
        messages = {r.native_id: r for r in found if isinstance(r, Message) and r.native_id}
        calls = {r.native_id: r for r in found if isinstance(r, ToolCall)}
        for shown in sdk.get_session_messages(native_id):
            for uuid_or_call in _parts(shown):
                row = messages.get(uuid_or_call) or calls.get(uuid_or_call)
                assert row is not None, f"{native_id}: {uuid_or_call} is shown there, not here"
                assert not row.abandoned


def _parts(shown: Any) -> Iterator[str]:
    """The ids under which a shown message's blocks must be found."""
    content = shown.message.get("content")
    if isinstance(content, str):
        if content.strip() != "<local-command-stdout></local-command-stdout>":
            yield shown.uuid
        return
    for place, block in enumerate(content):
        if block["type"] == "tool_use":
            yield block["id"]
        elif block["type"] == "tool_result":
            yield block["tool_use_id"]
        elif block["type"] == "text" and shown.type == "assistant" and block["text"].strip():
            yield f"{shown.uuid}#{place}" if place else shown.uuid


def test_a_fork_made_by_the_vendor_repeats_its_originals_ids(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = "410c9611-5a08-49a3-9520-28e347223e15"
    folder = Path(".claude/projects/-Users-tslater-dev-cli-duet")
    (tmp_path / folder).mkdir(parents=True)
    shutil.copy(shared / "homes/laptop" / folder / f"{original}.jsonl", tmp_path / folder)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / ".claude"))
    fork = sdk.fork_session(original).session_id
    ours = records(tmp_path)
    assert Relation(fork, "fork", original) in ours[fork]
    for kind in (Message, ToolCall):
        known = {r.native_id for r in ours[original] if isinstance(r, kind) and r.session == original}
        copies = [r.native_id for r in ours[fork] if isinstance(r, kind)]
        assert copies
        assert known.issuperset(copies)
    assert ((session(ours[fork]) or Session("")).title or "").endswith("(fork)")


def test_a_renaming_by_the_vendor_is_the_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / ".claude"))
    native_id = "00000000-0000-4000-8000-00000000abcd"
    log = tmp_path / ".claude/projects/-home-ada-app" / f"{native_id}.jsonl"
    log.parent.mkdir(parents=True)
    line = {"type": "user", "uuid": "u1", "sessionId": native_id, "cwd": "/home/ada/app"}
    log.write_text(json.dumps({**line, "message": {"role": "user", "content": "hello"}}) + "\n")
    sdk.rename_session(native_id, "A new name")
    assert (session(records(tmp_path)[native_id]) or Session("")).title == "A new name"
