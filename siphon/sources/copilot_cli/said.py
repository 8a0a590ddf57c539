"""Prompts, replies and thinking."""

from typing import Any

import msgspec

from siphon.records import Message, MessageKind
from siphon.sources._decode import typed
from siphon.sources._text import as_json
from siphon.sources.copilot_cli.called import requested
from siphon.sources.copilot_cli.events import Assistant, Attachment, User
from siphon.sources.copilot_cli.state import At, Reading, placed
from siphon.sources.copilot_cli.usage import Classes, request

_USER = msgspec.json.Decoder(User, strict=False)
_ASSISTANT = msgspec.json.Decoder(Assistant, strict=False)


def user(reading: Reading, at: At, data: msgspec.Raw) -> None:
    user = typed(reading.log, data, _USER, at.line)
    if user is None:
        return
    attachments = _attachments(user.attachments)
    text = user.content or ("(attachment)" if attachments and not user.source else None)
    kind = _user_kind(user)
    reading.say(at, "system" if kind == "meta" else "user", kind, text, attachments=attachments)


def _user_kind(user: User) -> MessageKind:
    """Who wrote it: `source` tells a person from system, command, schedule, skill and agent."""
    source, text = user.source or "user", (user.content or "").lstrip()
    if source.startswith("skill") or text.startswith(("<skill-context", "<system_reminder")):
        return "meta"
    if source == "system":
        return "meta"
    if source.startswith("command"):
        return "command"
    return "prompt" if source == "user" and not user.is_autopilot_continuation else "notice"


def _attachments(found: list[Attachment] | None) -> str | None:
    if not found:
        return None
    rows = [
        {
            "type": a.type,
            "media_type": a.mime_type,
            "bytes": a.byte_length,
            "name": a.path or a.display_name,
        }
        for a in found
    ]
    return as_json([{key: value for key, value in row.items() if value is not None} for row in rows])


def assistant(reading: Reading, at: At, data: msgspec.Raw) -> None:
    said = typed(reading.log, data, _ASSISTANT, at.line)
    if said is None:
        return
    at = at._replace(agent=at.agent or said.parent_tool_call_id)
    lines, model = reading.transcript(at.agent), said.model or reading.model
    message = reading.own(said.message_id) or at.id
    response = reading.own(said.api_call_id) or message
    known = {"model": model, "request": response}
    before, thought = lines.last, None
    if said.reasoning_text and said.reasoning_text not in reading.thoughts:
        reading.thoughts.add(said.reasoning_text)
        thought = reading.say(
            at, "assistant", "thinking", said.reasoning_text, native_id=f"{message}/thinking", **known
        )
    seq = _reply(reading, at, said, message, known)
    for call in said.tool_requests or ():
        requested(reading, at, call, thought if seq is None else seq, response)
    if message is not None and response is not None:
        _answered(reading, at, said, response, before + 1, model)


def _reply(
    reading: Reading, at: At, said: Assistant, message: str | None, known: dict[str, Any]
) -> int | None:
    """The reply's text. The same id again replaces it; numbered chunks are joined in their order."""
    text = said.content
    if message is not None and said.chunk_count:
        parts = reading.chunks.setdefault(message, {})
        parts[said.chunk_index or 0] = text or ""
        text = "".join(parts[index] for index in sorted(parts))
    old = reading.texts.get(message) if message else None
    if old is not None:
        row = old[0].rows[old[1]]
        if isinstance(row, Message) and text:
            old[0].put(row._replace(text=text))
        return old[1]
    seq = reading.say(at, "assistant", "reply", text, native_id=message, **known)
    if message is not None and seq is not None:
        reading.texts[message] = (reading.transcript(at.agent), seq)
    return seq


def _answered(
    reading: Reading, at: At, said: Assistant, response: str, seq: int, model: str | None
) -> None:
    """Remember the response's output tokens: all that is known of it if no totals follow."""
    if said.output_tokens is None and said.api_call_id is None and said.message_id is None:
        return
    known = reading.ledger.responses.get(response)
    output = said.output_tokens
    if known is not None:
        output = max(output or 0, known.output_tokens or 0)
        seq = known.seq
    lines = reading.transcript(at.agent)
    billed = request(lines.native_id, response, seq, Classes(output=output))
    reading.ledger.responses[response] = placed(billed, at, model)._replace(incomplete=True)


def thinking(reading: Reading, at: At, data: msgspec.Raw) -> None:
    said = typed(reading.log, data, _ASSISTANT, at.line)
    if said is not None and said.content and said.content not in reading.thoughts:
        reading.thoughts.add(said.content)
        own = reading.own(said.reasoning_id) or at.id
        reading.say(at, "assistant", "thinking", said.content, native_id=own, model=reading.model)
