"""Opening calls and bringing each result to its call, in whichever order they stand in the log.

A call with its result becomes one row: status, exit code, duration, files and lines.
"""

import json
from typing import Any

import msgspec

from siphon.log import Log
from siphon.records import FileTouch, Message, ToolCall
from siphon.sources._loose import text
from siphon.sources._text import size as utf8_size
from siphon.sources.claude_code import calls, toolbox
from siphon.sources.claude_code.agents import Place
from siphon.sources.claude_code.answers import Answer
from siphon.sources.claude_code.calls import INTERRUPTED, Open, Result
from siphon.sources.claude_code.entries import Block, Turn
from siphon.sources.claude_code.outcome import Outcome, agent_of, copied, measures, searches
from siphon.sources.claude_code.spills import PERSISTED, spilled
from siphon.sources.claude_code.spots import LONG, Spot, call_id
from siphon.sources.claude_code.threads import Spawn, Thread, flush, seq

_DECODE = msgspec.json.Decoder().decode
_ROW = tuple.__new__  # a row by place, not by name, costs a fifth
_SPAWN_KEYS = ("prompt", "description", "subagent_type")


def open_call(
    log: Log, place: Place, thread: Thread, spot: Spot, block: Block, answer: Answer | None, index: int
) -> None:
    """A call's block. One that comes again is the same call, its arguments perhaps longer."""
    given: str | None
    try:
        args, given = _DECODE(block.input), str(block.input, "utf-8")
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        args, given = _salvaged(log, spot, block.input, error)
    if args.__class__ is not dict:
        args, given = {}, None if args is None else given
    tool = toolbox.tool(block.name or "unknown")
    key = block.id or f"\0{spot.offset}#{index}"
    is_long = len(key) >= LONG and block.id  # as nearly all are
    native_id = key if is_long else call_id(spot.native_id, block.id, index)
    if key in thread.calls or key in thread.done:
        again = Open(0, native_id, tool, args, given, None, answer, spot)
        if _is_known(thread, key, again):
            return
    thread.last += 1
    before = thread.said if thread.current is answer else None
    thread.calls[key] = Open(thread.last, native_id, tool, args, given, before, answer, spot)
    if answer is not None:
        answer.calls += 1
        answer.chars += len(given or "")
    if tool.spawns:
        keys = (text(args.get(key)) for key in _SPAWN_KEYS)
        thread.spawns.append(Spawn(block.id, native_id, spot.offset, *keys))
    if key in thread.orphans:
        result = thread.orphans.pop(key)
        take_result(log, place, thread, result.spot, result.block, result.entry)


def _is_known(thread: Thread, key: str, again: Open) -> bool:
    """Whether the call of this id was opened before; if so, its longer arguments are kept."""
    known = thread.calls.get(key)
    if known is not None and (known.native_id == again.native_id or known.answer is again.answer):
        if len(again.input or "") > len(known.input or ""):
            known.input, known.tool, known.args = again.input, again.tool, again.args
        return True
    if key in thread.done and again.native_id == key:
        return True
    if known is not None:  # a counted id, given out anew: the earlier call has lost its result
        thread.calls[f"\0{known.spot.offset}"] = known
    return False


def take_result(log: Log, place: Place, thread: Thread, spot: Spot, block: Block, entry: Turn) -> None:
    """A result's block; with its call it becomes a row. The first result of a call counts."""
    # A third of all lines come here: what few results are is asked before a function is called.
    key, text = block.tool_use_id or _nameless(thread, entry), block.content
    if not isinstance(text, str):
        text = calls.text_of(text)
    opened = thread.calls.pop(key, None)
    if opened is None:
        _keep(thread, key, spot, text, block, entry)
        return
    if thread.unsent:
        flush(thread)  # a call's row refers to the message before it
    thread.done.add(key)
    tool, answer, begin, status = opened.tool, opened.answer, opened.spot, "ok"
    is_error, extra = block.is_error, entry.tool_use_result
    size = code = duration = added = removed = path = None
    outcome = extra if tool.tells and isinstance(extra, Outcome) else None
    if (
        is_error
        or entry.tool_denial_kind is not None
        or isinstance(extra, str)
        or (text is not None and text.startswith(INTERRUPTED))
        or (outcome is not None and outcome.interrupted)
    ):
        status = calls.status(block, entry, text, outcome)
        code = calls.exit_code(text) if is_error else None
    if outcome is not None:
        if (stated := measures(outcome)) is not None:
            size, duration = stated.size, stated.duration_ms
            code = code if stated.exit_code is None else stated.exit_code
        if answer is not None and tool.key == "websearch":
            answer.searched += searches(outcome)
    if (text is not None and PERSISTED in text) or (
        outcome is not None and outcome.persisted_output_path
    ):
        spill = spilled(log, place, text, outcome)
        text, size = (text, size) if spill is None else spill
    if tool.action is not None and status == "ok":
        path, added, removed = toolbox.touched(tool, opened.args, outcome)
    if size is None and text is not None:
        size = len(text) if text.isascii() else utf8_size(text)
    if duration is None and begin.ts is not None and spot.ts is not None:
        duration = spot.ts - begin.ts if spot.ts > begin.ts else 0
    thread.out.append(_ROW(ToolCall, (
        thread.native_id, opened.seq, tool.name, tool.kind, opened.native_id, opened.message_seq,
        toolbox.summary(tool, opened.args), opened.input, text, size, status, code, begin.ts, duration,
        added, removed, None if answer is None else answer.native_id, begin.abandoned, begin.offset,
        begin.length, spot.offset, spot.length,
    )))  # fmt: skip
    if path is not None and tool.action is not None:
        touch = FileTouch(thread.native_id, opened.seq, path, tool.action, added, removed)
        thread.out.append(touch)
    if tool.spawns and (agent := agent_of(extra)) is not None:
        thread.started.setdefault(agent, opened.native_id)


def _keep(thread: Thread, key: str, spot: Spot, text: str | None, block: Block, entry: Turn) -> None:
    """A result that comes before its call, or again; nothing that is kept holds its whole line."""
    if key not in thread.done and key not in thread.orphans:
        kept = Block(tool_use_id=key, content=text, is_error=block.is_error)
        told = Turn(
            tool_use_result=copied(entry.tool_use_result), tool_denial_kind=entry.tool_denial_kind
        )
        thread.orphans[key] = Result(seq(thread), spot, kept, told)


def interrupt(thread: Thread) -> None:
    """The person stopped what was running."""
    for opened in thread.calls.values():
        opened.interrupted = True


def close_all(thread: Thread) -> None:
    """At the log's end: calls without result, and results whose call is in no log."""
    flush(thread)
    thread.out.extend(calls.unfinished(thread.native_id, call) for call in thread.calls.values())
    for key, (at, spot, block, _) in thread.orphans.items():
        message = Message(
            session=thread.native_id,
            seq=at,
            role="tool",
            kind="tool_result",
            text=calls.text_of(block.content),
            ts=spot.ts,
            native_id=spot.native_id and f"{spot.native_id}#{key}",
            parent_native_id=spot.parent,
            abandoned=spot.abandoned,
            offset=spot.offset,
            length=spot.length,
        )
        thread.out.append(message)


def _nameless(thread: Thread, entry: Turn) -> str:
    """For a result that names no call: the open one of the line it names, else the first without id."""
    nameless = [key for key in thread.calls if key.startswith("\0")]
    line = entry.source_tool_assistant_uuid
    for key in nameless:
        if line is not None and thread.calls[key].spot.native_id == line:
            return key
    return nameless[0] if nameless else f"\0{entry.uuid}"


def _salvaged(log: Log, spot: Spot, raw: msgspec.Raw, error: Exception) -> tuple[Any, str | None]:
    """A call's arguments and their text, broken characters replaced; (None, None): it is no JSON."""
    if not raw:
        return None, None
    log.problem(f"a tool call's input: {error}", spot.number, spot.offset)
    try:
        text = json.dumps(json.loads(bytes(raw).decode(errors="replace")), ensure_ascii=False)
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return msgspec.json.decode(whole), whole
    except (ValueError, RecursionError):
        return None, None
