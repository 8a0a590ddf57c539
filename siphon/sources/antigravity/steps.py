"""Steps, the one shape of all that Antigravity writes, and two of their readings: JSONL and JSON."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from siphon.log import Log
from siphon.records import Status
from siphon.sources._loose import count, integer, items, mapping, stamp, text


class Call(NamedTuple):
    """A tool that a step asks for."""

    id: str | None
    name: str
    arguments: dict[str, Any]


class Step(NamedTuple):
    """One step of a conversation. What a field does not hold is None."""

    number: int | None
    type: str  # as transcripts name it: USER_INPUT, PLANNER_RESPONSE, VIEW_FILE …
    source: str | None
    status: str | None
    ts: int | None
    content: str | None
    thinking: str | None = None
    calls: tuple[Call, ...] = ()
    exit_code: int | None = None
    path: str | None = None
    offset: int | None = None
    length: int | None = None


class _Line(msgspec.Struct):
    """A line of a step log; every field takes any type."""

    step_index: Any = None
    source: Any = None
    type: Any = None
    status: Any = None
    created_at: Any = None
    content: Any = None
    thinking: Any = None
    tool_calls: Any = None


_LINES = msgspec.json.Decoder(_Line)
_ANY = msgspec.json.Decoder()


def transcript(log: Log) -> list[Step]:
    """The steps of a step log; of a step that is written again as it goes on, the last state."""
    found: dict[object, Step] = {}
    for line, row in log.objects(_LINES):
        if text(row.type) is None:
            log.problem("a step without a type", line.number, line.offset)
            continue
        number = count(row.step_index)
        step = Step(
            number=number,
            type=row.type,
            source=text(row.source),
            status=text(row.status),
            ts=stamp(row.created_at),
            content=text(row.content),
            thinking=text(row.thinking),
            calls=tuple(_calls(row.tool_calls)),
            offset=line.offset,
            length=len(line.data),
        )
        key = line.offset if number is None else (number, row.type, str(row.created_at))
        found[key] = step
    return list(found.values())


def _calls(value: Any) -> Iterator[Call]:
    for call in map(mapping, items(value)):
        arguments = mapping(call.get("arguments")) or mapping(call.get("args"))
        yield Call(text(call.get("id")), text(call.get("name")) or "", _plain(arguments))


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments whose texts are JSON themselves, as the CLI writes them."""
    return {key: _unquoted(value) for key, value in arguments.items()}


def _unquoted(value: Any) -> Any:
    if not (isinstance(value, str) and value[:1] in '"[{'):
        return value
    try:
        return _ANY.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def arguments_of(written: Any) -> dict[str, Any]:
    """A call's arguments from JSON text."""
    return _plain(mapping(_unquoted(written)))


# The store's reading by agy-reader: the same steps as JSON.

_BODIES = (
    *("userInput", "plannerResponse", "runCommand", "viewFile", "codeAction", "grepSearch"),
    *("listDirectory", "find", "searchWeb", "readUrlContent", "mcpTool", "errorMessage"),
    *("checkpoint", "notifyUser", "taskBoundary", "browserSubagent", "genericTool"),
)


def trajectory(told: dict[str, Any]) -> list[Step]:
    """The steps of a `.trajectory.json`."""
    return [_told(index, mapping(step)) for index, step in enumerate(items(told.get("steps")))]


def _told(index: int, step: dict[str, Any]) -> Step:
    kind = (text(step.get("type")) or "").removeprefix("CORTEX_STEP_TYPE_")
    body: dict[str, Any] = next((mapping(step.get(key)) for key in _BODIES if step.get(key)), {})
    made = Step(
        number=index,
        type=kind,
        source="USER_EXPLICIT" if kind == "USER_INPUT" else "MODEL",
        status=(text(step.get("status")) or "").removeprefix("CORTEX_STEP_STATUS_") or None,
        ts=stamp(mapping(step.get("metadata")).get("createdAt")),
        content=None,
    )
    if kind == "USER_INPUT":
        return made._replace(content=text(body.get("userResponse")))
    if kind == "PLANNER_RESPONSE":
        asked = [mapping(call) for call in items(body.get("toolCalls"))]
        return made._replace(
            content=text(body.get("modifiedResponse")) or text(body.get("response")),
            thinking=text(body.get("thinking")),
            calls=tuple(
                Call(text(c.get("id")), text(c.get("name")) or "", arguments_of(c.get("argumentsJson")))
                for c in asked
            ),
        )
    return made._replace(
        content=_output(body),
        exit_code=integer(body.get("exitCode")),
        path=file_path(text(body.get("absolutePathUri")) or text(body.get("absolutePath"))),
    )


def _output(body: dict[str, Any]) -> str | None:
    """What a tool's step shows: its output, or the diff of what it did."""
    keys = ("combinedOutput", "renderedOutput", "output", "content", "summary", "response")
    for key in keys:
        value = body.get(key)
        if found := text(value) or text(mapping(value).get("full")):
            return found
    edit = mapping(mapping(body.get("actionResult")).get("edit"))
    lines = items(mapping(mapping(edit.get("diff")).get("unifiedDiff")).get("lines"))
    return "\n".join(_diff_line(mapping(line)) for line in lines) or None


def _diff_line(line: dict[str, Any]) -> str:
    kind = str(line.get("type"))
    mark = "+" if kind.endswith("INSERT") else "-" if kind.endswith("DELETE") else " "
    return f"{mark}{text(line.get('text')) or ''}"


_STATES: dict[str, Status] = {
    "DONE": "ok",
    "ERROR": "error",
    "INVALID": "error",
    "CANCELED": "interrupted",
    "CANCELLED": "interrupted",
    "CLEARED": "interrupted",
    "REJECTED": "rejected",
}


def state(step: Step) -> Status:
    """How a step ended; what still runs or waits is pending."""
    return _STATES.get((step.status or "").upper(), "pending")


_DRIVE = re.compile(r"/([A-Za-z]:)")


def file_path(uri: str | None) -> str | None:
    """The path of a file URI; other texts stay."""
    if uri is None or not uri.startswith("file://"):
        return uri
    path = unquote(uri.removeprefix("file://"))
    return path[1:] if _DRIVE.match(path) else path
