"""Tool calls and what their results tell: status, exit code, files, lines."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from siphon.records import Action, FileTouch, Status, ToolCall, ToolKind
from siphon.sources._diff import of_patch
from siphon.sources._loose import (
    count,
    image,
    integer,
    items,
    lines_of,
    mapping,
    one_line,
    text,
)

KINDS: Mapping[str, ToolKind] = {
    "bash": "shell",
    "exec": "shell",
    "process": "shell",
    "python": "shell",
    "shell_exec": "shell",
    "run_terminal": "shell",
    "read": "read",
    "read_file": "read",
    "write": "write",
    "write_file": "write",
    "edit": "edit",
    "edit_file": "edit",
    "apply_patch": "edit",
    "grep": "search",
    "find": "search",
    "ls": "search",
    "glob": "search",
    "web_search": "web",
    "web_fetch": "web",
    "fetch": "web",
    "browser": "web",
    "task": "agent",
    "subagent": "agent",
    "sessions_spawn": "agent",
    "sessions_send": "agent",
    "todo": "plan",
    "todo_write": "plan",
    "update_plan": "plan",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "write": "write",
    "edit": "edit",
    "search": "search",
}
_PATHS = ("path", "file_path", "filePath", "file")
_SUMMARIES = ("command", "cmd", "pattern", "query", *_PATHS, "url", "task", "description", "action")
_EXITED = re.compile(r"Command exited with code (-?\d+)\s*\Z")
_STOPPED = re.compile(
    r"(?:Command|Operation|Request was) aborted\.?\s*\Z|Skipped due to queued user message\.?\s*\Z"
)
_BLOCKED = re.compile(r"\ATool execution was blocked")


class Open(NamedTuple):
    """A call that waits for its result."""

    call: ToolCall
    arguments: dict[str, Any]


def kind_of(name: str) -> ToolKind:
    if name.startswith("mcp__"):
        return "mcp"
    return KINDS.get(name.lower(), "other")


def summary_of(arguments: dict[str, Any]) -> str | None:
    for key in _SUMMARIES:
        if key in arguments and (summary := one_line(arguments[key])):
            return summary
    return next((file.path for file in of_patch(_patch(arguments))), None)


def answered(opened: Open, body: dict[str, Any], offset: int, length: int) -> ToolCall:
    """The call with what a `toolResult` message says of it; offset and length are the result's."""
    details = mapping(body.get("details"))
    output = output_of(body.get("content"))
    status = _status(body, details, output)
    added, removed = _changed(opened, details) if status == "ok" else (None, None)
    duration = count(body.get("elapsedMs"))
    call = opened.call
    return ToolCall(
        *call[:8],  # what was asked
        output,
        None,  # its size, which the loader counts
        status,
        _exit_code(call.name, details, status, output),
        call.ts,
        count(details.get("durationMs")) if duration is None else duration,
        added,
        removed,
        *call[16:20],  # its request and place
        offset,
        length,
    )


def touches(opened: Open, call: ToolCall) -> Iterator[FileTouch]:
    """The files that a call read or changed, if it went well; `call` is the answered one."""
    action = _ACTIONS.get(call.kind)
    if action is None or call.status != "ok":
        return
    if call.name == "apply_patch":
        for file in of_patch(_patch(opened.arguments)):
            added, removed = file.lines
            yield FileTouch(call.session, call.seq, file.path, file.action, added, removed)
        return
    path = next((found for key in _PATHS if (found := text(opened.arguments.get(key)))), None)
    if path:
        yield FileTouch(call.session, call.seq, path, action, call.lines_added, call.lines_removed)


def output_of(content: Any) -> str | None:
    """The text of a result; images are named, not kept."""
    if isinstance(content, str):
        return content
    parts = []
    for block in items(content):
        block = mapping(block)
        if block.get("type") == "image":
            held = image(block.get("mimeType"), block.get("data"))
            parts.append(f"[image: {held['media_type']}, {held['bytes']} bytes]")
        elif isinstance(block.get("text"), str):
            parts.append(block["text"])
    return "\n".join(parts) if parts else None


def _patch(arguments: dict[str, Any]) -> str:
    return text(arguments.get("input")) or text(arguments.get("patch")) or ""


def _status(body: dict[str, Any], details: dict[str, Any], output: str | None) -> Status:
    if not body.get("isError"):
        failed = details.get("status") in ("failed", "error") or details.get("exitCode") not in (None, 0)
        return "error" if failed else "ok"
    if _STOPPED.search((output or "")[-80:]):
        return "interrupted"
    return "rejected" if _BLOCKED.search(output or "") else "error"


def _exit_code(name: str, details: dict[str, Any], status: Status, output: str | None) -> int | None:
    told = integer(details.get("exitCode"))
    if told is not None:
        return told
    found = _EXITED.search(output[-80:]) if output else None
    if found:
        return int(found[1])
    return 0 if status == "ok" and name == "bash" else None  # pi's bash fails on any other


def _changed(opened: Open, details: dict[str, Any]) -> tuple[int | None, int | None]:
    """Lines added and removed: pi's diff has a sign at the head of each changed line."""
    if opened.call.kind == "write":
        content = text(opened.arguments.get("content"))
        return (lines_of(content), None) if content else (None, None)
    diff = text(details.get("diff"))
    if opened.call.kind != "edit" or diff is None:
        return None, None
    return (
        diff.count("\n+") + diff.startswith("+"),
        diff.count("\n-") + diff.startswith("-"),
    )
