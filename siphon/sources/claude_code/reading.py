"""A transcript's lines in their order: each goes to its session, and becomes that session's rows."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import msgspec

from siphon.log import Line, Log
from siphon.records import Record, Relation, Tally
from siphon.sources._tally import tallies
from siphon.sources.claude_code import agents, lineage, results, said, skips, threads
from siphon.sources.claude_code.agents import Meta, Place
from siphon.sources.claude_code.entries import Entry, Mending
from siphon.sources.claude_code.outline import Outline, abandoned, add, is_plain, outline_of
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.threads import Thread
from siphon.times import millis

HELD = 32 << 20  # bytes of a log whose rows are held in memory
_TALK = frozenset(("user", "assistant", "system", "attachment", "progress"))
_EARLIEST, _LATEST = 1_577_836_800_000, 4_102_444_800_000  # 2020 and 2100: other times are damage


@dataclass(slots=True)
class Reading:
    log: Log
    outline: Outline
    place: Place
    abandoned: set[str]  # uuids
    trunk: Thread
    out: list[Record]
    threads: dict[str, Thread]  # by native id
    side_of: dict[str, Thread] = field(default_factory=dict)  # a side chain's lines by uuid
    relations: dict[str, Relation] = field(default_factory=dict)  # by session
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    summaries: list[tuple[str, str]] = field(default_factory=list)  # leaf's uuid, text
    meta: Meta | None = None


def parse(log: Log) -> Iterator[Record]:
    """Yield a transcript's records.

    Most transcripts are plain: nothing in them was left behind or copied. That shows only at their
    end, so the rows of one that fits into memory are held until then; the others are read twice.
    """
    rows = _at_once(log)
    yield from rows if rows is not None else _in_two_readings(log)


def _at_once(log: Log) -> list[Record] | None:
    """All records of a transcript that is small and plain; None: it must be read otherwise."""
    if _size(log) > HELD:
        return None
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    outline = Outline()
    reading = _begin(trial, outline, agents.first_session_id(trial))
    for line, entry in _entries(trial):
        add(outline, entry)
        _read(reading, line, entry)
    if not is_plain(outline):
        return None
    _end(reading)
    for problem in trial.problems:
        log.problem(*problem)
    log.problem_count += trial.problem_count - len(trial.problems)
    return [*reading.out, *_tallies(reading)]


def _in_two_readings(log: Log) -> Iterator[Record]:
    outline = outline_of(log)
    reading = _begin(log, outline, next(iter(outline.session_ids), None))
    for line, entry in _entries(log):
        _read(reading, line, entry)
        if reading.out:
            yield from reading.out
            reading.out.clear()
    _end(reading)
    yield from reading.out
    yield from _tallies(reading)


def _size(log: Log) -> int:
    with log.open() as file:
        return file.seek(0, io.SEEK_END)


def _entries(log: Log) -> Iterator[tuple[Line, Entry]]:
    mending = Mending()
    decoder = cast("msgspec.json.Decoder[Entry]", mending)  # all that `objects` asks of it is `decode`
    for line, entry in log.objects(decoder):
        if mending.dropped:
            for dropped in mending.dropped:
                log.problem(f"{dropped}: dropped", line.number, line.offset)
            mending.dropped.clear()
        yield line, entry


def _begin(log: Log, outline: Outline, first_session_id: str | None) -> Reading:
    place = agents.place_of(log, first_session_id)
    out: list[Record] = []
    trunk = Thread(place.native_id, out)
    threads = {place.native_id: trunk}
    reading = Reading(log, outline, place, abandoned(outline), trunk, out, threads)
    if agents.is_agent_file(log):
        trunk.side = True
        trunk.kind = agents.kind(place.agent_id or "")
        reading.meta = agents.meta_of(log)
    return reading


def _tallies(reading: Reading) -> Iterator[Tally]:
    counts = {f"{kind}/{part}" if part else kind: n for (kind, part), n in reading.counts.items()}
    return tallies(counts, skips.READ, skips.SKIPS)


def _read(reading: Reading, line: Line, entry: Entry) -> None:
    kind = entry.type or "(none)"
    reading.counts[kind, _part(kind, entry)] += 1
    thread = _thread(reading, line, entry)
    ts = None if entry.timestamp is None else _time(reading, line, entry)
    threads.note(thread, entry, ts)
    if kind not in _TALK:
        _aside(reading, thread, line, entry, ts)
        return
    thread.lines += 1
    if kind == "progress" and (entry.data is None or entry.data.message is None):
        return  # a sign of life: by far the most frequent line
    spot = _spot(reading, line, entry, ts)
    match kind:
        case "assistant":
            said.assistant(reading.log, reading.place, thread, entry, spot)
        case "user":
            said.user(reading.log, reading.place, thread, entry, spot)
        case "attachment" if entry.attachment is not None:
            said.attachment(thread, entry, entry.attachment, spot)
        case "system":
            said.system(thread, entry, spot)
        case "progress":
            _sighting(reading, line, thread, entry, spot)


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


def _part(kind: str, entry: Entry) -> str | None:
    """The second half of a type's name in the tally."""
    match kind:
        case "user" | "assistant":
            return None
        case "system":
            return entry.subtype or "(none)"
        case "attachment":
            return (entry.attachment.type if entry.attachment is not None else None) or "(none)"
        case "progress":
            return (entry.data.type if entry.data is not None else None) or "(none)"
        case "queue-operation":
            return entry.operation or "(none)"
    return None


def _thread(reading: Reading, line: Line, entry: Entry) -> Thread:
    """The session that a line belongs to: side chains in a main transcript are sessions of their own."""
    if not entry.is_sidechain or reading.trunk.side:
        return reading.trunk
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


def _time(reading: Reading, line: Line, entry: Entry) -> int | None:
    ts = millis(entry.timestamp)
    if ts is None or not _EARLIEST <= ts < _LATEST:
        reading.log.problem(f"no time: {entry.timestamp!r:.60}", line.number, line.offset)
        return None
    return ts


def _spot(reading: Reading, line: Line, entry: Entry, ts: int | None) -> Spot:
    originals, uuid, parent = reading.outline.originals, entry.uuid, entry.parent_uuid
    if originals:
        uuid = originals.get(uuid or "", uuid)
        parent = originals.get(parent or "", parent)
        if entry.uuid == reading.outline.last_copy:
            ts = None  # the time of forking, not the original's
    left = entry.uuid in reading.abandoned
    return Spot(uuid, parent, ts, line.offset, len(line.data), line.number, left)


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
    agent.lines += 1
    nested = spot._replace(native_id=inner.uuid, parent=None, ts=ts)
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
        if thread.lines or thread.last:
            reading.out.append(threads.session(thread))
            if thread.native_id in reading.relations:
                reading.out.append(reading.relations[thread.native_id])
