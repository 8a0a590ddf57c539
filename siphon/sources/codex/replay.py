"""The boundary between lines copied from a parent and a session's own.

A fork begins with a copy of its parent's lines; a subagent does so only where it was given the history,
which its second session_meta, the parent's, betrays. The envelope's times may be rewritten.

The first own line is the first task_started or turn_context whose turn the parent does not know. Where
the parent is not held: whose turn is younger than the session itself (both ids being UUIDv7, which hold
their time). Where turns have no ids: the first line that the parent's log does not hold too; and if the
parent is not held either, the first line that is neither older than the session nor written in the same
second as the copied session_meta. This last way is a guess, and said to be one.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.sources._loose import mapping, stamp, text
from siphon.sources._text import unique
from siphon.sources.codex.lines import BARE, ENTRY, MARK, Entry, Mark
from siphon.sources.codex.outcome import of_output
from siphon.sources.codex.session import made_at, origin, root
from siphon.sources.codex.twins import rank

_META = re.compile(rb'"session_meta"')
_TURN = re.compile(rb'"t(?:urn_context|ask_started|urn_started)"')
_ANY = re.compile(b"")
_END = 1 << 62
_HEAD = 50  # lines among which a copied session_meta stands


class Replay(NamedTuple):
    """Where own lines begin (0: nothing is copied), and what it rests on."""

    begins: int = 0
    parent: str | None = None
    held: bool = True  # the parent's own log is there
    guess: str | None = None


def replay(log: Log, thread_id: str, meta: Entry, parent: Log | None) -> Replay:
    """Find the boundary; `parent` is the log of `origin(meta).copied`, None where it is not held."""
    whence = origin(meta)
    parent_id = whence.copied
    if parent_id is None or parent_id == thread_id:
        return Replay()
    copied = _copied_meta(log, parent_id)
    if whence.forked is None and copied is None:
        return Replay()
    begins, named = _by_turns(log, _is_own(thread_id, parent))
    if named:
        return Replay(begins, parent_id, parent is not None)
    if parent is not None:
        return Replay(_by_lines(log, parent), parent_id)
    begins = _by_times(log, stamp(meta.timestamp), copied)
    guess = f"lines copied from {parent_id}, which is not held, were told from own ones by their times"
    return Replay(begins, parent_id, False, guess if begins else None)


def found(log: Log, native_id: str) -> Log | None:
    """The log of another session of the same tool, wherever it lies; looking in vain is remembered."""
    if not native_id.replace("-", "").replace("_", "").isalnum():
        return None
    up = "../" * (len(log.parts) - 1 - len(PurePosixPath(root(log)).parts))
    name = f"rollout-*{native_id}.jsonl*"
    paths = log.glob(f"{up}sessions/**/{name}") + log.glob(f"{up}archived_sessions/**/{name}")
    for path in sorted(paths, key=rank):
        if path != log.path and log.at(path) is not None:
            return Log(log.home, log.host, path)  # its problems are its own log's matter
    return None


def _copied_meta(log: Log, parent_id: str) -> Mark | None:
    for number, (_, mark) in enumerate(_marks(log, _META)):
        if mark.type == "session_meta" and mark.payload and mark.payload.id == parent_id:
            return mark
        if number > _HEAD:
            break
    return None


def _marks(log: Log, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, Mark]]:
    """Offset and mark of the lines that hold the pattern, but those that do not decode."""
    holds = pattern.search
    for _, offset, rows in Log(log.home, log.host, log.path).blocks():
        for row in rows:
            if holds(row):
                mark = _mark(row if offset else row.removeprefix(b"\xef\xbb\xbf"))
                if mark is not None:
                    yield offset, mark
            offset += len(row) + 1


def _mark(row: bytes) -> Mark | None:
    try:
        return MARK.decode(row.strip(b"\0 \t\r"))
    except (ValueError, RecursionError):
        return None  # the reading that follows reports it


def _turns(log: Log) -> Iterator[tuple[int, str]]:
    """Offset and turn of each line that names the turn it begins."""
    for offset, mark in _marks(log, _TURN):
        payload = mark.payload
        if payload is None or not text(payload.turn_id):
            continue
        if mark.type == "turn_context" or payload.type in ("task_started", "turn_started"):
            yield offset, payload.turn_id


def _is_own(thread_id: str, parent: Log | None) -> Callable[[str], bool | None]:
    """Whether a turn is the session's own; None: its id does not tell."""
    if parent is not None:
        known = {turn for _, turn in _turns(parent)}
        return lambda turn: turn not in known
    born = made_at(thread_id)

    def younger(turn: str) -> bool | None:
        made = made_at(turn)
        return None if born is None or made is None else made >= born

    return younger


def _by_turns(log: Log, is_own: Callable[[str], bool | None]) -> tuple[int, bool]:
    """Where the first own turn begins, and whether turns could tell."""
    named = False
    for offset, turn in _turns(log):
        own = is_own(turn)
        if own:
            return offset, True
        named = named or own is not None
    return _END, named


def _by_lines(log: Log, parent: Log) -> int:
    """Where the first line stands that the parent's log does not hold."""
    known = {key for _, key in _keys(parent)}
    for number, (line, key) in enumerate(_keys(log)):
        if number and key not in known:
            return line.offset
    return _END


def _keys(log: Log) -> Iterator[tuple[Line, int]]:
    """A hash of each line's type and payload: what a copy keeps."""
    for line in Log(log.home, log.host, log.path).lines():
        try:
            bare = BARE.decode(line.data)
        except (ValueError, RecursionError):
            continue  # the reading that follows reports it
        yield line, hash((str(bare.type), bytes(bare.payload)))


def _by_times(log: Log, born: int | None, copied: Mark | None) -> int:
    burst = stamp(copied.timestamp) if copied else None
    last = None
    for number, (offset, mark) in enumerate(_marks(log, _ANY)):
        ts = stamp(mark.timestamp)
        old = ts is None or (born is not None and ts < born)
        same = ts is not None and burst is not None and ts // 1000 == burst // 1000
        if number and not old and not same:
            return offset if last else 0
        last = number
    return _END


def spawn_call(parent: Log, parent_id: str, thread_id: str) -> str | None:
    """The native id of the parent's tool call that started this session."""
    needle = thread_id.encode()
    rows = (row for _, _, rows in parent.blocks() for row in rows if needle in row)
    for row in rows:
        try:
            entry = ENTRY.decode(row.strip(b"\0 \t\r"))
        except (ValueError, RecursionError):
            continue  # the parent's own reading reports it
        call_id = _starting(entry.payload or entry, thread_id)
        if call_id is not None:
            return unique(parent_id, call_id)
    return None


def _starting(payload: Entry, thread_id: str) -> str | None:
    match payload.type:
        case "function_call_output":
            output = of_output(payload.output).text or ""
            ids = _ids(output) if thread_id in output else []
            return text(payload.call_id) if thread_id in ids else None
        case "collab_agent_spawn_end":
            return text(payload.call_id) if payload.new_thread_id == thread_id else None
        case "sub_agent_activity" if payload.kind == "started":
            return text(payload.event_id) if payload.agent_thread_id == thread_id else None
    return None


def _ids(output: str) -> list[Any]:
    """The ids that spawn_agent's JSON output names."""
    try:
        answer = mapping(msgspec.json.decode(output))
    except (ValueError, RecursionError):
        return []
    return [answer.get(key) for key in ("agent_id", "thread_id", "new_thread_id")]
