"""Codex's logs as the vendor's own program reads them. It is no dependency: skipped without it."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import goldens
from siphon.records import Message, Record, Session, ToolCall
from siphon.sources import sources

client: Any = pytest.importorskip(
    "openai_codex.client", reason="openai-codex, the vendor's reader, is not installed"
)
CODEX = sources()["codex"]
REQUEST = "## My request for Codex:"  # stands between an editor's context and what was typed
LISTED = 100  # threads asked for, more than there are


@pytest.fixture(scope="module")
def home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a home of real logs: the program writes an index beside them."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(shared / "homes" / "workstation" / ".codex", folder / ".codex")
    for path in folder.rglob("*"):
        path.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def theirs(home: Path) -> dict[str, Any]:
    """The vendor's threads with their turns, by id."""
    env = {"CODEX_HOME": str(home / ".codex"), "HOME": str(home), "PATH": os.environ["PATH"]}
    with client.CodexClient(client.CodexConfig(env=env)) as program:
        program.initialize()
        listed = program.thread_list({"limit": LISTED}).data
        return {one.id: program.thread_read(one.id, include_turns=True).thread for one in listed}


@pytest.fixture(scope="module")
def ours(home: Path) -> dict[str, list[Record]]:
    logs = (goldens.parsed(CODEX, home, "box", path) for path in goldens.logs(CODEX, home))
    return {r.native_id: rows for rows in logs for r in rows if isinstance(r, Session) and not r.partial}


def items(thread: Any, kind: str) -> Iterator[Any]:
    return (one.root for turn in thread.turns for one in turn.items if one.root.type == kind)


def texts(rows: list[Record], kind: str) -> Counter[str]:
    said = (row.text for row in rows if isinstance(row, Message) and row.kind == kind)
    return Counter(words.strip() for words in said if words)


def test_each_thread_that_the_vendor_lists_is_a_session_with_its_facts(
    theirs: dict[str, Any], ours: dict[str, list[Record]]
) -> None:
    assert len(theirs) > 10
    for native_id, thread in theirs.items():
        mine = next(r for r in ours[native_id] if isinstance(r, Session))
        git = thread.git_info
        facts = (git.branch, git.origin_url) if git else (None, None)
        assert (mine.git_branch, mine.git_repo, mine.version) == (*facts, thread.cli_version)
        assert mine.started_at is not None
        assert mine.started_at // 1000 == thread.created_at
        assert mine.cwd is not None
        assert thread.cwd.root.endswith(mine.cwd)  # it puts a Windows path behind its own folder


def test_what_the_model_said_is_what_the_vendor_shows(
    theirs: dict[str, Any], ours: dict[str, list[Record]]
) -> None:
    for native_id, thread in theirs.items():
        shown = Counter(item.text.strip() for item in items(thread, "agentMessage"))
        assert texts(ours[native_id], "reply") == shown


def test_what_a_person_typed_is_what_the_vendor_shows_without_the_editors_context(
    theirs: dict[str, Any], ours: dict[str, list[Record]]
) -> None:
    for native_id, thread in theirs.items():
        parts = (part.root for item in items(thread, "userMessage") for part in item.content)
        told = (part.text.rpartition(REQUEST)[2].strip() for part in parts if part.type == "text")
        assert texts(ours[native_id], "prompt") == Counter(words for words in told if words)


@pytest.mark.parametrize(("theirs_kind", "our_kind"), [("webSearch", "web"), ("mcpToolCall", "mcp")])
def test_searches_and_calls_of_servers_are_as_many_as_the_vendors(
    theirs: dict[str, Any], ours: dict[str, list[Record]], theirs_kind: str, our_kind: str
) -> None:
    for native_id, thread in theirs.items():
        calls = [r for r in ours[native_id] if isinstance(r, ToolCall) and r.kind == our_kind]
        assert len(calls) == len(list(items(thread, theirs_kind)))
