"""What each tool is: its kind, a line that sums up a call, the file it touches, the lines it changes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from siphon.records import Action, ToolKind
from siphon.sources._diff import Lines, of_texts
from siphon.sources._text import SUMMARY, first, line, text_of
from siphon.sources.claude_code.outcome import Outcome, patched

Args = Mapping[str, Any]

_KINDS: Mapping[str, ToolKind] = {
    "read": "read", "notebookread": "read",
    "edit": "edit", "multiedit": "edit", "notebookedit": "edit",
    "write": "write",
    "bash": "shell", "powershell": "shell", "bashoutput": "shell", "killshell": "shell",
    "killbash": "shell", "monitor": "shell",
    "glob": "search", "grep": "search", "ls": "search",
    "websearch": "web", "webfetch": "web", "web_search": "web", "web_fetch": "web",
    "task": "agent", "agent": "agent", "taskoutput": "agent", "agentoutputtool": "agent",
    "taskstop": "agent", "sendmessage": "agent", "teamcreate": "agent", "teamdelete": "agent",
    "workflow": "agent",
    "todowrite": "plan", "todoread": "plan", "taskcreate": "plan", "taskupdate": "plan",
    "tasklist": "plan", "taskget": "plan", "exitplanmode": "plan", "enterplanmode": "plan",
}  # fmt: skip
_ACTIONS: Mapping[str, Action] = {"read": "read", "edit": "edit", "write": "write", "search": "search"}
_TELLING = dict.fromkeys(("shell", "read", "edit", "write"), ("command", "file_path", "notebook_path"))
_SUMMARY = (
    "command", "file_path", "notebook_path", "pattern", "query", "url", "skill", "description",
    "subject", "summary", "prompt", "message", "content", "plan", "path", "team_name", "taskId",
    "task_id", "bash_id", "shell_id", "recipient", "to", "name", "title", "text",
)  # fmt: skip


class Tool(msgspec.Struct, frozen=True, gc=False):
    """What a tool's name says of it."""

    name: str  # as logged
    key: str  # in small letters
    kind: ToolKind
    action: Action | None  # what it does with the file that it is given
    changes: bool  # that file
    spawns: bool  # an agent
    tells: bool  # how it went, in its outcome
    telling: tuple[str, ...]  # which of its arguments, if it is given, sums up a call


@lru_cache(512)
def tool(name: str) -> Tool:
    key = name.lower()
    kind = "mcp" if key.startswith("mcp__") else _KINDS.get(key, "other")
    return Tool(
        name,
        key,
        kind,
        action=_ACTIONS.get(kind),
        changes=kind in ("edit", "write"),
        spawns=key in ("task", "agent"),
        tells=kind not in ("mcp", "read", "plan"),
        telling=_TELLING.get(kind, ()),
    )


def summary(tool: Tool, args: Args) -> str | None:
    """One line: the command, path, query, description, question or current task."""
    for key in tool.telling:
        value = args.get(key)
        if value and isinstance(value, str):
            is_line = len(value) <= SUMMARY and "\n" not in value and "  " not in value
            words = value.strip() if is_line else _words(value)  # most are a line as they stand
            if words:
                return words
    return _summed_up(args)


def _words(text: str) -> str | None:
    """As `line`, in less time."""
    head = text[: SUMMARY * 50].partition("\n")[0]
    return line(head) or line(text)


def _summed_up(args: Args) -> str | None:
    for key, field in (("todos", "activeForm"), ("questions", "question")):
        if key not in args:
            continue
        found = [item for item in _items(args.get(key)) if isinstance(item.get(field), str)]
        if found:
            current = [item for item in found if item.get("status") == "in_progress"] or found
            return line(current[0][field])
    return first(args, _SUMMARY) or first(args, args)


def touched(
    tool: Tool, args: Args, outcome: Outcome | None
) -> tuple[str | None, int | None, int | None]:
    """The file or folder that a file tool was given, lines added to it and removed."""
    path = args.get("file_path")
    if not path or not isinstance(path, str):
        path = text_of(args, "notebook_path", "path")
    lines = _changed(tool, args, outcome) if tool.changes else None
    return (path, None, None) if lines is None else (path, *lines)


def _changed(tool: Tool, args: Args, outcome: Outcome | None) -> Lines | None:
    """Lines added and removed by a call of a changing tool that went well; None: nothing tells."""
    if outcome is not None and (lines := patched(outcome)) is not None:
        return lines
    if tool.key == "notebookedit":
        return _of_cell(args)
    if tool.kind == "write":
        return _of_file(args, outcome)
    return _of_edits(args)


def _of_cell(args: Args) -> Lines | None:
    """An inserted cell adds its lines; what a replaced or deleted one held is not logged."""
    if args.get("edit_mode") != "insert":
        return None
    return Lines(_rows(args.get("new_source")), 0)


def _of_file(args: Args, outcome: Outcome | None) -> Lines | None:
    if outcome is None:
        return None
    return Lines(_rows(args.get("content")), 0) if outcome.type == "create" else Lines(0, 0)


def _of_edits(args: Args) -> Lines | None:
    """From the arguments, where the result holds no patch; of a replacement throughout, unknown."""
    edits = _items(args.get("edits")) or [args]
    added = removed = 0
    for edit in edits:
        old, new = edit.get("old_string"), edit.get("new_string")
        if edit.get("replace_all") is True or not isinstance(old, str) or not isinstance(new, str):
            return None
        lines = of_texts(old, new)
        added, removed = added + lines.added, removed + lines.removed
    return Lines(added, removed)


def _rows(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    return text.count("\n") + (1 if text and not text.endswith("\n") else 0)


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
