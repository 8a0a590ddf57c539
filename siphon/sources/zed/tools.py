"""Zed's tools by name; an edit's result tells the texts before and after."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from siphon.records import Action, FileTouch, ToolCall, ToolKind
from siphon.sources._diff import of_diff, of_texts
from siphon.sources._loose import one_line, text

_KINDS: Mapping[str, ToolKind] = {
    "read_file": "read",
    "open": "read",
    "edit_file": "edit",
    "streaming_edit_file": "edit",
    "restore_file_from_disk": "edit",
    "save_file": "write",
    "write_file": "write",
    "create_file": "write",
    "create_directory": "write",
    "copy_path": "write",
    "move_path": "edit",
    "delete_path": "edit",
    "terminal": "shell",
    "grep": "search",
    "find_path": "search",
    "list_directory": "search",
    "diagnostics": "search",
    "project_notifications": "other",
    "fetch": "web",
    "web_search": "web",
    "spawn_agent": "agent",
    "subagent": "agent",
    "update_plan": "plan",
    "thinking": "other",
    "now": "other",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_PATHS = ("path", "source_path", "destination_path")
_SUMMARIES = (
    "command",
    "regex",
    "glob",
    "query",
    "url",
    *_PATHS,
    "display_description",
    "label",
    "message",
)
_DECODER = msgspec.json.Decoder()


def kind_of(name: str) -> ToolKind:
    """What a tool does; those of context servers have the server's name before theirs."""
    return _KINDS.get(name) or ("mcp" if ":" in name or name.startswith("mcp") else "other")


def summary(told: Mapping[str, Any]) -> str | None:
    return next((line for key in _SUMMARIES if (line := one_line(told.get(key)))), None)


def given(call: ToolCall) -> Any:
    """A call's arguments."""
    return _DECODER.decode(call.input) if call.input else None


def changed(call: ToolCall, output: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Lines that an edit added and removed."""
    if call.kind not in ("edit", "write"):
        return None, None
    diff, old, new = (output.get(key) for key in ("diff", "old_text", "new_text"))
    if isinstance(diff, str) and diff:
        return of_diff(diff)
    return of_texts(old, new) if isinstance(old, str) and isinstance(new, str) else (None, None)


def touches(call: ToolCall, told: Mapping[str, Any]) -> Iterator[FileTouch]:
    """The files of a call that went well."""
    action = _ACTIONS.get(call.kind)
    if action is None or call.status != "ok":
        return
    if call.name == "edit_file" and told.get("mode") in ("create", "overwrite"):
        action = "write"
    if call.name == "delete_path":
        action = "delete"
    if call.name == "move_path" and text(told.get("source_path")):
        yield FileTouch(call.session, call.seq, str(told["source_path"]), "delete")
        yield FileTouch(call.session, call.seq, str(told.get("destination_path")), "write")
        return
    path = next((found for key in reversed(_PATHS) if (found := text(told.get(key)))), None)
    if path:
        yield FileTouch(call.session, call.seq, path, action, call.lines_added, call.lines_removed)
