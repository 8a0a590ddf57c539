"""What the model answered: replies, thinking, calls and their results, the request."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from siphon.records import Message, MessageKind, Record, Request, Status, ToolCall
from siphon.sources._loose import as_json, image, items, mapping, text
from siphon.sources.pi.entries import Row
from siphon.sources.pi.prompts import silent
from siphon.sources.pi.state import State
from siphon.sources.pi.tools import Open, answered, kind_of, output_of, summary_of, touches
from siphon.sources.pi.usage import usage_of

_STOPPED = ("aborted", "error")
# Written by OpenClaw's gateway for what it delivered: no model was asked.
_MIRRORS = ("delivery-mirror", "gateway-injected")


def assistant(state: State, place: int, row: Row, body: dict[str, Any]) -> Iterator[Record]:
    """One assistant entry: one request, unless a gateway wrote it or it is a snapshot of one.

    A snapshot (`checkpoint`) is written while a call of the response already runs; the response follows
    in full. So its calls count, its words only where nothing followed.
    """
    model = text(body.get("model")) or text(row.entry.model) or state.model
    mirrored = model in _MIRRORS
    response = text(body.get("responseId"))
    snapshot = bool(row.entry.checkpoint)
    asked = None if mirrored or snapshot else row.key
    worded = not snapshot or response not in state.whole
    answer = _Answer(state, place, asked, None if mirrored else model, response, snapshot, worded)
    first_seq = state.last_seq + 1
    yield from _blocks(answer, body)
    if asked is None:
        return
    if state.last_seq < first_seq:
        state.next_seq()  # a request without a word still has its place in the order
    state.last_request = row.key
    provider = text(body.get("provider")) or text(row.entry.provider) or state.provider
    usage = mapping(body.get("usage")) or mapping(row.entry.usage)
    incomplete = not usage or body.get("stopReason") in _STOPPED
    yield spent(state, row, usage, model, provider, first_seq, incomplete)


def spent(
    state: State,
    row: Row,
    usage: dict[str, Any],
    model: str | None,
    provider: str | None,
    seq: int | None = None,
    incomplete: bool = False,
) -> Request:
    """The request of a row that states a usage; without `seq` it stands at the row's last message."""
    counts = usage_of(usage, row.body.get("api"), row.ts)
    return Request(
        state.lineage.native_id,
        row.key,
        state.last_seq if seq is None else seq,
        model,
        row.ts,
        *counts,
        incomplete,
        provider=provider,
        offset=row.offset,
        length=row.length,
    )


class _Answer(NamedTuple):
    """Where the blocks of one assistant entry belong."""

    state: State
    place: int
    request: str | None
    model: str | None
    response: str | None
    snapshot: bool
    worded: bool

    def message(self, kind: MessageKind, words: str | None) -> Message:
        return self.state.message(self.place, "assistant", kind, words, self.request, self.model)


def _blocks(answer: _Answer, body: dict[str, Any]) -> Iterator[Message]:
    stop = body.get("stopReason")
    status: Status = "interrupted" if stop in _STOPPED else "pending"
    message_seq: int | None = None
    content = body.get("content")
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else items(content):
        block = mapping(block)
        if block.get("type") == "toolCall":
            _call(answer, block, status, message_seq)
        elif answer.worded and (message := _block(answer, block)):
            message_seq = message.seq
            yield message
    error = text(body.get("errorMessage"))
    if error and answer.worded:
        yield answer.message("notice" if stop == "aborted" else "error", error)


def _block(answer: _Answer, block: dict[str, Any]) -> Message | None:
    kind = block.get("type")
    if kind == "image":
        held = as_json([image(block.get("mimeType"), block.get("data"))])
        return answer.message("reply", None)._replace(attachments=held)
    if kind not in ("text", "thinking"):
        answer.state.unknown[f"block/{kind}"] += 1
        return None
    words = block.get(kind)
    if not isinstance(words, str) or not words.strip():
        return None
    if kind == "thinking":
        return answer.message("thinking", words)
    return answer.message("meta" if silent(words) else "reply", words)


def _call(answer: _Answer, block: dict[str, Any], status: Status, message_seq: int | None) -> None:
    state, native_id = answer.state, text(block.get("id"))
    row = state.tree[answer.place]
    if answer.response and native_id:
        key = f"{answer.response}/{native_id}"
        if key in state.started:
            return
        if answer.snapshot:
            state.started.add(key)
    name = text(block.get("name")) or ""
    arguments = mapping(block.get("arguments"))
    call = ToolCall(
        state.lineage.native_id,
        state.next_seq(),
        name,
        kind_of(name),
        # Some providers number the calls of every session from one again: the time tells them apart.
        f"{native_id}@{row.ts}" if native_id else None,
        message_seq,
        summary_of(arguments),
        as_json(block.get("arguments")),
        status=status,
        ts=row.ts,
        request=answer.request,
        abandoned=answer.place not in state.active,
        offset=row.offset,
        length=row.length,
    )
    state.open.setdefault(native_id or "", []).append(Open(call, arguments))


def result(state: State, place: int, row: Row, body: dict[str, Any]) -> Iterator[Record]:
    """A tool's result: its call is yielded with it."""
    waiting = state.open.get(text(body.get("toolCallId")) or "")
    if waiting:
        open_call = waiting.pop(0)
        call = answered(open_call, body, row.offset, row.length)
        yield call
        yield from touches(open_call, call)
    else:
        yield state.message(place, "tool", "tool_result", output_of(body.get("content")))
    if usage := mapping(body.get("usage")):  # models that the tool asked on its own
        yield spent(state, row, usage, state.model, state.provider)


def unanswered(state: State) -> Iterator[ToolCall]:
    """The calls whose result never came; only those of the last response may still be running."""
    for waiting in state.open.values():
        for call, _ in waiting:
            running = call.status == "pending" and call.request == state.last_request
            yield call if running else call._replace(status="interrupted")
