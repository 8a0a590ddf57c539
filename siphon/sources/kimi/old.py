"""The old wire (kimi-cli): `{"timestamp": seconds, "message": {"type", "payload"}}`, as it streamed."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Record, Relation, Session
from siphon.sources._decode import entries, typed
from siphon.sources._tally import tallies
from siphon.sources._text import text_of, unique
from siphon.sources._transcript import Transcript
from siphon.sources.kimi.about import Place, companion, session
from siphon.sources.kimi.lines import Event, OldLine, Usage
from siphon.sources.kimi.skips import SKIPS
from siphon.sources.kimi.turns import Outcome, Turns, call_identity, usage_identity, words
from siphon.times import millis

_LINE = msgspec.json.Decoder(OldLine, strict=False)
READ = frozenset(
    """
        metadata TurnBegin SteerInput StepBegin StepInterrupted ContentPart ToolCall ToolCallPart
        ToolResult StatusUpdate SubagentEvent
    """.split()
)


class Wire:
    """The session of one wire, and the subagents told inside it that have no wire of their own."""

    def __init__(self, log: Log, at: Place) -> None:
        self.log, self.at = log, at
        self.turns = Turns(Transcript(at.native_id), at.agent is not None)
        self.agents: dict[str, Turns] = {}
        self.told: dict[str, tuple[str | None, str | None]] = {}  # by agent: the call, the type
        self.status: dict[str, Any] = {}  # the last usage by session: it may be repeated
        self.own: dict[str, bool] = {}  # whether an agent has a wire of its own

    def event(self, turns: Turns, line: Line, ts: int | None, event: Event) -> None:
        """Take one event, of the session or of a subagent."""
        turns.lines.saw(ts)
        payload = event.payload if isinstance(event.payload, dict) else {}
        match event.type:
            case "TurnBegin" | "SteerInput":
                turns.prompt(line, ts, payload.get("user_input"))
            case "StepBegin":
                turns.begin()
            case "StepInterrupted":
                turns.say(line, ts, "system", "notice", "interrupted")
                turns.stopped()
            case "ContentPart":
                _part(turns, line, ts, payload)
            case "ToolCall":
                function = payload.get("function")
                if isinstance(function, dict) and (name := text_of(function, "name")):
                    turns.call(line, ts, text_of(payload, "id"), name, function.get("arguments") or "")
            case "ToolCallPart":
                turns.more_arguments(payload.get("arguments_part"))
            case "ToolResult":
                _result(turns, line, ts, payload)
            case "StatusUpdate":
                self._status(turns, line, ts, payload)
            case "SubagentEvent":
                self._nested(line, ts, payload)

    def _status(self, turns: Turns, line: Line, ts: int | None, payload: dict[str, Any]) -> None:
        """Usage of the step that ends; without an id, the same counts again are the same request."""
        usage = payload.get("token_usage")
        own = text_of(payload, "message_id")
        session = turns.lines.native_id
        if not isinstance(usage, dict) or (own is None and self.status.get(session) == usage):
            return
        self.status[session] = usage
        counts = _counts(self.log, line, usage)
        if counts is not None:
            request = unique(session, own) or usage_identity(ts, counts)
            turns.end(line, ts, counts, request, nested=turns is not self.turns)

    def _nested(self, line: Line, ts: int | None, payload: dict[str, Any]) -> None:
        """A copy of a child's event; it counts only where the child has no wire of its own."""
        call = text_of(payload, "parent_tool_call_id", "task_tool_call_id")
        agent = text_of(payload, "agent_id") or call or "subagent"
        inner = payload.get("event")
        if self._has_wire(agent) or not isinstance(inner, dict):
            return
        if agent not in self.agents:
            self.agents[agent] = Turns(Transcript(f"{self.at.session}/{agent}"), True)
            self.told[agent] = (call, text_of(payload, "subagent_type"))
        event = Event(text_of(inner, "type"), inner.get("payload"))
        if event.type != "SubagentEvent":
            self.event(self.agents[agent], line, ts, event)

    def _has_wire(self, agent: str) -> bool:
        if agent not in self.own:
            self.own[agent] = self.log.at(f"{self.at.folder}/subagents/{agent}/wire.jsonl") is not None
        return self.own[agent]

    def records(self) -> Iterator[Record]:
        """The session's records, then those of the subagents told in it."""
        found = session(self.log, self.at, self.turns.lines, None)
        if self.at.agent is not None:
            meta = companion(self.log, f"{self.at.folder}/subagents/{self.at.agent}/meta.json")
            found = found._replace(
                title=text_of(meta, "description", "title") or found.title,
                agent=text_of(meta, "subagent_type", "agent_type", "type"),
            )
            call = text_of(meta, "parent_tool_call_id", "task_tool_call_id", "tool_call_id")
            yield Relation(
                found.native_id, "subagent", self.at.session, _identity(self.log, self.at, call)
            )
        yield found
        yield from self.turns.lines.records()
        for agent, turns in self.agents.items():
            yield from self._agent(agent, turns, found)

    def _agent(self, agent: str, turns: Turns, parent: Session) -> Iterator[Record]:
        call, kind = self.told[agent]
        lines = turns.lines
        yield parent._replace(
            native_id=lines.native_id,
            title=lines.first_prompt(),
            kind="subagent",
            agent=kind,
            started_at=lines.started_at,
            ended_at=lines.ended_at,
            partial=True,
        )
        yield from lines.records()
        above = parent.native_id
        started = self.turns.lines.call(self.turns.calls.get(call or "", -1))
        yield Relation(lines.native_id, "subagent", above, started.native_id if started else None)


def parse(log: Log, at: Place) -> Iterator[Record]:
    """All records of an old wire."""
    types: Counter[str] = Counter()
    wire = Wire(log, at)
    seen: set[int] = set()  # hashes: a line written twice is one event
    for line, entry in entries(log, _LINE):
        event = entry.message
        types[(event.type if event else entry.type) or "(no type)"] += 1
        if event is not None and (key := hash(line.data)) not in seen:
            seen.add(key)
            wire.event(wire.turns, line, millis(entry.timestamp), event)
    if types:
        yield from wire.records()
    yield from tallies(types, READ, SKIPS)


def _identity(log: Log, at: Place, call: str | None) -> str | None:
    """The id under which the parent's wire tells the call: it needs the call's time."""
    for line in log.lines_with(f"{at.folder}/wire.jsonl", json.dumps(call)) if call else ():
        try:
            entry = _LINE.decode(line.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if entry.message is not None and entry.message.type == "ToolCall":
            return call_identity(at.session, call, millis(entry.timestamp))
    return unique(at.session, call)


def _part(turns: Turns, line: Line, ts: int | None, payload: dict[str, Any]) -> None:
    if payload.get("type") == "think":
        turns.part(line, ts, "thinking", payload.get("think"))
    else:
        turns.part(line, ts, "reply", payload.get("text"))


def _result(turns: Turns, line: Line, ts: int | None, payload: dict[str, Any]) -> None:
    value = payload.get("return_value")
    value = value if isinstance(value, dict) else {}
    told = Outcome(
        words(value.get("output")),
        bool(value.get("is_error")),
        text_of(value, "message"),
        value.get("display"),
    )
    turns.result(line, ts, text_of(payload, "tool_call_id"), told)


_USAGE = msgspec.json.Decoder(Usage, strict=False)


def _counts(log: Log, line: Line, usage: dict[str, Any]) -> Usage | None:
    return typed(log, msgspec.json.encode(usage), _USAGE, line)
