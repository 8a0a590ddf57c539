"""The tools of Kimi CLI and Kimi Code."""

import re
from collections.abc import Iterator
from typing import Any

from siphon.records import Action, FileTouch, ToolKind
from siphon.sources import _diff
from siphon.sources._text import first, text_of

_KINDS: dict[str, ToolKind] = {
    "Shell": "shell",
    "Bash": "shell",
    "Read": "read",
    "ReadFile": "read",
    "ReadMediaFile": "read",
    "Write": "write",
    "WriteFile": "write",
    "Edit": "edit",
    "StrReplaceFile": "edit",
    "Grep": "search",
    "Glob": "search",
    "SearchWeb": "web",
    "WebSearch": "web",
    "FetchURL": "web",
    "Task": "agent",
    "Agent": "agent",
    "AgentSwarm": "agent",
    "SetTodoList": "plan",
    "TodoList": "plan",
    "EnterPlanMode": "plan",
    "ExitPlanMode": "plan",
}
_ACTIONS: dict[ToolKind, Action] = {"read": "read", "write": "write", "edit": "edit", "search": "search"}
_FIRST: dict[ToolKind, tuple[str, ...]] = {
    "search": ("pattern",),
    "agent": ("description",),
    "web": ("query",),
}
_SUMMARY = ("command", "path", "pattern", "query", "url", "description", "prompt", "thought", "skill")
_EXIT = re.compile(r"(?:failed with )?exit code:? (-?\d+)\.?\s*$", re.IGNORECASE)


def kind(name: str) -> ToolKind:
    """What a tool does."""
    return _KINDS.get(name) or ("mcp" if name.startswith("mcp__") else "other")


def summary(name: str, args: Any) -> str | None:
    """The command, path, pattern or task."""
    return first(args, (*_FIRST.get(kind(name), ()), *_SUMMARY))


def exit_code(text: str | None) -> int | None:
    """What the end of a shell's output, or the message beside it, says."""
    found = _EXIT.search(text[-200:]) if text else None
    return int(found[1]) if found else None


def lines(name: str, args: Any, display: Any) -> tuple[int | None, int | None]:
    """Lines added and removed: of the diffs shown, else of what was asked for."""
    if kind(name) not in ("edit", "write"):
        return None, None
    pairs = list(_shown(display)) or list(_asked(args))
    changes = [_diff.of_texts(old, new) for old, new in pairs]
    if not changes:
        return None, None
    return sum(change.added for change in changes), sum(change.removed for change in changes)


def _shown(display: Any) -> Iterator[tuple[str, str]]:
    for block in display if isinstance(display, list) else [display]:
        if isinstance(block, dict) and block.get("type") == "diff":
            yield text_of(block, "old_text") or "", text_of(block, "new_text") or ""


def _asked(args: Any) -> Iterator[tuple[str, str]]:
    edits = args.get("edit") if isinstance(args, dict) else None
    for edit in [args, *(edits if isinstance(edits, list) else [edits])]:
        old = text_of(edit, "old", "old_string")
        new = text_of(edit, "new", "new_string", "content")
        if old or new:
            yield old or "", new or ""


def touches(
    session: str, seq: int, name: str, args: Any, changed: tuple[int | None, int | None]
) -> Iterator[FileTouch]:
    """The file of a call."""
    action, path = _ACTIONS.get(kind(name)), text_of(args, "path", "file_path")
    if action and path:
        yield FileTouch(session, seq, path, action, *changed)
