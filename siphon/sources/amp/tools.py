"""The tools of Amp."""

from collections.abc import Iterator
from typing import Any

import msgspec

from siphon.records import Action, FileTouch, Status, ToolKind
from siphon.sources import _diff
from siphon.sources._text import first, text_of

_KINDS: dict[str, ToolKind] = {
    "Bash": "shell",
    "Read": "read",
    "create_file": "write",
    "edit_file": "edit",
    "undo_edit": "edit",
    "apply_patch": "edit",
    "Grep": "search",
    "glob": "search",
    "list_directory": "search",
    "finder": "agent",
    "oracle": "agent",
    "librarian": "agent",
    "Task": "agent",
    "handoff": "agent",
    "todo_write": "plan",
    "todo_read": "plan",
    "web_search": "web",
    "read_web_page": "web",
}
_ACTIONS: dict[ToolKind, Action] = {"read": "read", "write": "write", "edit": "edit", "search": "search"}
_FIRST: dict[ToolKind, tuple[str, ...]] = {
    "search": ("pattern", "filePattern"),
    "agent": ("description",),
}
_SUMMARY = (
    "cmd",
    "command",
    "path",
    "pattern",
    "filePattern",
    "query",
    "objective",
    "task",
    "url",
    "prompt",
    "name",
)
_STATUS: dict[str, Status] = {
    "done": "ok",
    "error": "error",
    "cancelled": "interrupted",
    "rejected-by-user": "rejected",
}


def kind(name: str) -> ToolKind:
    """What a tool does."""
    return _KINDS.get(name) or ("mcp" if name.startswith("mcp__") else "other")


def summary(name: str, args: Any) -> str | None:
    """The command, path, pattern or task."""
    return first(args, (*_FIRST.get(kind(name), ()), *_SUMMARY))


def status(stated: Any) -> Status:
    """What became of a call; what is not finished is pending."""
    return _STATUS.get(stated, "pending") if isinstance(stated, str) else "pending"


def output(run: dict[str, Any]) -> str | None:
    """What a tool gave back, as text."""
    error = run.get("error")
    for value in (run.get("result"), error):
        if isinstance(value, str) and value:
            return value
        if text := text_of(value, "output", "diff", "content", "message"):
            return text
    value = run.get("result") if run.get("result") is not None else error
    return msgspec.json.encode(value).decode() if value is not None else None


def exit_code(run: dict[str, Any]) -> int | None:
    """The shell's own."""
    result = run.get("result")
    code = result.get("exitCode") if isinstance(result, dict) else None
    return code if type(code) is int and abs(code) < 1 << 53 else None


def lines(name: str, args: Any, run: dict[str, Any]) -> tuple[int | None, int | None]:
    """Lines added and removed: of the diff, else of what was asked for."""
    if kind(name) not in ("edit", "write"):
        return None, None
    if diff := text_of(run.get("result"), "diff"):
        return _diff.of_diff(_bare(diff) if "```" in diff else diff)
    old, new = text_of(args, "old_str"), text_of(args, "new_str", "content")
    return _diff.of_texts(old or "", new or "") if old or new else (None, None)


def _bare(diff: str) -> str:
    """A diff without the code fence around it."""
    return "\n".join(row for row in diff.split("\n") if not row.startswith("```"))


def touches(
    session: str, seq: int, name: str, args: Any, changed: tuple[int | None, int | None]
) -> Iterator[FileTouch]:
    """The file of a call."""
    action, path = _ACTIONS.get(kind(name)), text_of(args, "path")
    if action and path:
        yield FileTouch(session, seq, path, action, *changed)
