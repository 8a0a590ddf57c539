"""What is known of a task while its messages are read in order."""

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from siphon.records import Message, MessageKind, Role, ToolCall
from siphon.sources._loose import mapping, text
from siphon.sources.cline.files import Element
from siphon.sources.cline.history import Call
from siphon.sources.cline.tools import Calls, Shown
from siphon.sources.cline.usage import Usage

_since = itemgetter(0)
Models = Sequence[tuple[int, str, str | None]]  # since (ms), model, provider; by time


class Asked(NamedTuple):
    """A request whose numbers may still come."""

    native_id: str
    seq: int
    ts: int | None
    told: dict[str, Any]
    element: Element


@dataclass(slots=True)
class Waiting:
    """A tool that was shown, what the model called, and what it has printed so far."""

    call: ToolCall
    shown: Shown
    made: Call | None
    printed: list[str] = field(default_factory=list)
    asked: str | None = None  # output shown with a question, which is often told again


@dataclass(slots=True)
class State:
    task: str
    calls: Calls
    models: Models
    usage: Callable[[dict[str, Any]], Usage]
    last_seq: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    first_prompt: str | None = None
    asked: Asked | None = None
    completion: str | None = None  # the last result told; it is often told twice
    message_seq: int | None = None  # of the running request's last message
    waiting: list[Waiting] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)  # how often each was given out
    known: Counter[str] = field(default_factory=Counter)  # record types
    unknown: Counter[str] = field(default_factory=Counter)

    def next_seq(self) -> int:
        self.last_seq += 1
        return self.last_seq

    def saw(self, ts: int | None) -> None:
        """Widen the task's span to a time."""
        if ts is not None:
            if self.started_at is None or ts < self.started_at:
                self.started_at = ts
            if self.ended_at is None or ts > self.ended_at:
                self.ended_at = ts

    def key(self, element: Element, ts: int | None) -> str:
        """An id that is unique in the source: messages have none, and times repeat."""
        key = f"{self.task}/{element.offset if ts is None else ts}"
        n = self.keys[key] = self.keys.get(key, 0) + 1
        return key if n == 1 else f"{key}.{n}"

    def model_at(self, ts: int | None) -> tuple[str | None, str | None]:
        """Model and provider in use at a time: the last known by then, else the first known."""
        if not self.models:
            return None, None
        place = len(self.models) if ts is None else bisect(self.models, ts, key=_since)
        _, model, provider = self.models[max(0, place - 1)]
        return model, provider

    def message(
        self, element: Element, ts: int | None, role: Role, kind: MessageKind, words: str | None
    ) -> Message:
        """The next message; an assistant's belongs to the running request."""
        seq = self.next_seq()
        told, model = role == "assistant", None
        if told:
            self.message_seq = seq
            model = text(mapping(element.value.get("modelInfo")).get("modelId"))
        return Message(
            session=self.task,
            seq=seq,
            role=role,
            kind=kind,
            text=words,
            ts=ts,
            native_id=self.key(element, ts),
            model=(model or self.model_at(ts)[0]) if told else None,
            request=self.asked.native_id if self.asked and told else None,
            offset=element.offset,
            length=element.length,
        )
