"""What all generations hold, whatever the medium: a session, its messages, their parts."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from siphon.sources._loose import mapping, stamp, text

_SHORT = 20  # characters below which an id is made by a person or a test, not at random


class SessionInfo(msgspec.Struct):
    """A session's own record. Fields take any type: readers narrow them."""

    id: Any = None
    parent: Any = msgspec.field(default=None, name="parentID")
    project: Any = msgspec.field(default=None, name="projectID")
    directory: Any = None
    title: Any = None
    version: Any = None
    time: Any = None
    revert: Any = None
    branch: Any = None  # of the workspace, where a store says so


class MessageInfo(msgspec.Struct):
    """A message without its text; `metadata` and `parts` only in the first builds."""

    id: Any = None
    session: Any = msgspec.field(default=None, name="sessionID")
    role: Any = None
    time: Any = None
    parent: Any = msgspec.field(default=None, name="parentID")
    model: Any = msgspec.field(default=None, name="modelID")
    provider: Any = msgspec.field(default=None, name="providerID")
    chosen: Any = msgspec.field(default=None, name="model")
    path: Any = None
    summary: Any = None
    agent: Any = None
    cost: Any = None
    tokens: Any = None
    error: Any = None
    metadata: Any = None
    parts: Any = None

    @property
    def created(self) -> int | None:
        return stamp(mapping(self.time).get("created"))


class PartInfo(msgspec.Struct):
    """One part of a message, of any type."""

    id: Any = None
    type: Any = None
    message: Any = msgspec.field(default=None, name="messageID")
    text: Any = None
    synthetic: Any = None
    ignored: Any = None
    time: Any = None
    tool: Any = None
    call: Any = msgspec.field(default=None, name="callID")
    state: Any = None
    tokens: Any = None
    cost: Any = None
    mime: Any = None
    filename: Any = None
    url: Any = None
    files: Any = None
    name: Any = None
    prompt: Any = None
    command: Any = None
    error: Any = None


class Part(NamedTuple):
    """A part and its key, unique within the source and the same in every copy of the message."""

    key: str
    info: PartInfo
    offset: int | None = None
    length: int | None = None


class Turn(NamedTuple):
    """A message with its parts in order."""

    id: str
    info: MessageInfo
    parts: Sequence[Part]


class Conversation(NamedTuple):
    """A session with its messages in order; `worktree` is that of its project, where known."""

    id: str
    info: SessionInfo
    turns: Sequence[Turn]
    worktree: str | None = None


SESSION = msgspec.json.Decoder(SessionInfo)
MESSAGE = msgspec.json.Decoder(MessageInfo)
PART = msgspec.json.Decoder(PartInfo)


def key_of(session: str, message: str, part: Any, index: int) -> str:
    """A part's key: its id where that is random, else with the ids around it."""
    own = text(part) or str(index)
    if len(own) >= _SHORT:
        return own
    return f"{message}/{own}" if len(message) >= _SHORT else f"{session}/{message}/{own}"


def parted(session: str, message: str, infos: Sequence[PartInfo]) -> list[Part]:
    """The parts with their keys; one that repeats another's id is left out."""
    found = {key_of(session, message, info.id, n): info for n, info in enumerate(infos)}
    return [Part(key, info) for key, info in found.items()]


def ordered(turns: Sequence[Turn]) -> list[Turn]:
    """By time, then id; messages without a time keep the place that their id gives them."""
    last = 0
    dated = []
    for turn in sorted(turns, key=lambda turn: turn.id):
        last = turn.info.created if turn.info.created is not None else last
        dated.append((last, turn.id, turn))
    return [turn for _, _, turn in sorted(dated, key=lambda row: row[:2])]


_CLOCK = re.compile(r"msg_([0-9a-f]{12})")
_WRAP = 1 << 36  # an id holds the lower 48 bits of milliseconds * 4096 + counter
_LATE = 60_000  # ms after a message's time from which its id is that of a clone


def is_clone(turn: Turn) -> bool:
    """Whether the message was made elsewhere: its id is younger than its time (`/fork` keeps times)."""
    found = _CLOCK.match(turn.id)
    if found is None or turn.info.created is None:
        return False
    late = ((int(found[1], 16) >> 12) - turn.info.created) % _WRAP
    return _LATE < late < _WRAP // 2


def clock(created: int) -> str:
    """The 12 hex digits with which the ids made at a time begin."""
    return f"{(created % _WRAP) << 12:012x}"


def models(info: MessageInfo) -> tuple[str | None, str | None]:
    """(model, provider) of a message: beside its role, else in what was chosen for it."""
    chosen = mapping(info.chosen)
    model = text(info.model) or text(chosen.get("modelID"))
    return model, text(info.provider) or text(chosen.get("providerID"))


def children(turn: Turn) -> list[tuple[str, str]]:
    """(session, tool call) of each session that a message's tool calls started."""
    found = []
    for part in turn.parts:
        metadata = mapping(mapping(part.info.state).get("metadata"))
        child = text(metadata.get("sessionId")) or text(metadata.get("sessionID"))
        if child:
            found.append((child, part.key))
    return found
