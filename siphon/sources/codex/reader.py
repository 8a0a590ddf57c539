"""A rollout's lines, each handed to what understands it, and the records that come of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, get_args

from siphon.log import Log
from siphon.records import Record
from siphon.sources._loose import stamp, text
from siphon.sources._tally import tallies
from siphon.sources.codex.billing import skip
from siphon.sources.codex.entries import Placed, entries, own_meta, unwrapped
from siphon.sources.codex.events import EVENTS, compacted, turn_context
from siphon.sources.codex.items import ITEMS
from siphon.sources.codex.lines import Common, Entry, Wrapped
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
_REMEMBERED = 64  # lines within which a repetition is looked for
_SHORT = 1 << 14  # bytes of a line that is remembered as it is
_SOME = 100  # rows that go on at once


class Known(NamedTuple):
    """What is known of a log before its lines are read."""

    thread_id: str
    whence: Origin
    copied: Replay
    call: str | None  # the tool call of its parent that started it


class Threads(NamedTuple):
    """The log's session, and its parent where the parent's own log is not held."""

    own: Thread
    parent: Thread | None


def records(log: Log) -> Iterator[Record]:
    """Everything in a log that was chosen among its twins; what a later rollback takes back is marked.

    So rows wait for the log's end. Those of a long log cannot: if it mentions a rollback, it is read
    once to learn of all, and once more.
    """
    trial = Log(log.home, log.host, log.path)
    trial.reads = log.reads
    meta, lines = own_meta(entries(trial))
    known = _known(log, meta)
    threads = _threads(known)
    reading = _read(trial, lines, known, threads)
    rows, all_held = _held(reading, threads)
    if all_held or not mentioned(log):
        _adopt(log, trial)
    else:
        rows, reading = [], _read(log, entries(log), known, _rolled_back(log, known))
    return chain(iter(rows), chain.from_iterable(reading))  # what is used up is let go


def _known(log: Log, meta: Entry | None) -> Known:
    thread_id = (text(meta.id) if meta else None) or name_id(log.stem)
    whence = origin(meta) if meta else Origin()
    held = {one: found(log, one) for one in (whence.copied, whence.parent) if one and one != thread_id}
    copied = replay(log, thread_id, meta, held.get(whence.copied or "")) if meta else Replay()
    parent = held.get(whence.parent or "")
    call = spawn_call(parent, whence.parent, thread_id) if parent and whence.parent else None
    if copied.guess:
        log.problem(copied.guess)
    return Known(thread_id, whence, copied, call)


def _threads(known: Known) -> Threads:
    copied = known.copied
    own = Thread(known.thread_id, copied=known.whence.forked is not None or copied.begins > 0)
    if copied.parent is None or copied.held:
        return Threads(own, None)
    return Threads(own, Thread(copied.parent, nested=True, copied=True, out=own.out))


def _held(reading: Iterable[Iterable[Record]], threads: Threads) -> tuple[list[Record], bool]:
    """The rows of a log's first HELD bytes, and whether they are all; if so, they are marked."""
    both = [thread for thread in threads if thread is not None]
    rows: list[Record] = []
    for some in reading:
        rows += some
        if max(thread.offset or 0 for thread in both) >= HELD:
            return rows, False
    for thread in both:
        if thread.rollbacks:
            mark(rows, thread)
    return rows, True


def _adopt(log: Log, trial: Log) -> None:
    """Take over a reading's problems, and those that it will still meet."""
    for problem in trial.problems:
        log.problem(*problem)
    log.counted[0] += trial.problem_count - len(trial.problems)
    trial.problems, trial.counted = log.problems, log.counted


def _rolled_back(log: Log, known: Known) -> Threads:
    """Read once to learn what later rollbacks take back, so that the next reading can mark it."""
    probe, threads = _threads(known), _threads(known)
    for _ in _lines(entries(Log(log.home, log.host, log.path)), probe, known.copied.begins, []):
        pass
    for learnt, thread in zip(probe, threads, strict=True):
        if learnt is not None and thread is not None:
            thread.rolled_back = tuple(learnt.rollbacks)
    return threads


def _read(
    log: Log, lines: Iterable[Placed], known: Known, threads: Threads
) -> Iterator[Iterable[Record]]:
    """The log's records, some at a time."""
    types: list[str] = []
    yield from _lines(lines, threads, known.copied.begins, types)
    if types:
        yield _rest(log, threads, known.call, types)


def _rest(log: Log, threads: Threads, call: str | None, types: list[str]) -> Iterator[Record]:
    """What is complete when the last line is read."""
    own, parent = threads
    if parent is not None and parent.seq:
        yield from _ended(log, parent, None)
    yield from _ended(log, own, call)
    yield from tallies(Counter(types), READ, SKIPS)


def _ended(log: Log, thread: Thread, call: str | None) -> Iterator[Record]:
    close(thread)
    yield from thread.out
    thread.out.clear()
    yield described(log, thread)
    yield from relations(thread, call)


def _lines(
    lines: Iterable[Placed], threads: Threads, begins: int, types: list[str]
) -> Iterator[list[Record]]:
    """Feed each line to the session it belongs to; yields what is complete, in a list used again.

    Each line's type goes to `types`: counting them at once takes a fifth of the time.

    Long because it is the hot loop: a call more for each line is felt.
    """
    own, parent = threads
    out = own.out
    recent: dict[tuple[object, ...], bytes | int] = {}
    stamped: Any = None
    ts: int | None = None
    for offset, data, entry in lines:
        payload: Payload
        if isinstance(entry, Wrapped):
            payload = entry.payload
            kind, once, handler = ROUTES[entry.type][payload.__class__]
        else:
            kind, payload = unwrapped(entry)
            once, handler = kind in _ONCE, HANDLERS.get(kind)
        if once and entry.timestamp is not None and _again(recent, entry.timestamp, data):
            types.append("duplicate")
            continue
        mine = own if offset >= begins or kind == "session_meta" else parent
        if mine is None:
            types.append("replay")
            _skimmed(own, kind, payload)
            continue
        types.append(kind)
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
        if len(out) >= _SOME:
            yield out
            out.clear()
    yield out
    out.clear()


def _again(recent: dict[tuple[object, ...], bytes | int], stamp: object, data: bytes) -> bool:
    """Whether the same bytes came a little before.

    They are compared only with those of the same time and length: a hash of all costs more.
    """
    line = data if len(data) < _SHORT else hash(data)
    key: tuple[object, ...] = (str(stamp), len(data))
    while (known := recent.get(key)) is not None:
        if known == line:
            return True
        key = (*key, None)
    recent[key] = line
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
