"""What is known of a session while its events are read."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Message, MessageKind, Relation, Request, Role, Session
from siphon.sources._text import unique
from siphon.sources._transcript import Transcript
from siphon.sources.copilot_cli.usage import Ledger


class At(NamedTuple):
    """Where and when an event stands."""

    id: str | None
    ts: int | None
    parent: str | None
    agent: str | None
    line: Line


@dataclass
class Reading:
    """What is known of the session so far."""

    log: Log
    session: Session
    main: Transcript
    agents: dict[str, Transcript] = field(default_factory=dict)
    agent_sessions: dict[str, Session] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    calls: dict[str, tuple[Transcript, int, Any]] = field(default_factory=dict)  # with its arguments
    texts: dict[str, tuple[Transcript, int]] = field(default_factory=dict)  # replies by message id
    chunks: dict[str, dict[int, str]] = field(default_factory=dict)
    thoughts: set[str] = field(default_factory=set)  # told by a message and by an event of their own
    order: list[tuple[str | None, Transcript, int]] = field(default_factory=list)  # event, its last seq
    ledger: Ledger = field(default_factory=Ledger)
    model: str | None = None
    prompts: set[str] = field(default_factory=set)  # system prompts, repeated at each turn

    def own(self, native_id: str | int | None) -> str | None:
        """An id of this log, made unique within the source."""
        return None if native_id is None else unique(self.main.native_id, str(native_id))

    def transcript(self, agent: str | None) -> Transcript:
        """The subagent's transcript, made at its first event; the main one for None."""
        if agent is None:
            return self.main
        if agent not in self.agents:
            self.agents[agent] = Transcript(f"{self.main.native_id}/{agent}")
            self.agent_sessions[agent] = Session(self.agents[agent].native_id, kind="subagent")
        return self.agents[agent]

    def say(self, at: At, role: Role, kind: MessageKind, text: str | None, **more: Any) -> int | None:
        """Add a message, if there is a text."""
        if not text or not text.strip():
            return None
        lines = self.transcript(at.agent)
        known = {"native_id": at.id, "parent_native_id": at.parent, **more}
        return lines.put(
            Message(
                lines.native_id,
                lines.seq(),
                role,
                kind,
                text,
                ts=at.ts,
                offset=at.line.offset,
                length=len(at.line.data),
                **known,
            )
        )


def placed(request: Request, at: At, model: str | None) -> Request:
    """The request with its event's time and place."""
    return request._replace(model=model, ts=at.ts, offset=at.line.offset, length=len(at.line.data))
