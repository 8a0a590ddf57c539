"""A transcript's lines in their order: each goes to its session, and becomes that session's rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import cast

import msgspec

from siphon.log import Block, Log
from siphon.records import Record, Relation, Tally
from siphon.sources._tally import tallies
from siphon.sources.claude_code import agents, lineage, results, said, skips, threads
from siphon.sources.claude_code.agents import Meta, Place
from siphon.sources.claude_code.entries import Entry, Turn, type_of
from siphon.sources.claude_code.mending import Mending, turns
from siphon.sources.claude_code.outline import (
    Outline,
    abandoned,
    add_prompt,
    extend,
    ids,
    mark,
    outline_of,
)
from siphon.sources.claude_code.spots import Spot, times_of
from siphon.sources.claude_code.threads import Thread
from siphon.times import millis

HELD = 32 << 20  # bytes of a log whose rows are held in memory
_TURNS = ("assistant", "user")
_BETWEEN = ("system", "attachment", "progress")


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
    """A transcript's records.

    Only a transcript's end tells which lines were left behind. So the rows of one that fits into memory
    are held until then; others are read twice, and so are forks.
    """
    rows = _held(log)
    return iter(rows) if rows is not None else _in_two_readings(log)


def _held(log: Log) -> list[Record] | None:
    """All records of a transcript that is small; None: it must be read otherwise."""
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    outline = Outline()
    reading = _begin(trial, outline, agents.first_session_id(trial))
    for block in trial.decoded(turns, reading.mending.line):
        columns = ids(block.values)
        extend(outline, block.offsets, *columns, block.values)
        if outline.originals or block.offsets[-1] >= HELD:
            return None
        _read(reading, block, *columns)
    _end(reading)
    mark(reading.out, outline)
    for problem in trial.problems:
        log.problem(*problem)
    log.counted[0] += trial.problem_count - len(trial.problems)
    reading.out += _tallies(reading)
    return reading.out


def _in_two_readings(log: Log) -> Iterator[Record]:
    outline = outline_of(log)
    reading = _begin(log, outline, next(iter(outline.session_ids), None))
    reading.abandoned, reading.plain = abandoned(outline), False
    reading.last_copy = outline.last_copy
    for block in log.decoded(turns, reading.mending.line):
        _read(reading, block, *ids(block.values))
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
    return tallies(+reading.counts, skips.READ, skips.SKIPS)


def _read(
    reading: Reading, block: Block[Turn], uuids: list[str | None], parents: list[str | None]
) -> None:
    # Every line comes here: what nearly all of them need is done column by column.
    log, place, trunk, entries = reading.log, reading.place, reading.trunk, block.values
    if reading.mending.dropped:
        _note_dropped(reading, block)
    times, known = times_of([entry.timestamp for entry in entries])
    spots: Iterator[Spot] = map(
        Spot, uuids, parents, times, block.offsets, map(len, block.rows), block.numbers, repeat(False)
    )
    if not reading.plain:
        spots = (_spot(reading, spot) for spot in spots)
    mixed = not trunk.side and True in [entry.is_sidechain for entry in entries]
    owners = _owners(reading, block, times) if mixed else repeat(trunk)
    if not mixed:
        threads.note(trunk, entries)
        threads.span(trunk, known)
    answered = asked = 0
    for thread, entry, spot, ts in zip(owners, entries, spots, times, strict=False):
        if ts is None and entry.timestamp is not None:
            log.problem(f"no time: {entry.timestamp!r:.60}", spot.number, spot.offset)
        kind = entry.type
        if kind == "assistant":
            answered += 1
            said.assistant(log, place, thread, entry, spot)
        elif kind == "user":
            asked += 1
            if said.user(log, place, thread, entry, spot) and reading.plain:
                add_prompt(reading.outline, entry)
        else:
            _other(reading, thread, cast("Entry", entry), spot)
    reading.counts["assistant"] += answered
    reading.counts["user"] += asked
    if not mixed and (answered or asked):
        trunk.talks = True


def _owners(reading: Reading, block: Block[Turn], times: list[int | None]) -> Iterator[Thread]:
    """The session of each line, some of which are a side chain's; it is found when it is asked for."""
    for offset, entry, ts in zip(block.offsets, block.values, times, strict=True):
        thread = _thread(reading, offset, entry) if entry.is_sidechain else reading.trunk
        threads.note(thread, [entry])
        threads.date(thread, ts)
        thread.talks = thread.talks or entry.type in _TURNS
        yield thread


def _other(reading: Reading, thread: Thread, entry: Entry, spot: Spot) -> None:
    """A line of another type than user and assistant."""
    kind = entry.type or "(none)"
    reading.counts[type_of(kind, entry)] += 1
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
