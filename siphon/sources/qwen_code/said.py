"""What each record says: prompts, replies, calls and their results, usage."""

from typing import Any

from siphon.records import Message, MessageKind, Request, Role, ToolCall
from siphon.sources._text import as_json, size, text_of, unique
from siphon.sources.gemini_cli import format as parts
from siphon.sources.gemini_cli import tools
from siphon.sources.gemini_cli.tokens import disjoint
from siphon.sources.qwen_code.lines import Entry, ToolResult
from siphon.sources.qwen_code.state import At, Reading

_TYPED = frozenset({None, "mid_turn_user_message", "realtime_message"})


def read(reading: Reading, at: At, entry: Entry) -> None:
    """Add what a record says to its session."""
    if entry.type == "user":
        _user(reading, at, entry)
    elif entry.type == "assistant":
        _assistant(reading, at, entry)
    elif entry.type == "tool_result":
        _results(reading, at, entry)
    elif entry.type == "system":
        _system(reading, at, entry)


def _content(entry: Entry) -> Any:
    return entry.message.parts if entry.message else None


def _say(
    reading: Reading, at: At, role: Role, kind: MessageKind, text: str | None, **more: Any
) -> int | None:
    if not text or not text.strip():
        return None
    lines, (_, offset, data) = reading.lines, at.line
    known: dict[str, Any] = {"native_id": at.own, "abandoned": at.gone, **more}
    known |= {"offset": offset, "length": len(data)}
    return lines.put(Message(lines.native_id, lines.seq(), role, kind, text, at.ts, **known))


def _user(reading: Reading, at: At, entry: Entry) -> None:
    content = _content(entry)
    whole = parts.text(content)
    if not whole.strip() and parts.responses(content):
        _results(reading, at, entry)  # older versions write results so
        return
    found = parts.attachments(content)
    attached = as_json(found) if found else None
    shown = text_of(entry.system_payload, "displayText") or whole or ("(attachment)" if found else "")
    kind = _user_kind(reading, entry, shown)
    _say(reading, at, "user", kind, shown, parent_native_id=entry.parent_uuid, attachments=attached)
    if whole.strip() and whole != shown:
        _say(reading, at, "user", "meta", whole, native_id=f"{at.own}/expanded")


def _user_kind(reading: Reading, entry: Entry, text: str) -> MessageKind:
    """What a person typed, also in the middle of a turn; all else came from the harness."""
    if entry.subtype not in _TYPED or entry.provenance not in (None, "real_user"):
        return "notice"
    if reading.side or entry.external_input_kind:
        return "notice"  # the task that the parent set, and what it sent later
    start = text.lstrip()
    if start.startswith(("<session_context>", "<hook_context>", "<system-reminder>")):
        return "meta"
    return "command" if start.startswith(("/", "?")) else "prompt"


def _assistant(reading: Reading, at: At, entry: Entry) -> None:
    content, first = _content(entry), reading.lines.last + 1
    request = at.own
    if entry.agent_run_id and entry.agent_round is not None:
        request = (
            f"{entry.agent_run_id}/{entry.agent_round}"  # a round's text and calls are records apart
        )
    known = {"model": entry.model, "request": request, "parent_native_id": entry.parent_uuid}
    thoughts = "\n".join(
        part["text"]
        for part in parts.parts(content)
        if part.get("thought") and isinstance(part.get("text"), str)
    )
    seq = _say(reading, at, "assistant", "thinking", thoughts, native_id=f"{at.own}/thoughts", **known)
    text = _say(reading, at, "assistant", "reply", parts.text(content), **known)
    seq = seq if text is None else text
    for part in parts.parts(content):
        if isinstance(part.get("functionCall"), dict):
            _call(reading, at, part["functionCall"], seq, request)
    _bill(reading, at, entry, request, min(first, max(0, reading.lines.last)))


def _call(reading: Reading, at: At, call: dict[str, Any], seq: int | None, request: str) -> None:
    name, own, args = call.get("name"), call.get("id"), call.get("args")
    if not isinstance(name, str):
        return
    own = own if isinstance(own, str) else None
    lines = reading.lines
    row = ToolCall(
        lines.native_id,
        lines.seq(),
        name,
        tools.kind(name),
        native_id=unique(at.own, own),  # copies of a record keep its uuid, not its session
        message_seq=seq,
        summary=tools.summary(name, args, None),
        input=as_json(args),
        ts=at.ts,
        request=request,
        abandoned=at.gone,
        offset=at.line.offset,
        length=len(at.line.data),
    )
    lines.ask(row, args)
    if own:
        reading.calls[own] = row.seq


def _results(reading: Reading, at: At, entry: Entry) -> None:
    told = entry.tool_call_result or ToolResult()
    answers = parts.responses(_content(entry))
    if not answers and told.call_id:
        answers = [{"id": told.call_id}]
    for number, response in enumerate(answers):
        own = response.get("id")
        own = own if isinstance(own, str) else told.call_id
        row = reading.lines.call(reading.calls.get(own or "", -1))
        if row is None:
            text = parts.answer(response) or _shown(told)
            _say(reading, at, "tool", "tool_result", text, native_id=f"{at.own}/{number}")
        else:
            _finish(reading, at, row, response, told)


def _shown(told: ToolResult) -> str | None:
    return told.result_display if isinstance(told.result_display, str) else None


def _finish(reading: Reading, at: At, row: ToolCall, response: dict[str, Any], told: ToolResult) -> None:
    output = parts.answer(response) or _shown(told)
    failed = isinstance(response.get("response"), dict) and isinstance(
        response["response"].get("error"), str
    )
    status = tools.status(told.status or ("error" if failed or told.error else "success"), output)
    args = reading.lines.asked[row.seq]
    display = _display(told)
    changed = tools.lines(row.name, args, display) if status == "ok" else (None, None)
    took = (
        None if told.duration_ms is None or not 0 <= told.duration_ms < 1e12 else round(told.duration_ms)
    )
    if took is None and at.ts is not None and row.ts is not None and at.ts >= row.ts:
        took = at.ts - row.ts
    lines = reading.lines
    row = row._replace(
        output=output,
        output_bytes=size(output),
        status=status,
        exit_code=tools.exit_code(output) if row.kind == "shell" else None,
        duration_ms=took,
        lines_added=changed[0],
        lines_removed=changed[1],
        result_offset=at.line.offset,
        result_length=len(at.line.data),
    )
    lines.put(row)
    lines.saw(at.ts)
    if status == "ok":
        lines.touched(row.seq, tools.touches(lines.native_id, row.seq, row.name, args, display, changed))


def _display(told: ToolResult) -> Any:
    """The diff, unless the log keeps only a stand-in for it."""
    shown = told.result_display
    if isinstance(shown, dict) and shown.get("fileDiffTruncated"):
        return {key: value for key, value in shown.items() if key != "fileDiff"}
    return shown


def _bill(reading: Reading, at: At, entry: Entry, request: str, seq: int) -> None:
    """One record is one request, but for a subagent's rounds; without counts its usage is unknown."""
    usage = entry.usage_metadata
    classes = disjoint(
        usage.prompt_token_count if usage else None,
        usage.candidates_token_count if usage else None,
        usage.cached_content_token_count if usage else None,
        usage.thoughts_token_count if usage else None,
        usage.tool_use_prompt_token_count if usage else None,
        usage.total_token_count if usage else None,
    )
    reading.lines.bill(
        Request(
            reading.lines.native_id,
            request,
            max(0, seq),
            model=entry.model,
            ts=at.ts,
            input_tokens=classes.input,
            cache_read_tokens=classes.cache_read,
            output_tokens=classes.output,
            reasoning_tokens=classes.reasoning,
            incomplete=classes.input is None and classes.output is None,
            nested=at.copied,
            offset=at.line.offset,
            length=len(at.line.data),
        )
    )


def _system(reading: Reading, at: At, entry: Entry) -> None:
    payload = entry.system_payload
    if entry.subtype == "custom_title" and (title := text_of(payload, "customTitle")):
        reading.titles += [] if at.gone else [title]
    elif entry.subtype == "slash_command":
        _command(reading, at, payload)
    elif entry.subtype == "chat_compression":
        _compressed(reading, at, payload)
    elif entry.subtype in ("notification", "cron", "background_task_completed"):
        text = text_of(payload, "displayText") or parts.text(_content(entry))
        _say(reading, at, "system", "notice", text)


def _command(reading: Reading, at: At, payload: Any) -> None:
    """The command as typed, and what it printed."""
    if text_of(payload, "phase") != "result":
        _say(reading, at, "user", "command", text_of(payload, "rawCommand"))
        return
    items = payload.get("outputHistoryItems")
    shown = (
        [text_of(item, "text") for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else []
    )
    _say(reading, at, "system", "command", "\n".join(text for text in shown if text))


def _compressed(reading: Reading, at: At, payload: Any) -> None:
    """The summary, which is the new history's first turn; what follows it is a copy."""
    history = payload.get("compressedHistory") if isinstance(payload, dict) else None
    first = history[0] if isinstance(history, list) and history else None
    if isinstance(first, dict) and first.get("role") == "user":
        _say(reading, at, "system", "summary", parts.text(first.get("parts")))
