"""Reads events.jsonl: one transcript for the session, one for each of its subagents."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Record, Relation, Session
from siphon.sources._decode import typed
from siphon.sources._tally import tallies
from siphon.sources._transcript import Transcript
from siphon.sources.copilot_cli import billed, called, noted, said, workspace
from siphon.sources.copilot_cli.events import Event, Start
from siphon.sources.copilot_cli.skips import SKIPS
from siphon.sources.copilot_cli.state import At, Reading
from siphon.times import millis

_EVENT = msgspec.json.Decoder(Event, strict=False)
_START = msgspec.json.Decoder(Start, strict=False)


def parse(log: Log, native_id: str) -> Iterator[Record]:
    """All records of an events file; `native_id` is what its path says."""
    types: Counter[str] = Counter()
    seen: set[bytes] = set()  # a line written twice is one event
    reading: Reading | None = None
    for line, event in log.objects(_EVENT):
        kind = event.type or "(no type)"
        types[kind] += 1
        if reading is None:
            own = _own_id(event, log, line) or native_id
            reading = Reading(log, Session(own), Transcript(own))
        if line.data not in seen:
            seen.add(line.data)
            _read(reading, kind, event, line)
    if reading is not None:
        yield from _records(reading)
    yield from tallies(types, HANDLERS, SKIPS)


def _own_id(event: Event, log: Log, line: Line) -> str | None:
    start = typed(log, event.data, _START, line) if event.type == "session.start" else None
    return start.session_id if start else None


def _read(reading: Reading, kind: str, event: Event, line: Line) -> None:
    handler = HANDLERS.get(kind)
    ts = millis(event.timestamp)
    agent = str(event.agent_id) if event.agent_id else None
    at = At(reading.own(event.id), ts, reading.own(event.parent_id), agent, line)
    reading.transcript(agent).saw(ts)
    if handler is not None:
        handler(reading, at, event.data)
    lines = reading.transcript(agent)
    reading.order.append((at.id, lines, lines.last))


def _records(reading: Reading) -> Iterator[Record]:
    main = reading.main
    for request in reading.ledger.requests(reading.log, main.native_id):
        lines = next((a for a in reading.agents.values() if a.native_id == request.session), main)
        lines.bill(request)
    reading.session = workspace.completed(reading.log, reading.session)
    yield reading.session._replace(
        title=reading.session.title or main.first_prompt(),
        started_at=reading.session.started_at or main.started_at,
        ended_at=main.ended_at,
    )
    yield from main.records()
    for agent, lines in reading.agents.items():
        yield reading.agent_sessions[agent]._replace(
            title=_task(reading, agent),
            project=reading.session.project,
            cwd=reading.session.cwd,
            git_branch=reading.session.git_branch,
            git_repo=reading.session.git_repo,
            version=reading.session.version,
            started_at=lines.started_at,
            ended_at=lines.ended_at,
        )
        yield from lines.records()
        yield _origin(reading, agent)
    yield from reading.relations


def _task(reading: Reading, agent: str) -> str | None:
    """What the call that started an agent asked of it, in one line."""
    started = reading.calls.get(agent)
    call = started[0].call(started[1]) if started else None
    return call.summary if call else None


def _origin(reading: Reading, agent: str) -> Relation:
    """An agent's id is that of the call that started it; the session of that call is its parent."""
    started = reading.calls.get(agent)
    parent = started[0] if started else reading.main
    own = reading.agents[agent]
    return Relation(
        own.native_id,
        "subagent",
        parent.native_id if parent is not own else reading.main.native_id,
        reading.own(agent) if started else None,
    )


Handler = Callable[[Reading, At, msgspec.Raw], None]
HANDLERS: Mapping[str, Handler] = {
    "session.start": noted.started,
    "session.resume": noted.started,
    "session.context_changed": noted.moved,
    "session.title_changed": noted.titled,
    "session.model_change": noted.model,
    "session.info": noted.noted("system", "notice"),
    "session.warning": noted.noted("system", "notice"),
    "session.error": noted.noted("system", "error"),
    "model.call_failure": noted.noted("system", "error"),
    "session.task_complete": noted.noted("assistant", "summary"),
    "session.compaction_complete": billed.compacted,
    "session.snapshot_rewind": noted.rewound,
    "session.handoff": noted.handoff,
    "session.shutdown": billed.totals,
    "session.usage_checkpoint": billed.totals,
    "user.message": said.user,
    "assistant.message": said.assistant,
    "assistant.reasoning": said.thinking,
    "assistant.usage": billed.usage,
    "tool.user_requested": called.started,
    "tool.execution_start": called.started,
    "tool.execution_complete": called.completed,
    "permission.completed": called.permission,
    "hook.end": noted.hooked,
    "abort": called.aborted,
    "subagent.started": called.agent,
    "subagent.completed": called.agent,
    "subagent.failed": called.agent,
    "system.message": noted.system,
    "instruction.update": noted.noted("system", "meta"),
    "skill.invoked": noted.noted("system", "meta"),
    "system.notification": noted.noted("system", "notice"),
}
