"""A tool call while its lines come in: the request, its output, and what events add to both."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import structs

from siphon.records import FileTouch, Status, ToolCall, ToolKind
from siphon.sources._loose import mapping, text
from siphon.sources._text import line, size
from siphon.sources.codex.lines import Entry
from siphon.sources.codex.outcome import Result, millis_of, of_mcp
from siphon.sources.codex.patches import Change, absolute, of_report
from siphon.sources.codex.tools import joined

_NOTHING = Result(None, "pending")


class Call(msgspec.Struct, eq=False, gc=False):
    """One call; what nothing in the log told stays None."""

    seq: int
    key: str  # its call id, else one of ours
    native_id: str | None
    name: str
    folder: str | None
    message_seq: int | None
    request: str | None
    ts: int | None
    offset: int | None
    length: int | None
    kind: ToolKind = "other"
    json: str | None = None
    summary: str | None = None
    changes: list[Change] = []
    asked: bool = False  # the model's own item was seen, not only an event about it
    reported: bool = False  # an event told its end
    answered: bool = False  # the output item was seen
    settled: bool = False  # its response is over: to be yielded as soon as it is answered
    result: Result = _NOTHING
    refused: bool = False
    cut: bool = False  # its turn was aborted
    action: Any = None  # of a web search: what pairs its item with its event where ids do not
    paired: bool = False
    result_offset: int | None = None
    result_length: int | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.answered or (self.reported and not self.asked)


def finished(call: Call, session: str, abandoned: bool) -> list[ToolCall | FileTouch]:
    """The call's record and the files it touched."""
    result = call.result
    lost: Status = "interrupted" if call.cut and result.status == "pending" else result.status
    status: Status = "rejected" if call.refused else lost
    changes = call.changes if status == "ok" else []
    fields = (  # in their order: keywords take thrice the time, and most logs are mostly calls
        session,
        call.seq,
        call.name,
        call.kind,
        call.native_id,
        call.message_seq,
        call.summary,
        call.json,
        result.text,
        size(result.text),
        status,
        result.exit_code,
        call.ts,
        result.duration_ms,
        _sum([change.added for change in changes]) if changes else None,
        _sum([change.removed for change in changes]) if changes else None,
        call.request,
        abandoned,
        call.offset,
        call.length,
        call.result_offset,
        call.result_length,
    )
    row = tuple.__new__(ToolCall, fields)
    return [row, *_touches(call, session, changes)] if changes else [row]


def _touches(call: Call, session: str, changes: list[Change]) -> Iterator[FileTouch]:
    for change in changes:
        path = absolute(change.path, call.folder)
        yield FileTouch(session, call.seq, path, change.action, change.added, change.removed)


def _sum(counts: list[int | None]) -> int | None:
    known = [n for n in counts if n is not None]
    return sum(known) if known else None


def told(call: Call, result: Result) -> None:
    """Take in a result; what an earlier sighting knew and this one does not say stays."""
    was = call.result
    if was is _NOTHING:
        call.result = result
        return
    worse = was.status not in ("ok", "pending") and result.status == "ok"
    call.result = Result(
        text=was.text if result.text is None else result.text,
        status=was.status if worse else result.status,
        exit_code=was.exit_code if result.exit_code is None else result.exit_code,
        duration_ms=was.duration_ms if result.duration_ms is None else result.duration_ms,
    )


def _ended(call: Call, result: Result) -> None:
    """Take in what an event says of the end; the output item's text, if seen, goes first."""
    call.reported = True
    told(call, structs.replace(result, text=None) if call.answered else result)


def by_exec(call: Call, event: Entry) -> None:
    """exec_command_end, CommandExecution."""
    words = (
        [word for word in event.command if isinstance(word, str)]
        if isinstance(event.command, list)
        else []
    )
    command = joined(words) or text(event.command)
    if call.summary is None and command:
        call.summary = line(command)
    call.folder = text(event.cwd) or call.folder
    code = (
        event.exit_code if isinstance(event.exit_code, int) and abs(event.exit_code) < 1 << 31 else None
    )
    status: Status = _by_word(event.status, "error" if code else "ok")
    _ended(call, Result(text(event.aggregated_output), status, code, millis_of(event.duration)))
    if not call.changes and isinstance(event.parsed_cmd, list):
        call.changes = [change for part in event.parsed_cmd for change in _looked_at(mapping(part))]


def _looked_at(part: dict[str, Any]) -> Iterator[Change]:
    path = text(part.get("path"))
    if path and part.get("type") == "read":
        yield Change(path, "read")
    elif path and part.get("type") == "search":
        yield Change(path, "search")


def by_patch(call: Call, event: Entry) -> None:
    """patch_apply_end, FileChange: its changes are what was done, the envelope only what was asked."""
    changes = of_report(event.changes)
    if changes:
        call.changes = changes
    if call.summary is None:
        call.summary = line(", ".join(dict.fromkeys(change.path for change in changes)))
    status = _by_word(event.status, "error" if event.success is False else "ok")
    _ended(call, Result(text(event.stdout) or text(event.stderr), status))


def by_mcp(call: Call, event: Entry) -> None:
    """mcp_tool_call_end, McpToolCall."""
    result = of_mcp(event.result)
    if text(event.error):
        result = Result(event.error, "error")
    status = _by_word(event.status, result.status)
    _ended(call, structs.replace(result, duration_ms=millis_of(event.duration), status=status))


def by_search(call: Call, event: Entry) -> None:
    """web_search_end, a search Extension: titles, addresses and snippets of what was found."""
    found = event.results if isinstance(event.results, list) else []
    rows = [" ".join(_hit(mapping(hit))) for hit in found]
    _ended(call, Result("\n".join(row for row in rows if row) or None, "ok"))


def _hit(hit: dict[str, Any]) -> Iterator[str]:
    for key in ("title", "url", "snippet"):
        value = text(hit.get(key))
        if value:
            yield value


def by_event(call: Call, event: Entry, output: str | None = None) -> None:
    """Any other event that tells a call's end."""
    status: Status = "error" if event.success is False or event.error else _by_word(event.status, "ok")
    _ended(call, Result(text(event.error) or output, status, None, millis_of(event.duration)))


_WORDS: dict[str, Status] = {
    "failed": "error",
    "errored": "error",
    "declined": "rejected",
    "denied": "rejected",
    "aborted": "interrupted",
    "interrupted": "interrupted",
    "cancelled": "interrupted",
}


def _by_word(word: Any, otherwise: Status) -> Status:
    return _WORDS.get(word, otherwise) if isinstance(word, str) else otherwise
