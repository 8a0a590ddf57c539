"""A transcript's lines in their order: each goes to its session, and becomes that session's rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import msgspec

from siphon.log import Line, Log
from siphon.records import Message, Record, Relation, Tally, ToolCall
from siphon.sources._tally import tallies
from siphon.sources.claude_code import agents, lineage, results, said, skips, threads
from siphon.sources.claude_code.agents import Meta, Place
from siphon.sources.claude_code.entries import Entry, Turn
from siphon.sources.claude_code.mending import Mending, whole
from siphon.sources.claude_code.outline import Outline, abandoned, add, last_copy, outline_of
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.threads import Thread
from siphon.times import millis

HELD = 32 << 20  # bytes of a log whose rows are held in memory
_BETWEEN = ("system", "attachment", "progress")
_EARLIEST, _LATEST = 1_577_836_800_000, 4_102_444_800_000  # 2020 and 2100: other times are damage


@dataclass(slots=True)
class Reading:
    log: Log
    outline: Outline
    place: Place
    trunk: Thread
    out: list[Record]
    threads: dict[str, Thread]  # by native id
    plain: bool = True  # nothing in it is known to be copied or left behind
    abandoned: set[str] = field(default_factory=set)  # uuids
    last_copy: str | None = None  # of a fork: the uuid of the last line that it copied
    side_of: dict[str, Thread] = field(default_factory=dict)  # a side chain's lines by uuid
    relations: dict[str, Relation] = field(default_factory=dict)  # by session
    counts: Counter[str] = field(default_factory=Counter)  # lines by type
    summaries: list[tuple[str, str]] = field(default_factory=list)  # leaf's uuid, text
    meta: Meta | None = None
    mending: Mending = field(default_factory=Mending)


def parse(log: Log) -> Iterator[Record]:
    """Yield a transcript's records.

    Only a transcript's end tells which lines were left behind. So the rows of one that fits into memory
    are held until then; others are read twice.
    """
    rows = _held(log)
    yield from rows if rows is not None else _in_two_readings(log)


def _held(log: Log) -> list[Record] | None:
    """All records of a transcript that is small; None: it must be read otherwise."""
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    outline = Outline()
    reading = _begin(trial, outline, agents.first_session_id(trial))
    for line, entry in reading.log.either(whole, reading.mending.line):
        add(outline, entry, line.offset)
        if line.offset >= HELD:
            return None
        if reading.plain and outline.originals:
            reading.plain, reading.last_copy = False, last_copy(log)
        _read(reading, line, entry)
    _end(reading)
    _mark(reading.out, outline)
    for problem in trial.problems:
        log.problem(*problem)
    log.counted[0] += trial.problem_count - len(trial.problems)
    return [*reading.out, *_tallies(reading)]


def _mark(rows: list[Record], outline: Outline) -> None:
    """Say of the rows whose lines were left behind that they are abandoned."""
    left = abandoned(outline)
    if not left:
        return
    offsets = {offset for offset, uuid, _ in outline.nodes if uuid in left}
    for place, row in enumerate(rows):
        if isinstance(row, Message | ToolCall) and row.offset in offsets:
            rows[place] = row._replace(abandoned=True)


def _in_two_readings(log: Log) -> Iterator[Record]:
    outline = outline_of(log)
    reading = _begin(log, outline, next(iter(outline.session_ids), None))
    reading.abandoned, reading.plain = abandoned(outline), False
    reading.last_copy = outline.last_copy
    for line, entry in reading.log.either(whole, reading.mending.line):
        _read(reading, line, entry)
        if reading.out:
            yield from reading.out
            reading.out.clear()
    _end(reading)
    yield from reading.out
    yield from _tallies(reading)


def _begin(log: Log, outline: Outline, first_session_id: str | None) -> Reading:
    place = agents.place_of(log, first_session_id)
    out: list[Record] = []
    trunk = Thread(place.native_id, out)
    threads = {place.native_id: trunk}
    reading = Reading(log, outline, place, trunk, out, threads)
    if agents.is_agent_file(log):
        trunk.side = True
        trunk.kind = agents.kind(place.agent_id or "")
        reading.meta = agents.meta_of(log)
    return reading


def _tallies(reading: Reading) -> Iterator[Tally]:
    return tallies(reading.counts, skips.READ, skips.SKIPS)


def _read(reading: Reading, line: Line, entry: Turn) -> None:
    # Every line comes here: what nearly all of them need is written out.
    if reading.mending.dropped:
        _note_dropped(reading, line)
    kind, ts, thread = entry.type or "(none)", None, reading.trunk
    if entry.is_sidechain and not thread.side:
        thread = _thread(reading, line, entry)
    if entry.timestamp is not None:
        ts = millis(entry.timestamp)
        if ts is None or not _EARLIEST <= ts < _LATEST:
            ts = None
            reading.log.problem(f"no time: {entry.timestamp!r:.60}", line.number, line.offset)
    threads.note(thread, entry, ts)
    if kind != "assistant" and kind != "user":
        _other(reading, thread, line, cast("Entry", entry), ts)
        return
    reading.counts[kind] += 1
    thread.talks = True
    if reading.plain:
        number, offset, data = line
        spot = Spot(entry.uuid, entry.parent_uuid, ts, offset, len(data), number, False)
    else:
        spot = _spot(reading, line, entry, ts)
    if kind == "assistant":
        said.assistant(reading.log, reading.place, thread, entry, spot)
    else:
        said.user(reading.log, reading.place, thread, entry, spot)


def _other(reading: Reading, thread: Thread, line: Line, entry: Entry, ts: int | None) -> None:
    """A line of another type than user and assistant."""
    kind = entry.type or "(none)"
    reading.counts[_type(kind, entry)] += 1
    if kind in _BETWEEN:
        thread.talks = True
        _between(reading, thread, line, entry, ts)
    else:
        _aside(reading, thread, line, entry, ts)


def _between(reading: Reading, thread: Thread, line: Line, entry: Entry, ts: int | None) -> None:
    """A line between the turns of the talk."""
    if entry.type == "progress":
        if entry.data is not None and entry.data.message is not None:  # else a mere sign of life
            _sighting(reading, line, thread, entry, _spot(reading, line, entry, ts))
    elif entry.type == "system":
        said.system(thread, entry, _spot(reading, line, entry, ts))
    elif entry.attachment is not None:
        said.attachment(thread, entry, entry.attachment, _spot(reading, line, entry, ts))


def _note_dropped(reading: Reading, line: Line) -> None:
    for dropped in reading.mending.dropped:
        reading.log.problem(f"{dropped}: dropped", line.number, line.offset)
    reading.mending.dropped.clear()


def _aside(reading: Reading, thread: Thread, line: Line, entry: Entry, ts: int | None) -> None:
    """A line outside of the talk: mostly facts about the session."""
    match entry.type:
        case "queue-operation":
            said.queue_operation(thread, entry, _spot(reading, line, entry, ts))
        case "compact_boundary":
            said.system(thread, entry, _spot(reading, line, entry, ts))
        case "tool_use" | "tool_result":
            spot = _spot(reading, line, entry, ts)
            said.bare_tool(reading.log, reading.place, thread, entry, spot)
        case "summary" if entry.leaf_uuid and entry.summary:
            reading.summaries.append((entry.leaf_uuid, entry.summary))
        case "agent_metadata":
            reading.meta = agents.meta_of_line(entry)
        case _:
            lineage.name(thread, entry)


def _type(kind: str, entry: Entry) -> str:
    """A type's name in the tally: of some the type of what they carry belongs to it."""
    match kind:
        case "system":
            part = entry.subtype
        case "attachment":
            part = entry.attachment.type if entry.attachment is not None else None
        case "progress":
            part = entry.data.type if entry.data is not None else None
        case "queue-operation":
            part = entry.operation
        case _:
            return kind
    return f"{kind}/{part or '(none)'}"


def _thread(reading: Reading, line: Line, entry: Turn) -> Thread:
    """The session of a side chain's line: in a main transcript they are sessions of their own."""
    if entry.agent_id:
        thread = _side(reading, f"{reading.place.trunk}/{entry.agent_id}", line)
        thread.kind = agents.kind(entry.agent_id)
    elif entry.parent_uuid in reading.side_of:
        thread = reading.side_of[entry.parent_uuid]
    elif entry.uuid is None:
        return reading.trunk
    else:
        root = reading.outline.originals.get(entry.uuid, entry.uuid)
        thread = _side(reading, f"{reading.place.trunk}/{root}", line)
    if entry.uuid is not None:
        reading.side_of[entry.uuid] = thread
    return thread


def _side(reading: Reading, native_id: str, line: Line) -> Thread:
    thread = reading.threads.get(native_id)
    if thread is None:
        thread = Thread(native_id, reading.out, line.offset, side=True, kind="subagent")
        reading.threads[native_id] = thread
    return thread


def _spot(reading: Reading, line: Line, entry: Turn, ts: int | None) -> Spot:
    number, offset, data = line
    originals, uuid, parent = reading.outline.originals, entry.uuid, entry.parent_uuid
    left = uuid in reading.abandoned
    if originals:
        if uuid is not None and uuid == reading.last_copy:
            ts = None  # the time of forking, not the original's
        uuid = originals.get(uuid or "", uuid)
        parent = originals.get(parent or "", parent)
    return Spot(uuid, parent, ts, offset, len(data), number, left)


def _sighting(reading: Reading, line: Line, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A subagent's line as its parent's progress shows it; the agent's own log may be gone."""
    data = entry.data
    if data is None or not data.agent_id or not isinstance(data.message, msgspec.Struct):
        return
    native_id = f"{reading.place.trunk}/{data.agent_id}"
    if native_id not in reading.threads:
        found = _side(reading, native_id, line)
        found.nested, found.kind = True, agents.kind(data.agent_id)
        lineage.descend(reading.relations, found, thread, entry.parent_tool_use_id)
    inner = lineage.unwrapped(entry, data.message)
    ts = millis(inner.timestamp)
    agent = reading.threads[native_id]
    threads.note(agent, inner, ts)
    agent.talks = True
    nested = msgspec.structs.replace(spot, native_id=inner.uuid, parent=None, ts=ts)
    if inner.type == "assistant":
        said.assistant(reading.log, reading.place, agent, inner, nested)
    elif inner.type == "user":
        said.user(reading.log, reading.place, agent, inner, nested)


def _end(reading: Reading) -> None:
    trunk = reading.trunk
    for leaf, text in reading.summaries:
        if leaf in trunk.seen:
            trunk.summary = text
    lineage.trace(reading.relations, reading.log, reading.place, reading.outline, trunk, reading.meta)
    for thread in reading.threads.values():
        said.close_queue(thread)
        results.close_all(thread)
        threads.bill(thread)
        if thread.side and thread is not trunk and thread.native_id not in reading.relations:
            lineage.descend_by_call(reading.relations, thread, trunk)
        if thread.talks or thread.last:
            reading.out.append(threads.session(thread))
            if thread.native_id in reading.relations:
                reading.out.append(reading.relations[thread.native_id])
