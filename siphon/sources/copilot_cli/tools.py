"""The tools of Copilot CLI: what kind each is, which files it touches, what its result says."""

import re
from collections.abc import Iterator
from typing import Any

from siphon.records import Action, FileTouch, Status, ToolCall, ToolKind
from siphon.sources import _diff
from siphon.sources._text import first, size, text_of
from siphon.sources.copilot_cli.events import Completed

_KINDS: dict[str, ToolKind] = {
    "view": "read",
    "read_file": "read",
    "edit": "edit",
    "str_replace": "edit",
    "apply_patch": "edit",
    "create": "write",
    "grep": "search",
    "rg": "search",
    "glob": "search",
    "task": "agent",
    "read_agent": "agent",
    "write_agent": "agent",
    "list_agents": "agent",
    "web_fetch": "web",
    "web_search": "web",
    "update_todo": "plan",
    "exit_plan_mode": "plan",
    "task_complete": "plan",
    "sql": "plan",
}
_EDITOR: dict[str, ToolKind] = {"view": "read", "create": "write"}
_SHELL = re.compile(r"(?:(?:read|write|stop|list)_)?(?:bash|powershell|shell)")
_EXIT = re.compile(r"<(?:exited|[^<>\n]*completed) with exit code (-?\d+)>\s*$")
_SUMMARY = (
    "command",
    "path",
    "file_path",
    "pattern",
    "query",
    "url",
    "description",
    "summary",
    "question",
    "prompt",
)
_EDITS: dict[str, Action] = {"create": "write", "edit": "edit", "delete": "delete"}


def kind(name: str, server: str | None, args: Any = None) -> ToolKind:
    """What a tool does; one that is not known and comes from a server is an MCP tool."""
    if name == "str_replace_editor":  # one tool for three things
        return _EDITOR.get(text_of(args, "command") or "", "edit")
    if name in _KINDS:
        return _KINDS[name]
    if _SHELL.fullmatch(name):
        return "shell"
    return "mcp" if server or name.startswith("github-mcp-server-") else "other"


def summary(name: str, args: Any, intention: str | None) -> str | None:
    """The command, path or query; where there is none, what the model said it intends."""
    if name == "apply_patch":
        return (
            first([*(f"{file.action} {file.path}" for file in _patched(args)), ""][0], ()) or intention
        )
    if name == "task":
        return first(args, ("description", "prompt")) or intention
    return first(args, _SUMMARY) or intention


def finished(call: ToolCall, done: Completed, ts: int | None, args: Any) -> ToolCall:
    """The call with its result."""
    output = done.result.content if done.result and done.result.content is not None else None
    if output is None and done.error:
        output = done.error.message
    added, removed = _lines(call, done, args)
    return call._replace(
        output=output,
        output_bytes=size(output),
        status=_status(call, done),
        exit_code=_shell_exit(done, output),
        duration_ms=ts - call.ts if ts is not None and call.ts is not None and ts >= call.ts else None,
        lines_added=added,
        lines_removed=removed,
    )


def _status(call: ToolCall, done: Completed) -> Status:
    if done.success:
        return "ok"
    code = (done.error.code if done.error else None) or ""
    return "rejected" if call.status == "rejected" or code in ("denied", "rejected") else "error"


def _shell_exit(done: Completed, output: str | None) -> int | None:
    stated = done.shell_execution.exit_code if done.shell_execution else None
    return exit_code(output) if stated is None else stated


def exit_code(output: str | None) -> int | None:
    """What the last line of a shell's output says."""
    found = _EXIT.search(output[-200:]) if output else None
    return int(found[1]) if found else None


def _lines(call: ToolCall, done: Completed, args: Any) -> tuple[int | None, int | None]:
    """Lines added and removed: the tool's own count, else its diff's, else what it was asked to do."""
    if call.kind not in ("edit", "write") or not done.success:
        return None, None
    metrics = done.tool_telemetry.metrics if done.tool_telemetry else None
    if metrics and metrics.lines_added is not None:
        return metrics.lines_added, metrics.lines_removed
    diff = done.result.detailed_content if done.result else None
    if diff and "@@" in diff:
        return _diff.of_diff(diff)
    return _asked(args)


def _asked(args: Any) -> tuple[int | None, int | None]:
    if files := list(_patched(args)):
        return sum(file.lines.added for file in files), sum(file.lines.removed for file in files)
    old, new = (
        text_of(args, "old_str", "old_string"),
        text_of(args, "new_str", "new_string", "file_text", "content"),
    )
    return _diff.of_texts(old or "", new or "") if old or new else (None, None)


def touches(call: ToolCall, args: Any, done: Completed | None) -> Iterator[FileTouch]:
    """The files of a call: what was committed, where the log tells it, else what was asked for."""
    if done is not None and done.file_edits:
        for edit in done.file_edits:
            if edit.path:
                yield FileTouch(call.session, call.seq, edit.path, _EDITS.get(edit.kind or "", "edit"))
        return
    for file in _patched(args):
        yield FileTouch(call.session, call.seq, file.path, file.action, *file.lines)
    path = text_of(args, "path", "file_path")
    actions: dict[ToolKind, Action] = {
        "read": "read",
        "edit": "edit",
        "write": "write",
        "search": "search",
    }
    if path and call.kind in actions:
        yield FileTouch(
            call.session, call.seq, path, actions[call.kind], call.lines_added, call.lines_removed
        )


def _patched(args: Any) -> Iterator[_diff.Patched]:
    patch = args if isinstance(args, str) else text_of(args, "input", "patch")
    return _diff.of_patch(patch) if patch and "*** Begin Patch" in patch else iter(())
