"""Tool calls, their results, and the subagents that some of them start."""

from typing import Any

import msgspec

from siphon.records import FileTouch, ToolCall
from siphon.sources._decode import typed
from siphon.sources._text import as_json
from siphon.sources._transcript import Transcript
from siphon.sources.copilot_cli import tools
from siphon.sources.copilot_cli.events import Completed, Note, ToolRequest
from siphon.sources.copilot_cli.state import At, Reading, placed
from siphon.sources.copilot_cli.usage import Classes, request

_TOOL = msgspec.json.Decoder(ToolRequest, strict=False)
_COMPLETED = msgspec.json.Decoder(Completed, strict=False)
_NOTE = msgspec.json.Decoder(Note, strict=False)


def requested(
    reading: Reading, at: At, call: ToolRequest, message_seq: int | None, response: str | None
) -> None:
    """A call, told by the response and again by its start: one row."""
    name, native_id = call.tool_name or call.name, call.tool_call_id
    if name is None or (native_id and native_id in reading.calls):
        return
    lines = reading.transcript(at.agent)
    row = ToolCall(
        lines.native_id,
        lines.seq(),
        name,
        tools.kind(name, call.mcp_server_name, call.arguments),
        native_id=reading.own(native_id),
        message_seq=message_seq,
        summary=tools.summary(name, call.arguments, call.intention_summary),
        input=as_json(call.arguments),
        ts=at.ts,
        request=response,
        offset=at.line.offset,
        length=len(at.line.data),
    )
    lines.put(row)
    if native_id:
        reading.calls[native_id] = (lines, row.seq, call.arguments)


def started(reading: Reading, at: At, data: msgspec.Raw) -> None:
    call = typed(reading.log, data, _TOOL, at.line)
    if call is None:
        return
    requested(reading, at._replace(agent=at.agent or call.parent_tool_call_id), call, None, None)
    known = reading.calls.get(call.tool_call_id or "")
    if known is None:
        return
    lines, seq, args = known
    if (row := lines.call(seq)) is not None:
        # The start is later than the response that asked for it: the duration counts from here.
        kind = tools.kind(row.name, call.mcp_server_name, args)
        lines.put(row._replace(ts=at.ts if at.ts is not None else row.ts, kind=kind))
        reading.calls[call.tool_call_id or ""] = (lines, seq, args if args else call.arguments)


def completed(reading: Reading, at: At, data: msgspec.Raw) -> None:
    done = typed(reading.log, data, _COMPLETED, at.line)
    if done is None:
        return
    at = at._replace(agent=at.agent or done.parent_tool_call_id)
    known = reading.calls.get(done.tool_call_id or "")
    row = known[0].call(known[1]) if known else None
    if known is None or row is None:
        text = done.result.content if done.result else done.error.message if done.error else None
        reading.say(at, "tool", "tool_result", text)
        return
    lines, _, args = known
    row = tools.finished(row, done, at.ts, args)
    lines.put(row._replace(result_offset=at.line.offset, result_length=len(at.line.data)))
    lines.saw(at.ts)
    lines.touched(row.seq, _touches(row, args, done))
    if done.tool_usage is not None and done.tool_usage.model:
        _metered(reading, at, done, lines, row.seq)


def _touches(row: ToolCall, args: Any, done: Completed) -> list[FileTouch]:
    return list(tools.touches(row, args, done)) if row.status == "ok" else []


def _metered(reading: Reading, at: At, done: Completed, lines: Transcript, seq: int) -> None:
    usage = done.tool_usage
    if usage is None:
        return
    classes = Classes(input=usage.input_tokens, output=usage.output_tokens)
    own = reading.own(usage.request_id) or at.id
    billed = request(lines.native_id, own, seq, classes)
    reading.ledger.tools.append(placed(billed, at, usage.model))


def permission(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    kind = note.result.get("kind") if note and isinstance(note.result, dict) else None
    known = reading.calls.get(note.tool_call_id or "") if note else None
    if known and isinstance(kind, str) and kind.startswith(("denied", "cancelled")):
        row = known[0].call(known[1])
        if row is not None and row.status in ("pending", "error"):
            known[0].put(row._replace(status="rejected"))


def aborted(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    reading.say(at, "system", "notice", f"interrupted: {note.reason if note else None}")
    lines = reading.transcript(at.agent)
    for seq in list(lines.rows):
        row = lines.call(seq)
        if row is not None and row.status == "pending":
            lines.put(row._replace(status="interrupted"))


def agent(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    agent = at.agent or (note.tool_call_id if note else None)
    if note is None or agent is None:
        return
    reading.transcript(agent).saw(at.ts)
    if note.agent_name:
        reading.agent_sessions[agent] = reading.agent_sessions[agent]._replace(agent=note.agent_name)
    if isinstance(note.error, str):
        reading.say(at._replace(agent=agent), "system", "error", note.error)
