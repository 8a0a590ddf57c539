"""A transcript's lines in their order: each goes to its session, and becomes that session's rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import cast

import msgspec

from siphon.log import Block, Log
from siphon.records import Message, Record, Relation, Tally, ToolCall
from siphon.sources._tally import tallies
from siphon.sources.claude_code import agents, lineage, results, said, skips, threads
from siphon.sources.claude_code.agents import Meta, Place
from siphon.sources.claude_code.entries import Entry, Turn
from siphon.sources.claude_code.mending import Mending, turns
from siphon.sources.claude_code.outline import Outline, abandoned, extend, outline_of
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.threads import Thread
from siphon.times import millis

HELD = 32 << 20  # bytes of a log whose rows are held in memory
_IS_SIDECHAIN = attrgetter("is_sidechain")
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
    are held until then; others are read twice, and so are forks.
    """
    rows = _held(log)
    yield from rows if rows is not None else _in_two_readings(log)


def _held(log: Log) -> list[Record] | None:
    """All records of a transcript that is small; None: it must be read otherwise."""
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    outline = Outline()
    reading = _begin(trial, outline, agents.first_session_id(trial))
    for block in trial.decoded(turns, reading.mending.line):
        extend(outline, block.offsets, block.values)
        if outline.originals or block.offsets[-1] >= HELD:
            return None
        _read(reading, block)
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
    for block in log.decoded(turns, reading.mending.line):
        _read(reading, block)
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


def _read(reading: Reading, block: Block[Turn]) -> None:
    # Every line comes here: what nearly all of them need is written out.
    log, place, trunk, plain = reading.log, reading.place, reading.trunk, reading.plain
    if reading.mending.dropped:
        _note_dropped(reading, block)
    mixed = not trunk.side and any(map(_IS_SIDECHAIN, block.values))
    if not mixed:
        threads.note(trunk, block.values)
    for number, offset, row, entry in zip(*block, strict=True):
        kind, thread, ts = entry.type, trunk, None
        if mixed:
            thread = _thread(reading, offset, entry) if entry.is_sidechain else trunk
            threads.note(thread, [entry])
        if entry.timestamp is not None:
            ts = millis(entry.timestamp)
            if ts is None or not _EARLIEST <= ts < _LATEST:
                ts = None
                log.problem(f"no time: {entry.timestamp!r:.60}", number, offset)
            elif thread.ended_at is not None and ts > thread.ended_at:
                thread.ended_at = ts
            else:
                threads.date(thread, ts)
        spot = Spot(entry.uuid, entry.parent_uuid, ts, offset, len(row), number, False)
        if not plain:
            spot = _spot(reading, spot)
        if kind == "assistant":
            reading.counts[kind] += 1
            thread.talks = True
            said.assistant(log, place, thread, entry, spot)
        elif kind == "user":
            reading.counts[kind] += 1
            thread.talks = True
            said.user(log, place, thread, entry, spot)
        else:
            _other(reading, thread, cast("Entry", entry), spot)


def _other(reading: Reading, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A line of another type than user and assistant."""
    kind = entry.type or "(none)"
    reading.counts[_type(kind, entry)] += 1
    if kind in _BETWEEN:
        thread.talks = True
        _between(reading, thread, entry, spot)
    else:
        _aside(reading, thread, entry, spot)


def _between(reading: Reading, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A line between the turns of the talk."""
    if entry.type == "progress":
        if entry.data is not None and entry.data.message is not None:  # else a mere sign of life
            _sighting(reading, thread, entry, spot)
    elif entry.type == "system":
        said.system(thread, entry, spot)
    elif entry.attachment is not None:
        said.attachment(thread, entry, entry.attachment, spot)


def _note_dropped(reading: Reading, block: Block[Turn]) -> None:
    for dropped in reading.mending.dropped:
        reading.log.problem(f"{dropped}: dropped", block.numbers[0], block.offsets[0])
    reading.mending.dropped.clear()


def _aside(reading: Reading, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A line outside of the talk: mostly facts about the session."""
    match entry.type:
        case "queue-operation":
            said.queue_operation(thread, entry, spot)
        case "compact_boundary":
            said.system(thread, entry, spot)
        case "tool_use" | "tool_result":
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


def _thread(reading: Reading, offset: int, entry: Turn) -> Thread:
    """The session of a side chain's line: in a main transcript they are sessions of their own."""
    if entry.agent_id:
        thread = _side(reading, f"{reading.place.trunk}/{entry.agent_id}", offset)
        thread.kind = agents.kind(entry.agent_id)
    elif entry.parent_uuid in reading.side_of:
        thread = reading.side_of[entry.parent_uuid]
    elif entry.uuid is None:
        return reading.trunk
    else:
        root = reading.outline.originals.get(entry.uuid, entry.uuid)
        thread = _side(reading, f"{reading.place.trunk}/{root}", offset)
    if entry.uuid is not None:
        reading.side_of[entry.uuid] = thread
    return thread


def _side(reading: Reading, native_id: str, offset: int) -> Thread:
    thread = reading.threads.get(native_id)
    if thread is None:
        thread = Thread(native_id, reading.out, offset, side=True, kind="subagent")
        reading.threads[native_id] = thread
    return thread


def _spot(reading: Reading, spot: Spot) -> Spot:
    """Of a line that may be copied or left behind."""
    originals, uuid, parent, ts = reading.outline.originals, spot.native_id, spot.parent, spot.ts
    left = uuid in reading.abandoned
    if originals:
        if uuid is not None and uuid == reading.last_copy:
            ts = None  # the time of forking, not the original's
        uuid = originals.get(uuid or "", uuid)
        parent = originals.get(parent or "", parent)
    return Spot(uuid, parent, ts, spot.offset, spot.length, spot.number, left)


def _sighting(reading: Reading, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A subagent's line as its parent's progress shows it; the agent's own log may be gone."""
    data = entry.data
    if data is None or not data.agent_id or not isinstance(data.message, msgspec.Struct):
        return
    native_id = f"{reading.place.trunk}/{data.agent_id}"
    if native_id not in reading.threads:
        found = _side(reading, native_id, spot.offset)
        found.nested, found.kind = True, agents.kind(data.agent_id)
        lineage.descend(reading.relations, found, thread, entry.parent_tool_use_id)
    inner = lineage.unwrapped(entry, data.message)
    ts = millis(inner.timestamp)
    agent = reading.threads[native_id]
    threads.note(agent, [inner])
    threads.date(agent, ts)
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
