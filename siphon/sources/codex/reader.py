"""A rollout's lines, each handed to what understands it, and the records that come of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, get_args

import msgspec

from siphon.log import Line, Log
from siphon.records import Record
from siphon.sources._decode import found_at, typed
from siphon.sources._loose import stamp, text
from siphon.sources._tally import tallies
from siphon.sources.codex.billing import skip
from siphon.sources.codex.events import EVENTS, compacted, known_item, turn_context
from siphon.sources.codex.items import ITEMS
from siphon.sources.codex.lines import COMMON, DOCUMENT, ENTRY, WRAPPED, Common, Entry, Wrapped
from siphon.sources.codex.replay import Replay, found, replay, spawn_call
from siphon.sources.codex.rollbacks import mark, mentioned
from siphon.sources.codex.session import Origin, begin, described, name_id, origin, relations
from siphon.sources.codex.skips import SKIPS
from siphon.sources.codex.thread import Thread, close
from siphon.times import millis

Payload = Entry | Common
Handler = Callable[[Thread, Any], None]  # a payload of the type that it is for

HANDLERS: dict[str, Handler] = {
    "turn_context": turn_context,
    "compacted": compacted,
    **{f"response_item/{name}": handler for name, handler in ITEMS.items()},
    **{f"event_msg/{name}": handler for name, handler in EVENTS.items()},
}
READ = frozenset(HANDLERS) | {"session_meta"}

# Of these a repetition is no news, and no id betrays it.
_ONCE = frozenset(
    ("response_item/message", "response_item/reasoning", "response_item/web_search_call")
) | {f"event_msg/{name}" for name in ("user_message", "agent_message", "agent_reasoning", "error")}


# What a line's two types lead to: both as one, whether a repetition is left out, and the handler.
Route = tuple[str, bool, Handler | None]


def _route(kind: str, name: str) -> Route:
    full = f"{kind}/{name}"
    return full, full in _ONCE, HANDLERS.get(full)


ROUTES: dict[str, dict[type, Route]] = {
    kind: {payload: _route(kind, str(payload.__struct_config__.tag)) for payload in get_args(Common)}
    for kind in ("response_item", "event_msg")
}
HELD = 8 << 20  # bytes of a log whose rows are held in memory
_HEAD = 20  # lines among which a log's own session_meta stands
_REMEMBERED = 64  # lines within which a repetition is looked for


class Threads(NamedTuple):
    """The log's session, and its parent where the parent's own log is not held."""

    own: Thread
    parent: Thread | None


def records(log: Log) -> Iterator[Record]:
    """Everything in a log that was chosen among its twins."""
    meta = _meta(log)
    thread_id = (text(meta.id) if meta else None) or name_id(log.stem)
    whence = origin(meta) if meta else Origin()
    held = {one: found(log, one) for one in (whence.copied, whence.parent) if one and one != thread_id}
    copied = replay(log, thread_id, meta, held.get(whence.copied or "")) if meta else Replay()
    parent = held.get(whence.parent or "")
    call = spawn_call(parent, whence.parent, thread_id) if parent and whence.parent else None
    if copied.guess:
        log.problem(copied.guess)
    rows = _held(log, copied, _threads(thread_id, copied, whence), call)
    if rows is not None:
        yield from rows
        return
    threads = _threads(thread_id, copied, whence)
    if mentioned(log):
        threads = _rolled_back(log, copied, threads, _threads(thread_id, copied, whence))
    for some in _read(log, copied, threads, call):
        yield from some


def _held(log: Log, copied: Replay, threads: Threads, call: str | None) -> list[Record] | None:
    """All records of a log that is small; None: it must be read otherwise.

    A rollback tells of rows before it that they are abandoned, so rows wait for the log's end.
    """
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    both = [thread for thread in threads if thread is not None]
    rows: list[Record] = []
    for some in _read(trial, copied, threads, call):
        rows += some
        if max(thread.offset or 0 for thread in both) >= HELD:
            return None
    for thread in both:
        if thread.rollbacks:
            mark(rows, thread)
    for problem in trial.problems:
        log.problem(*problem)
    log.counted[0] += trial.problem_count - len(trial.problems)
    return rows


def _threads(thread_id: str, copied: Replay, whence: Origin) -> Threads:
    own = Thread(thread_id, copied=whence.forked is not None or copied.begins > 0)
    if copied.parent is None or copied.held:
        return Threads(own, None)
    return Threads(own, Thread(copied.parent, nested=True, copied=True))


def _rolled_back(log: Log, copied: Replay, probe: Threads, threads: Threads) -> Threads:
    """Read once to learn what later rollbacks take back, so that the next reading can mark it."""
    for _ in _lines(Log(log.home, log.host, log.path), probe, copied.begins, Counter()):
        pass
    for known, thread in zip(probe, threads, strict=True):
        if known is not None and thread is not None:
            thread.rolled_back = tuple(known.rollbacks)
    return threads


def _read(log: Log, copied: Replay, threads: Threads, call: str | None) -> Iterator[Iterable[Record]]:
    """The log's records, some at a time."""
    types: Counter[str] = Counter()
    yield from _lines(log, threads, copied.begins, types)
    if types:
        yield _rest(log, threads, call, types)


def _rest(log: Log, threads: Threads, call: str | None, types: Counter[str]) -> Iterator[Record]:
    """What is complete when the last line is read."""
    own, parent = threads
    if parent is not None and parent.seq:
        yield from _ended(log, parent, None)
    yield from _ended(log, own, call)
    yield from tallies(types, READ, SKIPS)


def _ended(log: Log, thread: Thread, call: str | None) -> Iterator[Record]:
    close(thread)
    yield from thread.out
    yield described(log, thread)
    yield from relations(thread, call)


def _lines(log: Log, threads: Threads, begins: int, types: Counter[str]) -> Iterator[list[Record]]:
    """Feed each line to the session it belongs to; yields what is complete.

    Long because it is the hot loop: a call more for each line is felt.
    """
    own, parent = threads
    recent: dict[int, None] = {}
    stamped: Any = None
    ts: int | None = None
    for line, entry in _entries(log):
        payload: Payload
        if isinstance(entry, Wrapped):
            payload = entry.payload
            kind, once, handler = ROUTES[entry.type][payload.__class__]
        else:
            kind, payload = _typed(entry)
            once, handler = kind in _ONCE, HANDLERS.get(kind)
        _, offset, data = line
        if once and entry.timestamp is not None and _again(recent, data):
            types["duplicate"] += 1
            continue
        mine = own if offset >= begins or kind == "session_meta" else parent
        if mine is None:
            types["replay"] += 1
            _skimmed(own, kind, payload)
            continue
        types[kind] += 1
        if stamped is None or entry.timestamp != stamped:
            stamped = entry.timestamp
            usual = isinstance(stamped, str)
            ts = millis(stamped) if usual else stamp(entry.created_at if stamped is None else stamped)
        mine.ts, mine.offset, mine.length = ts, offset, len(data)
        if handler is not None:
            handler(mine, payload)
            if mine is parent:
                own.running, own.last = parent.running, parent.last
        elif kind == "session_meta" and isinstance(payload, Entry):
            _met(own, parent, payload)
        if ts is not None:
            mine.ended_at = ts
        if mine.out:
            yield mine.out
            mine.out = []


def _typed(entry: Entry) -> tuple[str, Entry]:
    """A line's full type and its payload; lines without envelope are put in theirs."""
    kind, payload = entry.type, entry.payload
    if kind in ("response_item", "event_msg") and payload is not None:
        if payload.type == "item_completed" and payload.item and not known_item(payload.item):
            return f"{kind}/item_completed/{payload.item.type}", payload
        return f"{kind}/{payload.type}", payload
    if payload is not None and isinstance(kind, str):
        return kind, payload
    if entry.record_type is not None:
        return str(entry.record_type), entry
    if kind is None and entry.role is not None:
        return "response_item/message", entry
    if kind is None and entry.id is not None:
        return "session_meta", entry
    if kind in WRAPPED or not isinstance(kind, str):
        return str(kind), Entry()
    return f"response_item/{kind}", entry


def _again(recent: dict[int, None], data: bytes) -> bool:
    """Whether the same bytes came a little before."""
    key = hash(data)
    if key in recent:
        return True
    recent[key] = None
    if len(recent) > _REMEMBERED:
        del recent[next(iter(recent))]
    return False


def _met(own: Thread, parent: Thread | None, meta: Entry) -> None:
    """A session_meta: the first is the session's own, a later one that of a parent, or a repetition."""
    if own.meta is None:
        begin(own, meta, own.ts)
    elif parent is not None and parent.meta is None and meta.id == parent.native_id:
        begin(parent, meta, own.ts)


def _skimmed(thread: Thread, kind: str, payload: Any) -> None:
    """Take from a copied line what own lines continue: running totals, model, folder."""
    if kind == "turn_context":
        turn_context(thread, payload)
        thread.turn = None
    elif kind == "event_msg/token_count" and payload.info is not None:
        skip(thread, payload.info)


def _meta(log: Log) -> Entry | None:
    """The session's own session_meta: the first of the log."""
    again = Log(log.home, log.host, log.path)
    for number, (_, entry) in enumerate(_parts(again) if _whole(log) else again.first(ENTRY)):
        kind, payload = _typed(entry)
        if kind == "session_meta":
            return payload
        if number > _HEAD:
            break
    return None


def _whole(log: Log) -> bool:
    """Whether the log is one document."""
    return log.path.endswith(".json")


def _entries(log: Log) -> Iterator[tuple[Line, Wrapped | Entry]]:
    """The lines; of a single document its parts."""
    if _whole(log):
        return _parts(log)
    return log.either(_value, ENTRY.decode)


def _value(data: bytes) -> Wrapped | Entry:
    try:
        return COMMON.decode(data)
    except msgspec.ValidationError:  # one of the rarer types, or an old form
        return ENTRY.decode(data)


def _parts(log: Log) -> Iterator[tuple[Line, Entry]]:
    document = log.json(DOCUMENT)
    if document is None:
        return
    if document.session is not None:
        yield Line(1, 0, b""), Entry(type="session_meta", payload=document.session)
    data, at = log.data(), 0
    for raw in document.items:
        part = bytes(raw)
        at = max(found_at(data, part, at), at)
        line = Line(1, at, part)
        entry = typed(log, part, ENTRY, line)
        if entry is not None:
            yield line, entry
