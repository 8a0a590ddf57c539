"""Tool invocations of a response, and the edits that VS Code keeps beside them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.records import Action, FileTouch, Status, ToolCall, ToolKind
from siphon.sources._diff import of_patch
from siphon.sources._loose import as_json, count, integer, items, lines_of, mapping, one_line, text
from siphon.sources._text import size, unique
from siphon.sources._workspace import path_of

_KINDS: Mapping[str, ToolKind] = {
    "readfile": "read",
    "readnotebookcelloutput": "read",
    "getnotebooksummary": "read",
    "readprojectstructure": "read",
    "viewimage": "read",
    "replacestring": "edit",
    "replacestringinfile": "edit",
    "multireplacestring": "edit",
    "multireplacestringinfile": "edit",
    "insertedit": "edit",
    "inserteditintofile": "edit",
    "editfile": "edit",
    "editfiles": "edit",
    "applypatch": "edit",
    "editnotebook": "edit",
    "editnotebookfile": "edit",
    "createfile": "write",
    "createdirectory": "write",
    "createnewjupyternotebook": "write",
    "runinterminal": "shell",
    "runinterminal2": "shell",
    "getterminaloutput": "shell",
    "sendtoterminal": "shell",
    "killterminal": "shell",
    "runnotebookcell": "shell",
    "runtests": "shell",
    "runtask": "shell",
    "runvscodetask": "shell",
    "createandruntask": "shell",
    "findfiles": "search",
    "filesearch": "search",
    "findtextinfiles": "search",
    "grepsearch": "search",
    "listdirectory": "search",
    "listdir": "search",
    "searchcodebase": "search",
    "semanticsearch": "search",
    "searchworkspacesymbols": "search",
    "listcodeusages": "search",
    "geterrors": "search",
    "getchangedfiles": "search",
    "fetchwebpage": "web",
    "fetchwebpages": "web",
    "githubrepo": "web",
    "opensimplebrowser": "web",
    "runsubagent": "agent",
    "searchsubagent": "agent",
    "executionsubagent": "agent",
    "managetodolist": "plan",
    "memory": "plan",
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
    "query",
    "path",
    "url",
    "urls",
    "description",
    "explanation",
    "prompt",
)
_DECODER = msgspec.json.Decoder()
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


class Rounds(NamedTuple):
    """What the extension keeps of the model's rounds: arguments and results by call id."""

    arguments: Mapping[str, Any]
    results: Mapping[str, str | None]
    many: int  # rounds


def rounds(metadata: Mapping[str, Any]) -> Rounds:
    """The rounds of a request's result."""
    found = [mapping(each) for each in items(metadata.get("toolCallRounds"))]
    calls = [mapping(call) for each in found for call in items(each.get("toolCalls"))]
    arguments = {_bare(str(call.get("id"))): _json(call.get("arguments")) for call in calls}
    results = mapping(metadata.get("toolCallResults"))
    return Rounds(arguments, {_bare(key): _content(value) for key, value in results.items()}, len(found))


def _bare(id: str) -> str:
    """A call's id without what VS Code appends to make it unique."""
    return id.partition("__vscode-")[0]


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _DECODER.decode(value.encode(errors="replace"))
    except (msgspec.DecodeError, RecursionError):
        return value or None


def _content(value: Any) -> str | None:
    """The text of a tool's result; other content as JSON."""
    if isinstance(value, str):
        return value
    parts = items(mapping(value).get("content")) if isinstance(value, dict) else items(value)
    texts = [_value(part) for part in parts]
    return "\n".join(each for each in texts if each) or None


def _value(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    value = mapping(part).get("value", mapping(part).get("text"))
    return value if isinstance(value, str) else as_json(value)


def kind_of(name: str, source: Mapping[str, Any]) -> ToolKind:
    bare = name.lower().removeprefix("copilot_").replace("_", "").replace("-", "")
    if source.get("type") == "mcp" or name.startswith("mcp_"):
        return "mcp"
    return _KINDS.get(bare, "other")


def called(
    session: str, seq: int, part: Mapping[str, Any], known: Rounds, stopped: bool, ts: int | None
) -> ToolCall:
    """The call of a toolInvocationSerialized part; `stopped`: the request was cancelled or failed."""
    own = text(part.get("toolCallId"))
    name = text(part.get("toolId")) or "unknown"
    data = mapping(part.get("toolSpecificData"))
    details = mapping(part.get("resultDetails"))
    given = known.arguments.get(_bare(own or ""))
    given = _json(details.get("input")) or _told(data) if given is None else given
    output = _output(data, details) or known.results.get(_bare(own or ""))
    code = integer(mapping(data.get("terminalCommandState")).get("exitCode"))
    return ToolCall(
        session=session,
        seq=seq,
        name=name,
        kind=kind_of(name, mapping(part.get("source"))),
        native_id=unique(session, own),
        summary=_summary(part, data, given),
        input=as_json(given),
        output=output,
        output_bytes=size(output),
        status=_status(part, details, code, stopped),
        exit_code=code,
        ts=ts,
        duration_ms=count(mapping(data.get("terminalCommandState")).get("duration")),
    )


def _told(data: Mapping[str, Any]) -> Any:
    """A call's arguments as VS Code shows them; of a terminal the command, not what it printed."""
    if data.get("kind") == "terminal":
        return {"command": command(data)}
    if data.get("kind") == "subagent":
        return {key: value for key, value in data.items() if key not in ("kind", "result")}
    return data.get("rawInput") or dict(data) or None


def _output(data: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    terminal = mapping(data.get("terminalCommandOutput")).get("text")
    if isinstance(terminal, str):
        return terminal
    return text(data.get("result")) or _content(details.get("output"))


def _status(
    part: Mapping[str, Any], details: Mapping[str, Any], code: int | None, stopped: bool
) -> Status:
    confirmed = part.get("isConfirmed")
    if confirmed is False or (isinstance(confirmed, dict) and confirmed.get("type") == 0):
        return "rejected"
    if details.get("isError") is True or code not in (None, 0):
        return "error"
    if part.get("isComplete") is False:
        return "interrupted" if stopped else "pending"
    return "ok"


def command(data: Mapping[str, Any]) -> str | None:
    """A terminal's command as it ran: as a person changed it, else the tool, else the model gave it."""
    told = mapping(data.get("commandLine"))
    keys = ("userEdited", "toolEdited", "original")
    return next((text(told.get(key)) for key in keys if text(told.get(key))), text(data.get("command")))


def _summary(part: Mapping[str, Any], data: Mapping[str, Any], given: Any) -> str | None:
    line = one_line(command(data)) or one_line(data.get("description"))
    if line:
        return line
    for key in _SUMMARIES:
        value = mapping(given).get(key)
        value = (
            ", ".join(url for url in value if isinstance(url, str)) if isinstance(value, list) else value
        )
        if line := one_line(value):
            return line
    said = part.get("pastTenseMessage") or part.get("invocationMessage")
    return one_line(_LINK.sub(_named, text(said) or text(mapping(said).get("value")) or ""))


def _named(link: re.Match[str]) -> str:
    """A link's text, else the file that it leads to."""
    return (
        link[1] or (path_of(link[2].partition("#")[0]) or link[2]).replace("\\", "/").rpartition("/")[2]
    )


def touches(call: ToolCall, given: Any) -> Iterator[FileTouch]:
    """The files that a call's arguments name."""
    action = _ACTIONS.get(call.kind)
    if action is None or call.status != "ok":
        return
    told = mapping(given)
    for file in of_patch(text(told.get("input")) or "") if call.kind == "edit" else ():
        lines = file.lines
        yield FileTouch(call.session, call.seq, file.path, file.action, lines.added, lines.removed)
    paths = [
        told.get("filePath"),
        *(mapping(one).get("filePath") for one in items(told.get("replacements"))),
    ]
    for path in dict.fromkeys(path for each in paths if (path := text(each))):
        content = text(told.get("content")) if call.kind == "write" else None
        yield FileTouch(call.session, call.seq, path, action, lines_of(content) if content else None)


def given(call: ToolCall) -> Any:
    """A call's arguments."""
    return _json(call.input)


def applied(session: str, seq: int, name: str, kind: str, path: str, ts: int | None) -> ToolCall:
    """An edit that no call asked for: the model wrote it as its answer, VS Code applied it."""
    return ToolCall(
        session=session,
        seq=seq,
        name=kind,
        kind="edit",
        native_id=name,
        summary=one_line(path),
        status="ok",
        ts=ts,
    )


def edited(part: Mapping[str, Any]) -> tuple[str | None, int, int]:
    """(path, lines added, lines removed) of a textEditGroup."""
    added = removed = 0
    for edit in (mapping(edit) for batch in items(part.get("edits")) for edit in items(batch)):
        span = mapping(edit.get("range"))
        first, last = count(span.get("startLineNumber")) or 0, count(span.get("endLineNumber")) or 0
        left, right = count(span.get("startColumn")) or 1, count(span.get("endColumn")) or 1
        added += lines_of(text(edit.get("text")) or "")
        removed += max(0, last - first) + (right > 1 and (last, right) != (first, left))
    return path_of(part.get("uri")), added, removed
