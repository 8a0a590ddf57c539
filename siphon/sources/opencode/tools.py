"""Tool parts: call and result in one record, with what it says of files, lines and the exit."""

from collections.abc import Iterator, Mapping
from typing import Any

from siphon.records import Action, FileTouch, Status, ToolCall, ToolKind
from siphon.sources._diff import of_diff, of_patch, of_texts
from siphon.sources._loose import (
    as_json,
    count,
    integer,
    items,
    lines_of,
    mapping,
    one_line,
    stamp,
    text,
)
from siphon.sources._text import size
from siphon.sources.opencode.shapes import Part

_KINDS: Mapping[str, ToolKind] = {
    "bash": "shell",
    "shell": "shell",
    "read": "read",
    "edit": "edit",
    "multiedit": "edit",
    "patch": "edit",
    "apply_patch": "edit",
    "write": "write",
    "glob": "search",
    "grep": "search",
    "list": "search",
    "lsp": "search",
    "webfetch": "web",
    "websearch": "web",
    "codesearch": "web",
    "task": "agent",
    "todowrite": "plan",
    "todoread": "plan",
    "plan_enter": "plan",
    "plan_exit": "plan",
    "lsp_diagnostics": "search",
    "lsp_hover": "search",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_SUMMARIES = (
    "command",
    "filePath",
    "pattern",
    "url",
    "query",
    "description",
    "path",
    "question",
    "name",
)
_ENDS: Mapping[str, Status] = {"completed": "ok", "success": "ok", "error": "error"}
_PATCHED: Mapping[str, Action] = {"add": "write", "delete": "delete"}
# What the writer says where a person refused, or stopped, a call.
_REFUSED = ("The user rejected", "The user dismissed", "The user has specified a rule")
_STOPPED = ("Tool execution aborted", "Tool execution was interrupted", "Aborted")


def kind_of(name: str) -> ToolKind:
    """Built-in tools by name; `<server>_<tool>` is an MCP tool."""
    return _KINDS.get(name) or ("mcp" if "_" in name.strip("_") else "other")


def called(session: str, seq: int, part: Part, stopped: bool) -> ToolCall:
    """The call; `stopped`: its message ended, so that what is not finished never will be."""
    state = mapping(part.info.state)
    metadata, told = mapping(state.get("metadata")), mapping(state.get("input"))
    name = text(part.info.tool) or "invalid"
    status = _status(name, state, metadata, stopped)
    output = _output(state)
    start, end = (stamp(mapping(state.get("time")).get(edge)) for edge in ("start", "end"))
    added, removed = _lines(name, told, metadata) if status == "ok" else (None, None)
    return ToolCall(
        session=session,
        seq=seq,
        name=name,
        kind=kind_of(name),
        native_id=part.key,
        summary=_summary(told) or one_line(state.get("title")) or one_line(state.get("raw")),
        input=as_json(state.get("input")),
        output=output,
        output_bytes=size(output),
        status=status,
        exit_code=_exit_code(metadata),
        ts=start,
        duration_ms=end - start if start is not None and end is not None and end >= start else None,
        lines_added=added,
        lines_removed=removed,
        offset=part.offset,
        length=part.length,
    )


def _status(name: str, state: Mapping[str, Any], metadata: Mapping[str, Any], stopped: bool) -> Status:
    status = _ENDS.get(str(state.get("status")))
    if status is None:
        return "interrupted" if stopped else "pending"
    error = text(state.get("error")) or ""
    if error.startswith(_REFUSED):
        return "rejected"
    if error.startswith(_STOPPED) or metadata.get("interrupted") is True:
        return "interrupted"
    # `invalid` stands for a call that the tool could not make sense of; it "completes" by saying so.
    failed = (
        name == "invalid" or metadata.get("timeout") is True or _exit_code(metadata) not in (None, 0)
    )
    return "error" if failed else status


def _exit_code(metadata: Mapping[str, Any]) -> int | None:
    code = integer(metadata.get("exit"))
    return integer(metadata.get("exitCode")) if code is None else code


def _output(state: Mapping[str, Any]) -> str | None:
    for key in ("output", "error"):
        value = state.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            return as_json(value)
    return None


def _summary(told: Mapping[str, Any]) -> str | None:
    for key in _SUMMARIES:
        if line := one_line(told.get(key)):
            return line
    return one_line(", ".join(file.path for file in of_patch(text(told.get("patchText")) or "")))


def _lines(
    name: str, told: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[int | None, int | None]:
    kind = kind_of(name)
    if kind not in ("edit", "write"):
        return None, None
    diff = mapping(metadata.get("filediff"))
    if count(diff.get("additions")) is not None:
        return count(diff.get("additions")), count(diff.get("deletions"))
    patched = list(_patched(told, metadata))
    if patched:
        return _sum(added for _, _, added, _ in patched), _sum(removed for *_, removed in patched)
    if text(metadata.get("diff")):
        return of_diff(metadata["diff"])
    old, new = told.get("oldString"), told.get("newString")
    if isinstance(old, str) and isinstance(new, str):
        return of_texts(old, new)
    content = told.get("content")
    # A file that was there before lost lines that the log does not tell.
    if isinstance(content, str) and metadata.get("exists") is False:
        return lines_of(content), 0
    return None, None


def _sum(counts: Iterator[int | None]) -> int | None:
    known = [n for n in counts if n is not None]
    return sum(known) if known else None


def touches(call: ToolCall, part: Part) -> Iterator[FileTouch]:
    """The files of a call that went well."""
    action = _ACTIONS.get(call.kind)
    if action is None or call.status != "ok":
        return
    state = mapping(part.info.state)
    told, metadata = mapping(state.get("input")), mapping(state.get("metadata"))
    patched = list(_patched(told, metadata))
    for path, kind, added, removed in patched:
        yield FileTouch(call.session, call.seq, path, kind, added, removed)
    named = text(told.get("filePath")) or text(told.get("path"))
    if named and not patched:
        yield FileTouch(call.session, call.seq, named, action, call.lines_added, call.lines_removed)


def _patched(
    told: Mapping[str, Any], metadata: Mapping[str, Any]
) -> Iterator[tuple[str, Action, int | None, int | None]]:
    """(path, action, lines added, lines removed) of each file of a patch."""
    files = [mapping(file) for file in items(metadata.get("files")) if isinstance(file, dict)]
    for file in files:
        path = text(file.get("filePath")) or text(file.get("relativePath"))
        if path:
            action = _PATCHED.get(str(file.get("type")), "edit")
            yield path, action, count(file.get("additions")), count(file.get("deletions"))
    if not files:
        for patch in of_patch(text(told.get("patchText")) or ""):
            yield patch.path, patch.action, patch.lines.added, patch.lines.removed
