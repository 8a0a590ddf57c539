"""What each tool is: its kind, a line that sums up a call, the file it touches, the lines it changes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from siphon.records import Action, ToolKind
from siphon.sources._diff import Lines, of_texts
from siphon.sources._text import SUMMARY, first, line, text_of

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
ACTIONS: Mapping[str, Action] = {"read": "read", "edit": "edit", "write": "write", "search": "search"}
_QUICK_KINDS = ("shell", "read", "edit", "write")
_QUICK = ("command", "file_path", "notebook_path")
SPAWNING = ("task", "agent")
_SUMMARY = (
    "command", "file_path", "notebook_path", "pattern", "query", "url", "skill", "description",
    "subject", "summary", "prompt", "message", "content", "plan", "path", "team_name", "taskId",
    "task_id", "bash_id", "shell_id", "recipient", "to", "name", "title", "text",
)  # fmt: skip


class Hunk(msgspec.Struct, gc=False):
    lines: list[str] = []


class _TaskState(msgspec.Struct, gc=False, rename="camel"):
    exit_code: int | None = None


class Outcome(msgspec.Struct, gc=False, rename="camel"):
    """What is read of `toolUseResult`, the harness's own view of a result."""

    type: str | None = None
    status: str | None = None
    interrupted: bool | None = None
    duration_ms: float | None = None
    total_duration_ms: float | None = None
    duration_seconds: float | None = None
    structured_patch: list[Hunk] | None = None
    edit_mode: str | None = msgspec.field(default=None, name="edit_mode")
    search_count: int | None = None
    results: list[Any] | None = None
    exit_code: int | None = None
    task: _TaskState | None = None
    persisted_output_path: str | None = None
    persisted_output_size: int | None = None


class Call(msgspec.Struct, frozen=True, gc=False):
    """A tool's name, as logged and in small letters, its kind and its decoded arguments."""

    name: str
    tool: str
    kind: ToolKind
    args: Mapping[str, Any]


def call(name: str, args: Mapping[str, Any]) -> Call:
    tool = name.lower()
    return Call(name, tool, "mcp" if tool.startswith("mcp__") else _KINDS.get(tool, "other"), args)


def summary(call: Call) -> str | None:
    """One line: the command, path, query, description, question or current task."""
    if call.kind in _QUICK_KINDS and (quick := _quick(call.args)):
        return quick
    for key, field in (("todos", "activeForm"), ("questions", "question")):
        items = [item for item in _items(call.args.get(key)) if isinstance(item.get(field), str)]
        if items:
            current = [item for item in items if item.get("status") == "in_progress"] or items
            return line(current[0][field])
    return first(call.args, _SUMMARY) or first(call.args, call.args)


def _quick(args: Mapping[str, Any]) -> str | None:
    for key in _QUICK:
        value = args.get(key)
        if value and isinstance(value, str):
            if len(value) <= SUMMARY and "\n" not in value and "  " not in value:
                return value.strip()
            head = value[: SUMMARY * 50].partition("\n")[0]
            return line(head) or line(value)
    return None


def touched(call: Call) -> tuple[str, Action] | None:
    """The file or folder that a file tool was given, and what it does with it."""
    action = ACTIONS.get(call.kind)
    if action is None:
        return None
    path = call.args.get("file_path")
    if not path or not isinstance(path, str):
        path = text_of(call.args, "notebook_path", "path")
    return None if path is None else (path, action)


def changed(call: Call, outcome: Outcome | None) -> Lines | None:
    """Lines added and removed by a call that went well; None: it changes no file, or nothing tells."""
    if call.kind not in ("edit", "write"):
        return None
    if outcome is not None and outcome.structured_patch:
        return _of_hunks(outcome.structured_patch)
    if call.tool == "notebookedit":
        return _of_cell(call)
    if call.kind == "write":
        return _of_file(call, outcome)
    return _of_edits(call)


def searches(call: Call, outcome: Outcome) -> int:
    """How many web searches a WebSearch call made; each has an own entry among its results."""
    if call.tool != "websearch":
        return 0
    if outcome.search_count is not None:
        return max(outcome.search_count, 0)
    return sum(1 for item in _items(outcome.results) if item.get("tool_use_id"))


def duration_ms(outcome: Outcome) -> int | None:
    """As the tool states it."""
    if outcome.duration_ms is outcome.total_duration_ms is outcome.duration_seconds is None:
        return None
    for value, unit in (
        (outcome.duration_ms, 1),
        (outcome.total_duration_ms, 1),
        (outcome.duration_seconds, 1000),
    ):
        if value is not None and 0 <= value < 1e12:
            return round(value * unit)
    return None


def _of_hunks(hunks: list[Hunk]) -> Lines:
    marks = [row[:1] for hunk in hunks for row in hunk.lines]
    return Lines(marks.count("+"), marks.count("-"))


def _of_cell(call: Call) -> Lines | None:
    """An inserted cell adds its lines; what a replaced or deleted one held is not logged."""
    if call.args.get("edit_mode") != "insert":
        return None
    return Lines(_rows(call.args.get("new_source")), 0)


def _of_file(call: Call, outcome: Outcome | None) -> Lines | None:
    if outcome is None:
        return None
    return Lines(_rows(call.args.get("content")), 0) if outcome.type == "create" else Lines(0, 0)


def _of_edits(call: Call) -> Lines | None:
    """From the arguments, where the result holds no patch; of a replacement throughout, unknown."""
    edits = _items(call.args.get("edits")) or [call.args]
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
