"""One session while its lines are read: what was said and called, and to which request it belongs.

Newer files write a response's items and then its token_count; older ones (seen at 0.40) write events,
token_count, items. So what the model said or called waits in `pending` until its request is known: at
most the length of one response. A text that the log holds twice, as item and as event, is one Said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from siphon.records import Message, MessageKind, Record, Role
from siphon.sources._text import unique
from siphon.sources.codex.calls import Call, finished
from siphon.sources.codex.lines import Entry
from siphon.sources.codex.usage import Totals

_LOOK_BACK = 48  # sightings that wait for their mirror; in real logs it is the next line
_HELD = 500  # records of one response at most; then they go without their request


class Said(msgspec.Struct, eq=False, gc=False):
    """A message in the making."""

    seq: int
    role: Role
    kind: MessageKind
    text: str | None
    ts: int | None
    model: str | None
    request: str | None
    native_id: str | None
    attachments: str | None
    offset: int | None
    length: int | None
    from_item: bool
    gone: bool = False  # yielded, or absorbed by another: no longer to be changed


class Sighting(msgspec.Struct, eq=False, gc=False):
    """A text seen in one of the two interleaved logs that waits for its mirror in the other."""

    role: str
    keys: set[str]
    said: Said
    from_item: bool


@dataclass(slots=True, eq=False)
class Thread:
    """The session's state; `ts`, `offset` and `length` are those of the line being read.

    No Struct: Python sets a slot three times as fast as a Struct's field.
    """

    native_id: str
    nested: bool = False  # a copy of another session's lines, that session's own log not being held
    copied: bool = False  # continues another session's token totals
    rolled_back: tuple[tuple[int, int], ...] = ()  # ranges of seq, known from an earlier reading
    meta: Entry | None = None
    ts: int | None = None
    offset: int | None = None
    length: int | None = None
    seq: int = 0
    model: str | None = None
    turn: str | None = None
    cwd: str | None = None
    project: str | None = None
    tier: str | None = None
    provider: str | None = None
    version: str | None = None
    title: str | None = None
    prompt: str | None = None  # the first one
    began_at: int | None = None
    ended_at: int | None = None
    pending: list[Said | Call] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)  # ids of calls that were yielded
    sightings: list[Sighting] = field(default_factory=list)
    running: Totals | None = None
    last: Totals | None = None
    billed: set[str] = field(default_factory=set)
    request: str | None = None  # of the response whose items follow its token_count
    leading: bool = False  # token_counts stand before their items
    said: int | None = None  # seq of the response's last message
    searches: int = 0
    goal: str | None = None
    failure: str | None = None  # the latest error told
    turns: list[int] = field(default_factory=list)  # seq of each prompt still in the conversation
    rollbacks: list[tuple[int, int]] = field(default_factory=list)
    echoes: set[str] = field(default_factory=set)  # prompts that an abort may make appear again
    latest: str | None = None  # prompt
    out: list[Record] = field(default_factory=list)  # what is complete, also of the other thread


def say(
    thread: Thread,
    role: Role,
    kind: MessageKind,
    text: str | None,
    native_id: Any = None,
    pictures: list[dict[str, Any]] | None = None,
    from_item: bool = True,
) -> Said:
    """Add a message at the line being read."""
    by_model = role == "assistant"
    seq = thread.seq = thread.seq + 1
    said = Said(  # in their order: keywords take thrice the time, here and below
        seq,
        role,
        kind,
        text,
        thread.ts,
        thread.model if by_model else None,
        thread.request if by_model else None,
        own_id(thread, native_id) if native_id else None,
        encoded(pictures) if pictures else None,
        thread.offset,
        thread.length,
        from_item,
    )
    if by_model:
        thread.said = seq
    _wait(thread, said)
    return said


def _wait(thread: Thread, one: Said | Call) -> None:
    """Let it wait for its request, but not without end: some logs count nothing."""
    if len(thread.pending) >= _HELD:
        settle(thread)
    thread.pending.append(one)


def own_id(thread: Thread, native_id: Any) -> str | None:
    """A logged id, made unique beyond the session where it is short."""
    return unique(thread.native_id, native_id) if isinstance(native_id, str) else None


def encoded(pictures: list[dict[str, Any]]) -> str | None:
    return msgspec.json.encode(pictures).decode() if pictures else None


def notice(thread: Thread, text: str | None, kind: MessageKind = "notice") -> None:
    """What the harness tells."""
    if text:
        say(thread, "system", kind, text)


def from_item(thread: Thread, role: str, keys: set[str]) -> Said | None:
    """The message that events already told, if they did; all of an item's texts become that one.

    What no event told yet is remembered, so that events which follow find it.
    """
    if not thread.sightings:
        return None
    found = [s for s in thread.sightings if not s.from_item and s.role == role and s.keys & keys]
    if not found:
        return None
    first = found[0].said
    if first.gone:
        first = next((s.said for s in found if not s.said.gone), first)
    left = keys
    for sighting in found:
        thread.sightings.remove(sighting)
        left = left - sighting.keys
        if sighting.said is not first:
            sighting.said.gone = True
    if left and role != "user":
        sighted(thread, role, left, first, item=True)
    return first


def from_event(thread: Thread, role: str, key: str) -> bool:
    """Whether an item already told this text."""
    for sighting in thread.sightings:
        if sighting.from_item and sighting.role == role and key in sighting.keys:
            sighting.keys.discard(key)
            if role == "user" or not sighting.keys:
                thread.sightings.remove(sighting)
            return True
    return False


def sighted(thread: Thread, role: str, keys: set[str], said: Said, item: bool) -> None:
    """Let a text wait for its mirror; keys are texts without blanks round them."""
    thread.sightings.append(Sighting(role, keys, said, item))
    if len(thread.sightings) > _LOOK_BACK:
        del thread.sightings[0]


def called(thread: Thread, call_id: Any, name: str) -> Call | None:
    """The call with this id, begun here if it is new; None: it was told to its end already."""
    key = call_id if isinstance(call_id, str) and call_id else None
    if key in thread.done:
        return None
    call = thread.calls.get(key) if key else None
    if call is None:
        seq = thread.seq = thread.seq + 1
        call = Call(
            seq,
            key or f"#{seq}",
            own_id(thread, key),
            name,
            thread.cwd,
            thread.said,
            thread.request,
            thread.ts,
            thread.offset,
            thread.length,
        )
        thread.calls[call.key] = call
        _wait(thread, call)
    return call


def answered(thread: Thread, call: Call) -> None:
    """Note where the result lies; yield the call if its response is over."""
    call.result_offset, call.result_length = thread.offset, thread.length
    if call.settled and call.over:
        _yield_call(thread, call)


def settle(thread: Thread, keep: Sequence[Said | Call] = ()) -> None:
    """Yield what is pending, but what is kept; calls without their result stay open."""
    waiting, thread.pending = thread.pending, list(keep)
    for one in waiting:
        if keep and one in keep:
            continue
        if isinstance(one, Call):
            one.settled = True
            if one.over:
                _yield_call(thread, one)
        elif not one.gone:
            one.gone = True
            thread.out.append(_message(thread, one))


def close(thread: Thread) -> None:
    """The log is at its end: yield all that is still open."""
    settle(thread)
    for call in list(thread.calls.values()):
        _yield_call(thread, call)


def _yield_call(thread: Thread, call: Call) -> None:
    del thread.calls[call.key]
    if call.native_id is not None:
        thread.done.add(call.key)
    thread.out += finished(call, thread.native_id, _abandoned(thread, call.seq))


def _abandoned(thread: Thread, seq: int) -> bool:
    gone = thread.rolled_back
    return any(start <= seq < end for start, end in gone) if gone else False


def _message(thread: Thread, said: Said) -> Message:
    return tuple.__new__(
        Message,
        (  # in their order: keywords take thrice the time
            thread.native_id,
            said.seq,
            said.role,
            said.kind,
            said.text,
            said.ts,
            said.native_id,
            None,  # parent
            said.model,
            said.request,
            _abandoned(thread, said.seq),
            said.attachments,
            said.offset,
            said.length,
        ),
    )


def new_response(thread: Thread) -> None:
    """What the model says from here on belongs to another request."""
    thread.request = thread.said = None


def end_turn(thread: Thread) -> None:
    settle(thread)
    new_response(thread)
    thread.sightings.clear()


def interrupt(thread: Thread) -> None:
    """Calls still without a result will have none."""
    for call in thread.calls.values():
        call.cut = True
