"""Goose's tools: `<extension>__<tool>`, of which the developer extension's are told apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from siphon.records import Action, FileTouch, ToolCall, ToolKind
from siphon.sources._diff import of_texts
from siphon.sources._loose import lines_of, mapping, one_line, text

_KINDS: Mapping[str, ToolKind] = {
    "shell": "shell",
    "read": "read",
    "view": "read",
    "read_file": "read",
    "image_processor": "read",
    "read_image": "read",
    "list_windows": "other",
    "screen_capture": "other",
    "tree": "search",
    "analyze": "search",
    "glob": "search",
    "search": "search",
    "write": "write",
    "write_file": "write",
    "edit": "edit",
    "edit_file": "edit",
    "web_scrape": "web",
    "web_search": "web",
    "fetch": "web",
    "subagent": "agent",
    "delegate": "agent",
    "create_task": "agent",
    "execute_task": "agent",
    "todo_read": "plan",
    "todo_write": "plan",
}
_EDITOR: Mapping[str, ToolKind] = {"view": "read", "write": "write"}  # all else edits
_OWN = ("developer", "computercontroller", "todo", "platform", "dynamic_task", "subagent", "analyze")
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_SUMMARIES = (
    "command",
    "path",
    "pattern",
    "query",
    "url",
    "task",
    "instructions",
    "title",
    "description",
)


def kind_of(name: str, told: Mapping[str, Any]) -> ToolKind:
    extension, separator, tool = name.partition("__")
    tool = tool if separator else extension
    if tool == "text_editor":
        return _EDITOR.get(str(told.get("command")), "edit")
    if separator and extension not in _OWN:
        return "mcp"
    return _KINDS.get(tool, "other")


def summary(name: str, told: Mapping[str, Any]) -> str | None:
    """One line: what was run, or the file; an editor's `command` is but its verb."""
    keys = _SUMMARIES[1:] if name.endswith("text_editor") else _SUMMARIES
    return next((line for key in keys if (line := one_line(told.get(key)))), None)


def changed(kind: ToolKind, told: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Lines that a call adds and removes, as far as its arguments tell."""
    old = _first(told, "old_str", "before", "old_string")
    new = _first(told, "new_str", "after", "new_string")
    if kind == "edit" and old is not None and new is not None:
        return of_texts(old, new)
    if kind == "edit" and new is not None and told.get("command") == "insert":
        return lines_of(new), 0
    content = _first(told, "file_text", "content")
    return (lines_of(content), None) if kind == "write" and content else (None, None)


def _first(told: Mapping[str, Any], *keys: str) -> str | None:
    return next((told[key] for key in keys if isinstance(told.get(key), str)), None)


def touches(call: ToolCall, given: Any) -> Iterator[FileTouch]:
    """The file of a call that went well."""
    action = _ACTIONS.get(call.kind)
    path = text(mapping(given).get("path")) or text(mapping(given).get("file_path"))
    if action and path and call.status == "ok":
        yield FileTouch(call.session, call.seq, path, action, call.lines_added, call.lines_removed)
