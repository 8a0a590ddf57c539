"""The tools of Gemini CLI and its forks."""

import re
from collections.abc import Iterator
from typing import Any

from siphon.records import Action, FileTouch, Status, ToolKind
from siphon.sources import _diff
from siphon.sources._text import first, text_of

_KINDS: dict[str, ToolKind] = {
    "read_file": "read",
    "read_many_files": "read",
    "write_file": "write",
    "replace": "edit",
    "edit": "edit",
    "list_directory": "search",
    "glob": "search",
    "search_file_content": "search",
    "grep_search": "search",
    "run_shell_command": "shell",
    "web_fetch": "web",
    "google_web_search": "web",
    "web_search": "web",
    "write_todos": "plan",
    "todo_write": "plan",
    "enter_plan_mode": "plan",
    "exit_plan_mode": "plan",
    "delegate_to_agent": "agent",
    "codebase_investigator": "agent",
    "task": "agent",
    "agent": "agent",
}
_ACTIONS: dict[ToolKind, Action] = {"read": "read", "write": "write", "edit": "edit", "search": "search"}
_STATUS: dict[str, Status] = {"success": "ok", "error": "error", "cancelled": "interrupted"}
_PATHS = ("file_path", "absolute_path", "dir_path", "path")
_SUMMARY = (
    "command",
    *_PATHS,
    "pattern",
    "query",
    "url",
    "prompt",
    "description",
    "objective",
    "fact",
    "skill",
)
_FIRST: dict[ToolKind, tuple[str, ...]] = {
    "search": ("pattern", "query"),
    "web": ("query",),
    "agent": ("description", "objective"),
}
_EXIT = re.compile(r"^Exit Code: (-?\d+|\(none\))\s*$", re.MULTILINE)
_REFUSED = re.compile(r"did not allow|denied|rejected|declined", re.IGNORECASE)


def kind(name: str, agent: str | None = None) -> ToolKind:
    """What a tool does; one that ran as a subagent is an agent, one named after a server is MCP."""
    if name in _KINDS:
        return _KINDS[name]
    if agent:
        return "agent"
    return "mcp" if "__" in name or name.startswith("mcp_") else "other"


def summary(name: str, args: Any, description: str | None) -> str | None:
    """The pattern of a search, the task of an agent, else the command, path or query."""
    keys = (*_FIRST.get(kind(name), ()), *_SUMMARY)
    return first(args, keys) or (first({"d": description}, ("d",)) if description else None)


def status(stated: str | None, output: str | None) -> Status:
    """Transient states are pending; a cancelled call is rejected where the answer says so."""
    found = _STATUS.get(stated or "", "pending")
    return "rejected" if found == "interrupted" and output and _REFUSED.search(output) else found


def exit_code(output: str | None) -> int | None:
    """The last `Exit Code:` line; older versions write `(none)` for 0, newer write none for 0."""
    found = _EXIT.findall(output) if output else []
    return None if not found else 0 if found[-1] == "(none)" else int(found[-1])


def lines(name: str, args: Any, display: Any) -> tuple[int | None, int | None]:
    """Lines added and removed: as counted by the tool, else of its diff, else of what it replaced."""
    if kind(name) not in ("edit", "write"):
        return None, None
    if isinstance(display, dict):
        stat = display.get("diffStat")
        added = stat.get("model_added_lines") if isinstance(stat, dict) else None
        removed = stat.get("model_removed_lines") if isinstance(stat, dict) else None
        if isinstance(added, int) and isinstance(removed, int):
            return max(0, added), max(0, removed)
        if isinstance(display.get("fileDiff"), str):
            return _diff.of_diff(display["fileDiff"])
    old, new = text_of(args, "old_string"), text_of(args, "new_string", "content")
    return _diff.of_texts(old or "", new or "") if old or new else (None, None)


def touches(
    session: str, seq: int, name: str, args: Any, display: Any, changed: tuple[int | None, int | None]
) -> Iterator[FileTouch]:
    """The file of a call; the result has its full path where the arguments are relative."""
    action = _ACTIONS.get(kind(name))
    if action is None:
        return
    path = (text_of(display, "filePath") if isinstance(display, dict) else None) or text_of(
        args, *_PATHS
    )
    if path:
        yield FileTouch(session, seq, path, action, *changed)
    several = args.get("paths") if isinstance(args, dict) and action == "read" else None
    for other in several if isinstance(several, list) else ():
        if isinstance(other, str) and other and "*" not in other:
            yield FileTouch(session, seq, other, action)
