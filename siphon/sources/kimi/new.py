"""The new wire (Kimi Code): flat lines; what the model does comes as `context.append_loop_event`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Record, Relation
from siphon.sources._decode import entries, typed
from siphon.sources._tally import tallies
from siphon.sources._text import text_of, unique
from siphon.sources._transcript import Transcript
from siphon.sources.kimi.about import Place, companion, session
from siphon.sources.kimi.lines import NewLine, Usage
from siphon.sources.kimi.skips import SKIPS
from siphon.sources.kimi.turns import Outcome, Turns, call_identity, usage_identity, words
from siphon.times import millis

_LINE = msgspec.json.Decoder(NewLine, strict=False)
_USAGE = msgspec.json.Decoder(Usage, strict=False)
_LOOP = "context.append_loop_event"
_EVENTS = ("step.begin", "content.part", "tool.call", "tool.result", "step.end")
READ = frozenset(
    """
        metadata config.update profile.bind turn.prompt turn.steer turn.cancel llm.request usage.record
        context.append_message context.apply_compaction context.undo full_compaction.complete
        permission.record_approval_result
    """.split()
) | {f"{_LOOP}/{event}" for event in _EVENTS}


class Recorded(NamedTuple):
    """A usage.record."""

    line: Line
    ts: int | None
    counts: Usage
    model: str | None
    seq: int


@dataclass
class Wire:
    """The session of one wire."""

    log: Log
    turns: Turns
    cwd: str | None = None
    told: bool = False  # prompts and steps are there, so appended messages are copies
    appended: list[tuple[Line, int | None, dict[str, Any]]] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)  # usage of steps, which usage.record repeats
    recorded: list[Recorded] = field(default_factory=list)

    def line(self, line: Line, entry: NewLine) -> None:
        """Take one line."""
        ts = millis(entry.time) or millis(entry.timestamp) or millis(entry.created_at)
        self.turns.lines.saw(ts)
        match entry.type:
            case "context.append_loop_event" if isinstance(entry.event, dict):
                self.told = True
                self._event(line, ts, entry.event)
            case "turn.prompt" | "turn.steer":
                self.told = True
                self.turns.prompt(line, ts, entry.input, _kind(entry.origin) in (None, "user"))
            case "turn.cancel":
                self.turns.say(line, ts, "system", "notice", "interrupted")
                self.turns.stopped()
            case "context.append_message" if isinstance(entry.message, dict):
                self._append(line, ts, entry.message)
            case "context.apply_compaction" | "full_compaction.complete":
                self._summary(line, ts, entry)
            case "context.undo":
                self.turns.undo(entry.count or 0)
            case "permission.record_approval_result":
                decision = text_of(entry.result, "decision")
                if decision not in (None, "approved") and entry.tool_call_id:
                    self.turns.refused.add(entry.tool_call_id)
            case "usage.record":
                self._usage(line, ts, entry)
            case "llm.request" | "config.update" | "profile.bind":
                self._setting(entry)

    def _setting(self, entry: NewLine) -> None:
        disclosed = text_of(entry.environment_disclosure, "cwd")
        self.cwd = self.cwd or entry.cwd or disclosed
        self.turns.model = entry.model or (self.turns.model or entry.model_alias)

    def _event(self, line: Line, ts: int | None, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "step.begin":
                self.turns.begin()
            case "content.part":
                part = event.get("part")
                thinks = text_of(part, "type") == "think"
                own = unique(self.turns.lines.native_id, text_of(event, "uuid"))
                text = text_of(part, "think" if thinks else "text")
                self.turns.part(line, ts, "thinking" if thinks else "reply", text, own)
            case "tool.call":
                name = text_of(event, "name") or "(no name)"
                self.turns.call(line, ts, text_of(event, "toolCallId", "uuid"), name, event.get("args"))
            case "tool.result":
                self._result(line, ts, event)
            case "step.end":
                self._ended(line, ts, event)

    def _result(self, line: Line, ts: int | None, event: dict[str, Any]) -> None:
        value = event.get("result")
        value = value if isinstance(value, dict) else {"output": value}
        output = words(value.get("output"))
        own = text_of(event, "toolCallId", "parentUuid")
        told = Outcome(
            output, bool(value.get("isError")), text_of(value, "message"), value.get("display")
        )
        self.turns.result(line, ts, own, told)

    def _ended(self, line: Line, ts: int | None, event: dict[str, Any]) -> None:
        if (model := text_of(event, "model")) and self.turns.model is None:
            self.turns.model = model
        counts = self._counts(line, event.get("usage"))
        if counts is not None:
            self.ended[repr(counts)] += 1
            own = unique(self.turns.lines.native_id, text_of(event, "messageId", "uuid"))
            self.turns.end(line, ts, counts, own)
        self.turns.begin()

    def _usage(self, line: Line, ts: int | None, entry: NewLine) -> None:
        counts = self._counts(line, entry.usage)
        if counts is not None:
            model, seq = self.turns.model or entry.model, max(0, self.turns.lines.last)
            self.recorded.append(Recorded(line, ts, counts, model, seq))

    def _extra(self) -> None:
        """Usage that no step had: a compaction is a request of its own."""
        for record in self.recorded:
            if self.ended[repr(record.counts)]:
                self.ended[repr(record.counts)] -= 1
                continue
            counts = record.counts
            own = usage_identity(record.ts, counts)
            self.turns.model = record.model
            self.turns.bill(record.line, record.ts, counts, own, record.seq)

    def _counts(self, line: Line, usage: Any) -> Usage | None:
        if not isinstance(usage, dict):
            return None
        named = {_SNAKE.get(key, key): value for key, value in usage.items()}
        return typed(self.log, msgspec.json.encode(named), _USAGE, line)

    def _append(self, line: Line, ts: int | None, message: dict[str, Any]) -> None:
        """A copy for the model, but for what the harness put in."""
        kind = _kind(message.get("origin"))
        if message.get("role") == "user" and kind not in (None, "user", "system_trigger"):
            self.turns.say(line, ts, "user", "meta", words(message.get("content")))
        else:
            self.appended.append((line, ts, message))

    def _summary(self, line: Line, ts: int | None, entry: NewLine) -> None:
        text = entry.summary or entry.context_summary
        if text:
            self.turns.say(line, ts, "system", "summary", text)

    def finish(self) -> None:
        """What is known only at the end. A wire that tells no turns has appended messages alone."""
        self._extra()
        for line, ts, message in [] if self.told else self.appended:
            if message.get("role") == "user":
                self.turns.prompt(line, ts, message.get("content"))
            elif message.get("role") == "assistant":
                self.turns.say(line, ts, "assistant", "reply", words(message.get("content")))


_SNAKE = {
    "inputOther": "input_other",
    "inputCacheRead": "input_cache_read",
    "inputCacheCreation": "input_cache_creation",
}


def _kind(origin: Any) -> str | None:
    return text_of(origin, "kind")


def parse(log: Log, at: Place) -> Iterator[Record]:
    """All records of a new wire."""
    types: Counter[str] = Counter()
    wire = Wire(log, Turns(Transcript(at.native_id), at.agent is not None))
    seen: set[int] = set()  # hashes: a line written twice is one line
    for line, entry in entries(log, _LINE):
        name = entry.type or "(no type)"
        types[f"{name}/{text_of(entry.event, 'type')}" if name == _LOOP else name] += 1
        if (key := hash(line.data)) not in seen:
            seen.add(key)
            wire.line(line, entry)
    wire.finish()
    if types:
        yield from _records(log, at, wire)
    yield from tallies(types, READ, SKIPS)


class Origin(NamedTuple):
    """Where a subagent comes from; its call's result names it."""

    parent: str  # the agent that called it
    call: str | None = None
    kind: str | None = None
    task: str | None = None  # the call's description


def _records(log: Log, at: Place, wire: Wire) -> Iterator[Record]:
    found = session(log, at, wire.turns.lines, wire.cwd)
    origin = _origin(log, at, at.agent) if at.agent else None
    if origin is not None:
        above = f"{at.session}/{origin.parent}" if origin.parent != "main" else at.session
        found = found._replace(agent=origin.kind, title=origin.task or found.title)
        yield Relation(found.native_id, "subagent", above, origin.call)
    yield found
    if found.kind == "internal":
        yield from wire.turns.lines.requests.values()
    else:
        yield from wire.turns.lines.records()


def _origin(log: Log, at: Place, agent: str) -> Origin:
    agents = companion(log, f"{at.folder}/state.json").get("agents")
    own = agents.get(agent) if isinstance(agents, dict) else None
    parent = text_of(own, "parentAgentId") or "main"
    path = f"{at.folder}/agents/{parent}/wire.jsonl"
    for line in log.lines_with(path, f"agent_id: {agent}"):
        entry = _decoded(line.data)
        result = entry.event.get("result") if entry and isinstance(entry.event, dict) else None
        rows = words(text_of(result, "output")).split("\n")
        call = text_of(entry.event, "toolCallId") if entry else None
        if call is not None and f"agent_id: {agent}" in rows:
            kinds = [row.partition(": ")[2] for row in rows if row.startswith("actual_subagent_type: ")]
            return _called(log, path, Origin(parent, call, kinds[0] if kinds else None))
    return Origin(parent)


def _called(log: Log, path: str, origin: Origin) -> Origin:
    """With the call's identity, which needs its time, and its task."""
    for line in log.lines_with(path, f'"{origin.call}"'):
        entry = _decoded(line.data)
        if entry is not None and text_of(entry.event, "type") == "tool.call":
            args = entry.event.get("args") if isinstance(entry.event, dict) else None
            call = call_identity("", origin.call, millis(entry.time))
            return origin._replace(call=call, task=text_of(args, "description"))
    return origin._replace(call=None)


def _decoded(data: bytes) -> NewLine | None:
    try:
        return _LINE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
