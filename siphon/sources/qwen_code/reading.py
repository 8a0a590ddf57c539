"""Reads a transcript: its records in their order, those of one uuid as one."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Record, Relation, RelationKind, Session
from siphon.sources._decode import document, entries
from siphon.sources._tally import tallies
from siphon.sources._text import text_of, unique
from siphon.sources._transcript import Transcript
from siphon.sources.qwen_code.chain import abandoned
from siphon.sources.qwen_code.lines import Entry, Meta, Usage
from siphon.sources.qwen_code.said import read
from siphon.sources.qwen_code.skips import READ, SKIPS
from siphon.sources.qwen_code.state import At, Reading
from siphon.times import millis

_ENTRY = msgspec.json.Decoder(Entry, strict=False)
_META = msgspec.json.Decoder(Meta, strict=False)


def parse(log: Log, stem: str) -> Iterator[Record]:
    """All records of a transcript; `stem` is what its name says."""
    found = list(entries(log, _ENTRY))
    types = Counter(entry.name() for _, entry in found)
    side = _agent(log)
    gone = abandoned(entry for _, entry in found)
    trunk = _session_id([entry for _, entry in found], stem)
    readings: dict[str, Reading] = {}
    for line, entry in _merged(found):
        if entry.session_id and entry.session_id != trunk:
            log.problem(f"a record of session {entry.session_id}", line.number, line.offset)
        agent = (entry.agent_id if entry.is_sidechain else None) or side
        own = f"{trunk}/{agent}" if agent else trunk
        if own not in readings:
            readings[own] = Reading(Session(own), Transcript(own), own != trunk)
        at = _at(readings[own], line, entry, gone)
        _about(readings[own], at, entry)
        read(readings[own], at, entry)
    for own, reading in readings.items():
        yield from _records(log, trunk, own, reading)
    yield from tallies(types, READ, SKIPS)


def _agent(log: Log) -> str | None:
    """The subagent that the path names."""
    return log.stem.removeprefix("agent-") if "subagents" in log.parts[:-1] else None


def _session_id(entries: list[Entry], stem: str) -> str:
    """The file's name if a record confirms it, else what the first record says."""
    named = [entry.session_id for entry in entries if entry.session_id]
    return stem if stem in named or not named else named[0]


def _merged(found: list[tuple[Line, Entry]]) -> Iterator[tuple[Line, Entry]]:
    """One entry a uuid: what was written in pieces is joined, what was written twice is dropped."""
    known: dict[tuple[str, str], tuple[Line, Entry]] = {}
    for number, (line, entry) in enumerate(found):
        first = known.setdefault((entry.uuid or f"@{number}", entry.name()), (line, entry))[1]
        if first is not entry:
            _join(first, entry)
    yield from known.values()


def _join(first: Entry, again: Entry) -> None:
    first.model = first.model or again.model
    if first.message and again.message and isinstance(first.message.parts, list):
        more = again.message.parts if isinstance(again.message.parts, list) else []
        first.message.parts += [part for part in more if part not in first.message.parts]
    if first.usage_metadata is None or again.usage_metadata is None:
        first.usage_metadata = first.usage_metadata or again.usage_metadata
        return
    for name in Usage.__struct_fields__:
        counts = (getattr(first.usage_metadata, name), getattr(again.usage_metadata, name))
        setattr(first.usage_metadata, name, max((n for n in counts if n is not None), default=None))


def _at(reading: Reading, line: Line, entry: Entry, gone: set[str]) -> At:
    origin = entry.forked_from
    native_id = (origin.message_uuid if origin else None) or entry.uuid or f"@{line.offset}"
    own = unique(reading.lines.native_id, native_id) or native_id
    return At(own, millis(entry.timestamp), line, entry.uuid in gone, origin is not None)


def _about(reading: Reading, at: At, entry: Entry) -> None:
    """What a record tells of its session, whatever else it is."""
    reading.lines.saw(at.ts)
    old = reading.session
    branch, version = entry.git_branch or old.git_branch, entry.version or old.version
    cwd, agent = old.cwd or entry.cwd, entry.agent_name or old.agent
    entrypoint = old.entrypoint or text_of(entry.system_payload, "sourceType")
    told = (cwd, branch, version, agent, entrypoint)
    if told != (old.cwd, old.git_branch, old.version, old.agent, old.entrypoint):
        reading.session = old._replace(
            cwd=cwd, git_branch=branch, version=version, agent=agent, entrypoint=entrypoint
        )
    if entry.forked_from is not None and entry.forked_from.session_id:
        _relate(reading, "fork", entry.forked_from.session_id)
    parent = (
        text_of(entry.system_payload, "parentSessionId") if entry.subtype == "parent_session" else None
    )
    if parent:
        _relate(reading, "subagent", parent)


def _relate(reading: Reading, kind: RelationKind, target: str) -> None:
    """Remember where the session comes from; from itself it does not."""
    own = reading.lines.native_id
    if target != own:
        reading.relations[target] = Relation(own, kind, target)


def _records(log: Log, trunk: str, own: str, reading: Reading) -> Iterator[Record]:
    lines, session = reading.lines, reading.session
    meta = _meta(log) if reading.side else None
    yield session._replace(
        title=reading.titles[-1]
        if reading.titles
        else (meta.description if meta else None) or lines.first_prompt(),
        project=session.cwd,
        started_at=lines.started_at,
        ended_at=lines.ended_at,
        kind="subagent" if reading.side else "main",
        agent=(meta.agent_type if meta else None) or session.agent,
    )
    yield from lines.records()
    if reading.side:
        parent = (meta.parent_session_id if meta else None) or trunk
        above = f"{parent}/{meta.parent_agent_id}" if meta and meta.parent_agent_id else parent
        yield Relation(own, "subagent", above, unique(above, meta.tool_use_id) if meta else None)
    yield from reading.relations.values()


def _meta(log: Log) -> Meta | None:
    beside = log.near(f"{log.stem}.meta.json")
    found = document(beside, _META) if beside is not None else None
    return found[1] if found else None
