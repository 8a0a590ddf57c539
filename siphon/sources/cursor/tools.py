"""Cursor's tools, by the names that the IDE, the CLI and transcripts give them."""

from collections.abc import Iterator, Mapping
from typing import Any

from siphon.records import Action, FileTouch, Message, ToolCall, ToolKind
from siphon.sources._diff import Lines, of_diff, of_patch, of_texts
from siphon.sources._loose import as_json, count, items, lines_of, mapping, one_line, text
from siphon.sources._transcript import Transcript

Counts = tuple[int | None, int | None]  # lines added, removed

_KINDS: Mapping[str, ToolKind] = {  # by names without case, underscores, and `_v2`
    "readfile": "read",
    "read": "read",
    "readnotebook": "read",
    "editfile": "edit",
    "searchreplace": "edit",
    "strreplace": "edit",
    "edit": "edit",
    "multiedit": "edit",
    "reapply": "edit",
    "applypatch": "edit",
    "editnotebook": "edit",
    "deletefile": "edit",
    "delete": "edit",
    "write": "write",
    "createfile": "write",
    "runterminalcmd": "shell",
    "runterminalcommand": "shell",
    "shell": "shell",
    "bash": "shell",
    "awaitshell": "shell",
    "listdir": "search",
    "listdirrecursive": "search",
    "ls": "search",
    "grep": "search",
    "grepsearch": "search",
    "ripgrep": "search",
    "ripgreprawsearch": "search",
    "rg": "search",
    "codebasesearch": "search",
    "semanticsearchfull": "search",
    "semanticsearch": "search",
    "semsearch": "search",
    "filesearch": "search",
    "glob": "search",
    "globfilesearch": "search",
    "readlints": "search",
    "websearch": "web",
    "webfetch": "web",
    "fetch": "web",
    "task": "agent",
    "agent": "agent",
    "subagent": "agent",
    "todowrite": "plan",
    "todoread": "plan",
    "createplan": "plan",
    "switchmode": "plan",
    "notebookedit": "edit",
    "listmcpresources": "mcp",
    "fetchmcpresource": "mcp",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_PATHS = (
    "targetFile",
    "target_file",
    "relativeWorkspacePath",
    "relative_workspace_path",
    "file_path",
    "filePath",
    "path",
    "effectiveUri",
    "target_notebook",
    "targetDirectory",
    "target_directory",
)
_SUMMARIES = (
    "command",
    "description",
    *_PATHS,
    "pattern",
    "query",
    "globPattern",
    "glob_pattern",
    "search_term",
    "searchTerm",
    "url",
    "explanation",
    "prompt",
)


def kind_of(name: str) -> ToolKind:
    low = name.lower()
    if low.startswith(("mcp_", "mcp-", "callmcptool")):
        return "mcp"
    return _KINDS.get(low.removesuffix("_v2").replace("_", "")) or "other"


def summary(name: str, told: Mapping[str, Any]) -> str | None:
    """One line of what was asked for: a shell's command, an edit's path, else a pattern or question."""
    keys = ("command", *_SUMMARIES) if kind_of(name) == "shell" else _SUMMARIES
    if kind_of(name) == "search":
        keys = ("pattern", "query", *keys)
    found = next((line for key in keys if (line := one_line(told.get(key)))), None)
    return found or one_line(", ".join(file.path for file in of_patch(_patch(told) or "")))


def _patch(told: Mapping[str, Any]) -> str | None:
    return next(
        (text(told.get(key)) for key in ("patch", "input", "patchText") if text(told.get(key))), None
    )


def changed(name: str, told: Mapping[str, Any], result: Mapping[str, Any]) -> Counts:
    """Lines that an edit added and removed, as far as call or result tell."""
    if kind_of(name) not in ("edit", "write"):
        return None, None
    chunks = [mapping(chunk) for chunk in items(mapping(result.get("diff")).get("chunks"))]
    if chunks:
        added, removed = (
            sum(count(c.get(k)) or 0 for c in chunks) for k in ("linesAdded", "linesRemoved")
        )
        diffs = [text(chunk.get("diffString")) for chunk in chunks]
        if added or removed or not any(diffs):
            return Lines(added, removed)
        found = [of_diff(diff) for diff in diffs if diff]
        return Lines(sum(lines.added for lines in found), sum(lines.removed for lines in found))
    patch = list(of_patch(_patch(told) or ""))
    if patch:
        return Lines(sum(f.lines.added for f in patch), sum(f.lines.removed for f in patch))
    return _replaced(name, told)


def _replaced(name: str, told: Mapping[str, Any]) -> Counts:
    old, new = (told.get(key) for key in ("old_string", "new_string"))
    if isinstance(old, str) and isinstance(new, str):
        return of_texts(old, new)
    content = told.get("contents") or told.get("content")
    if kind_of(name) == "write" and isinstance(content, str) and content:
        return lines_of(content), None  # what was there before, if anything, it does not tell
    return None, None


def called(rows: Transcript, named: str | None, given: Any, native_id: str | None) -> ToolCall:
    """Add a call, and the files it names; what it changed is known once it is settled."""
    name, told = named or "unknown", mapping(given)
    before = rows.rows.get(rows.last)
    spoken = before.message_seq if isinstance(before, ToolCall) else before and _reply(before)
    call = ToolCall(
        session=rows.native_id,
        seq=rows.seq(),
        name=name,
        kind=kind_of(name),
        native_id=native_id,
        message_seq=spoken,
        summary=summary(name, told),
        input=as_json(given),
    )
    lines = changed(name, told, {})
    call = call._replace(lines_added=lines[0], lines_removed=lines[1])
    rows.put(call)
    rows.touches.extend(touches(call, told))
    return call


def _reply(row: Message) -> int | None:
    return row.seq if row.role == "assistant" else None


def settle(rows: Transcript) -> None:
    """Calls that failed changed nothing."""
    failed = {
        row.seq
        for row in rows.rows.values()
        if isinstance(row, ToolCall) and row.status in ("error", "rejected")
    }
    rows.touches[:] = [touch for touch in rows.touches if touch.call_seq not in failed]
    for seq in failed:
        call = rows.call(seq)
        if call is not None:
            rows.put(call._replace(lines_added=None, lines_removed=None))


def touches(call: ToolCall, told: Mapping[str, Any]) -> Iterator[FileTouch]:
    """The files that a call names."""
    action = _ACTIONS.get(call.kind)
    if action is None:
        return
    patched = list(of_patch(_patch(told) or "")) if call.kind == "edit" else []
    for file in patched:
        lines = file.lines
        yield FileTouch(call.session, call.seq, file.path, file.action, lines.added, lines.removed)
    path = next((found for key in _PATHS if (found := _path(told.get(key)))), None)
    if path and not patched:
        gone = call.name.lower().startswith("delete")
        kind: Action = "delete" if gone else action
        yield FileTouch(call.session, call.seq, path, kind, call.lines_added, call.lines_removed)


def _path(value: Any) -> str | None:
    if isinstance(value, dict):
        return text(value.get("fsPath")) or text(value.get("path"))
    return text(value)
