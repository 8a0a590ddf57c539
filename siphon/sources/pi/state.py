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
    spoken: Counter[int] = field(default_factory=Counter)  # place → messages it gave
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
        before = self.spoken[place]
        self.spoken[place] += 1
        return Message(
            session=self.lineage.native_id,
            seq=self.next_seq(),
            role=role,
            kind=kind,
            text=words,
            ts=row.ts,
            native_id=f"{row.key}/{before}" if before else row.key,
            parent_native_id=self._parent(place),
            model=model,
            request=request,
            abandoned=place not in self.active,
            offset=row.offset,
            length=row.length,
        )

    def _parent(self, place: int) -> str | None:
        """The native id of the nearest row on the way to the root that said something."""
        at = self.parents[place]
        while at is not None and not self.spoken.get(at):
            at = self.parents[at]
        return None if at is None else self.tree[at].key
