"""VS Code chats: what the writer's own rules for its mutation log say of our reading."""

import json
from pathlib import Path
from typing import Any

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Tally, ToolCall
from siphon.sources import sources

COPILOT = sources()["vscode_copilot"]
CHAT = ".config/Code/User/workspaceStorage/aaaa/chatSessions/5b1e0000-0000-4000-8000-000000000001.jsonl"
CASE = goldens.HOMES / "vscode_copilot/log/laptop"


def compacted(log: str) -> str:
    """The log as VS Code rewrites it after 1,024 entries: its document as one first line."""
    state: Any = None
    for line in log.splitlines()[:-1]:
        change = json.loads(line)
        if change["kind"] == 0:
            state = change["v"]
            continue
        *path, last = change["k"]
        holder = state
        try:
            for key in path:
                holder = holder[key]
            if change["kind"] == 1 and "v" in change:
                holder[last] = change["v"]
            elif change["kind"] == 2:
                kept = holder.setdefault(last, []) if isinstance(holder, dict) else holder[last]
                del kept[change.get("i", len(kept)) :]
                kept += change["v"]
        except (KeyError, IndexError):
            continue
    return json.dumps({"kind": 0, "v": state}) + "\n"


def read(home: Path, path: str) -> list[Record]:
    return [
        record._replace(offset=None, length=None)
        if isinstance(record, (Message, ToolCall, Request))
        else record
        for record in COPILOT.parse(Log(Folder(home), "laptop", path))
    ]


def test_a_compacted_log_reads_as_before(tmp_path: Path) -> None:
    file = tmp_path / CHAT
    file.parent.mkdir(parents=True)
    for name in ("workspace.json", "state.vscdb"):
        (file.parent.parent / name).write_bytes((CASE / CHAT).parent.parent.joinpath(name).read_bytes())
    file.write_text(compacted((CASE / CHAT).read_text()))
    assert read(tmp_path, CHAT) == read(CASE, CHAT)


def test_offsets_lead_to_the_line_that_brought_the_request() -> None:
    data = (CASE / CHAT).read_bytes()
    messages = [r for r in goldens.parsed(COPILOT, CASE, "laptop", CHAT) if isinstance(r, Message)]
    prompts = [m for m in messages if m.role == "user"]
    assert prompts
    for prompt in prompts:
        assert prompt.offset is not None and prompt.length is not None
        line = json.loads(data[prompt.offset : prompt.offset + prompt.length])
        assert prompt.text in [request["message"]["text"] for request in line["v"]]


def test_an_exported_chat_is_recognised_and_reads_as_the_chat(tmp_path: Path) -> None:
    state = json.loads(compacted((CASE / CHAT).read_text()))["v"]
    exported = {"responderUsername": "GitHub Copilot", "initialLocation": "panel"}
    (tmp_path / "chat.json").write_text(json.dumps({**exported, "requests": state["requests"]}))
    assert COPILOT.recognise is not None
    place = COPILOT.recognise(Log(Folder(tmp_path), "loose", "chat.json"))
    assert place == ".config/Code/User/globalStorage/emptyWindowChatSessions/chat.json"
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / "chat.json").rename(tmp_path / place)
    said = [(r.role, r.kind, r.text) for r in read(tmp_path, place) if isinstance(r, Message)]
    assert said == [(r.role, r.kind, r.text) for r in read(CASE, CHAT) if isinstance(r, Message)]


def test_the_shared_logs_hold_no_chat_of_vs_code(shared: Path) -> None:
    """Should one be added, this fails, and its sums are to be checked here."""
    for home in sorted((shared / "homes").iterdir()):
        if home.is_dir():
            assert goldens.logs(COPILOT, home) == []


def test_unknown_parts_of_a_response_are_told() -> None:
    unknown = [r for r in read(CASE, CHAT) if isinstance(r, Tally) and r.fate == "unknown"]
    assert unknown == [Tally("response/hologram", "unknown", 1)]
