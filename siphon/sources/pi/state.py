"""What is known while a session's rows are read in order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from siphon.records import Message, MessageKind, Relation, Role, SessionKind
from siphon.sources.pi.entries import Row
from siphon.sources.pi.prompts import Split
from siphon.sources.pi.tools import Open


class Lineage(NamedTuple):
    """What is known of a session from outside its file."""

    native_id: str
    kind: SessionKind = "main"
    agent: str | None = None
    entrypoint: str | None = None
    title: str | None = None
    relations: tuple[Relation, ...] = ()


@dataclass(slots=True)
class State:
    lineage: Lineage
    split: Split
    tree: Sequence[Row]  # all rows but headers
    parents: Sequence[int | None]  # places in the tree
    active: set[int]
    model: str | None = None
    provider: str | None = None
    title: str | None = None
    first_prompt: str | None = None
    last_seq: int = 0
    last_request: str | None = None
    open: dict[str, list[Open]] = field(default_factory=dict)  # by call id, oldest first
    spoken: dict[int, int] = field(default_factory=dict)  # place → messages it gave
    whole: set[str] = field(default_factory=set)  # ids of responses that are there in full
    started: set[str] = field(default_factory=set)  # keys of calls that a snapshot already gave
    known: Counter[str] = field(default_factory=Counter)  # record types
    unknown: Counter[str] = field(default_factory=Counter)

    def next_seq(self) -> int:
        self.last_seq += 1
        return self.last_seq

    def message(
        self,
        place: int,
        role: Role,
        kind: MessageKind,
        words: str | None,
        request: str | None = None,
        model: str | None = None,
    ) -> Message:
        """The next message of the row at a place of the tree."""
        row = self.tree[place]
        before = self.spoken.get(place, 0)
        self.spoken[place] = before + 1
        return Message(  # in their order: keywords take thrice the time
            self.lineage.native_id,
            self.next_seq(),
            role,
            kind,
            words,
            row.ts,
            f"{row.key}/{before}" if before else row.key,
            self._parent(place),
            model,
            request,
            place not in self.active,
            None,  # attachments
            row.offset,
            row.length,
        )

    def _parent(self, place: int) -> str | None:
        """The native id of the nearest row on the way to the root that said something."""
        at = self.parents[place]
        while at is not None and not self.spoken.get(at):
            at = self.parents[at]
        return None if at is None else self.tree[at].key
