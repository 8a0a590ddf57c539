"""Calls and the steps that carried them out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from siphon.records import Action, FileTouch, ToolCall, ToolKind
from siphon.sources._diff import Lines, of_diff, of_texts
from siphon.sources._loose import items, lines_of, mapping, one_line, stamp, text
from siphon.sources.antigravity.steps import Call, Step, file_path, state

# Step types that carry out a call.
STEPS: Mapping[str, ToolKind] = {
    "VIEW_FILE": "read",
    "VIEW_FILE_OUTLINE": "read",
    "VIEW_CODE_ITEM": "read",
    "VIEW_CONTENT_CHUNK": "read",
    "RUN_COMMAND": "shell",
    "COMMAND_STATUS": "shell",
    "SEND_COMMAND_INPUT": "shell",
    "CODE_ACTION": "edit",
    "WRITE_TO_FILE": "write",
    "GREP_SEARCH": "search",
    "FIND": "search",
    "LIST_DIRECTORY": "search",
    "SEARCH_WEB": "web",
    "READ_URL_CONTENT": "web",
    "BROWSER_NAVIGATE": "web",
    "BROWSER_SUBAGENT": "agent",
    "MCP_TOOL": "mcp",
    "TASK_BOUNDARY": "plan",
    "NOTIFY_USER": "other",
    "ASK_QUESTION": "other",
    "GENERIC": "other",
}
_CALLS: Mapping[str, ToolKind] = {
    "view_file": "read",
    "view_file_outline": "read",
    "view_code_item": "read",
    "view_content_chunk": "read",
    "run_command": "shell",
    "command_status": "shell",
    "send_command_input": "shell",
    "write_to_file": "write",
    "write_file": "write",
    "replace_file_content": "edit",
    "multi_replace_file_content": "edit",
    "grep_search": "search",
    "codebase_search": "search",
    "find_by_name": "search",
    "list_dir": "search",
    "search_web": "web",
    "read_url_content": "web",
    "browser_subagent": "agent",
    "invoke_subagent": "agent",
    "task_boundary": "plan",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_PATHS = ("TargetFile", "AbsolutePath", "File", "DirectoryPath", "SearchPath", "SearchDirectory")
_SUMMARIES = ("CommandLine", "TargetFile", "AbsolutePath", "Query", "query", "Pattern", "Url", "Task")
_LATER = (*_PATHS, "TaskName", "Message", "toolSummary", "toolAction")
_EXIT = re.compile(r"exit code:? (-?\d+)", re.IGNORECASE)
_SPAN = re.compile(r"\ACreated At: (\S+)\nCompleted At: (\S+)\n")
_FILE = re.compile(r"(?:File Path: `|(?:Created|Modified|Edited|Deleted) file )(file://[^`\s]+)")


def kind_of(name: str) -> ToolKind:
    if name.startswith("browser_"):
        return _CALLS.get(name, "web")
    return "mcp" if name.startswith("mcp_") else _CALLS.get(name, "other")


def is_tool(kind: str) -> bool:
    return kind in STEPS or kind.startswith("BROWSER_")


def fits(call: ToolCall, step: Step) -> bool:
    """Whether a step may be what came of a call, by their kinds."""
    kind = step_kind(step)
    files = ("edit", "write")
    return kind == call.kind or "other" in (kind, call.kind) or (kind in files and call.kind in files)


def step_kind(step: Step) -> ToolKind:
    return "web" if step.type.startswith("BROWSER_N") else STEPS.get(step.type, "other")


def summary(arguments: dict[str, Any]) -> str | None:
    for key in (*_SUMMARIES, *_LATER):
        if found := one_line(arguments.get(key)):
            return found
    return None


def done(call: ToolCall, made: Call | None, step: Step) -> ToolCall:
    """The call with what the step that carried it out tells."""
    status = state(step)
    found = _EXIT.search((step.content or "")[:400]) if call.kind == "shell" else None
    exit_code = step.exit_code if step.exit_code is not None else int(found[1]) if found else None
    if exit_code is None and (step.content or "").startswith("The command completed successfully"):
        exit_code = 0
    if exit_code and status == "ok":
        status = "error"
    lines = _lines(made, step) if status == "ok" and call.kind in ("edit", "write") else None
    return call._replace(
        summary=call.summary or path_of(made, step),
        output=step.content,
        status=status,
        exit_code=exit_code,
        duration_ms=_duration(step.content),
        lines_added=lines.added if lines else None,
        lines_removed=lines.removed if lines else None,
        result_offset=step.offset,
        result_length=step.length,
    )


def touches(call: ToolCall, made: Call | None, step: Step) -> Iterator[FileTouch]:
    """The file that a call read or changed, if it went well."""
    path, action = path_of(made, step), _ACTIONS.get(call.kind)
    if path and action and call.status == "ok":
        yield FileTouch(call.session, call.seq, path, action, call.lines_added, call.lines_removed)


def path_of(made: Call | None, step: Step) -> str | None:
    for key in _PATHS if made else ():
        if path := text(made.arguments.get(key)) if made else None:
            return file_path(path)
    found = _FILE.search((step.content or "")[:2000])
    return step.path or (file_path(found[1]) if found else None)


def _duration(content: str | None) -> int | None:
    found = _SPAN.match(content or "")
    begun, ended = (stamp(found[1]), stamp(found[2])) if found else (None, None)
    return ended - begun if begun is not None and ended is not None and ended >= begun else None


def _lines(made: Call | None, step: Step) -> Lines | None:
    """Of the diff that is shown, else of what was asked for."""
    content = step.content or ""
    diff = content[content.find("@@") :] if "@@" in content else ""
    if diff or content.startswith(("+", "-", " ")):
        return of_diff(diff.partition("[diff_block_end]")[0] or content)
    arguments = made.arguments if made else {}
    if written := text(arguments.get("CodeContent")):
        return Lines(lines_of(written), 0)
    chunks = [mapping(chunk) for chunk in items(arguments.get("ReplacementChunks"))] or [arguments]
    swaps = [
        of_texts(text(chunk.get("TargetContent")) or "", text(chunk.get("ReplacementContent")) or "")
        for chunk in chunks
        if "ReplacementContent" in chunk
    ]
    return Lines(sum(s.added for s in swaps), sum(s.removed for s in swaps)) if swaps else None
