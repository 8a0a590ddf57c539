"""Records → rows: what a worker sends to the writer. Plain tuples, ready for executemany.

A row names its session by the session's place in `Batch.sessions`' numbering (0, 1, …, by first
mention in the log); the writer puts the session's integer id in its place.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from siphon.costs import cost
from siphon.price_table import PriceTable
from siphon.records import (
    FileTouch,
    Message,
    Problem,
    Record,
    Relation,
    Request,
    Session,
    Tally,
    ToolCall,
)
from siphon.repos import normalise

EPOCH = 1_577_836_800_000  # 2020-01-01 in UTC ms: ids count seconds from here
SLOTS = 12  # bits of an id below its second
OUTPUT_KEPT = 256 * 1024  # characters of a tool's output; of a longer one head and tail
_LARGEST = 2**63 - 1

Row = tuple[object, ...]

# The columns of each row after (session number); the writer knows the tables by these. Beyond the ids
# they keep the records' order, so that most of a record becomes a row in one piece.
COLUMNS: dict[str, tuple[str, ...]] = {
    "messages": ("id", *Message._fields[1:], "identity"),
    "tool_calls": (
        "id",
        "message_id",
        *(name for name in ToolCall._fields[1:] if name != "message_seq"),
        "identity",
    ),
    "file_touches": ("tool_call_id", *FileTouch._fields[2:]),
    "requests": (*Request._fields[1:], "cost_nanousd", "price_id", "price_rule", "identity"),
    "relations": Relation._fields[1:],
}
SESSION_COLUMNS = (
    "title",
    "kind",
    "agent",
    "project",
    "cwd",
    "git_branch",
    "logged_repo",
    "version",
    "entrypoint",
    "started_at",
    "ended_at",
    "partial",
)


class Batch(NamedTuple):
    """Some rows of one log. `sessions` maps number → native id and grows; the rest comes in parts."""

    sessions: list[str]
    facts: list[tuple[int, Row]]  # session number, values of SESSION_COLUMNS
    tables: dict[str, list[tuple[int, Row]]]  # by COLUMNS' keys: session number, values
    problems: list[tuple[int | None, int | None, str]]
    tallies: list[tuple[str, str, int]]


def identity(*parts: object) -> int:
    """63-bit hash, the same on every machine."""
    return _hash("\0".join(map(str, parts)))


def _hash(text: str) -> int:
    digest = blake2b(text.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


class Rows:
    """Collects the rows of one log until `take` hands them on."""

    def __init__(self, source: str, log_key: str, prices: PriceTable) -> None:
        self.source = source
        self.prices = prices
        self.numbers: dict[str, int] = {}
        self.base = identity(log_key) % 3072  # leaves room to count upwards within the second
        self.moments: dict[int, int] = {}  # session number → last time seen
        self.message_keys: dict[int, int] = {}  # second → the next id's count
        self.call_keys: dict[int, int] = {}
        self.message_ids: dict[tuple[int, int], int] = {}  # by session number and seq
        self.call_ids: dict[tuple[int, int], int] = {}
        self.text_size = 0
        self._fresh()

    def _fresh(self) -> None:
        self.facts: list[tuple[int, Row]] = []
        self.tables: dict[str, list[tuple[int, Row]]] = {name: [] for name in COLUMNS}
        self.problems: list[tuple[int | None, int | None, str]] = []
        self.tallies: list[tuple[str, str, int]] = []
        self.text_size = 0

    def take(self) -> Batch:
        """The rows collected since the last take."""
        batch = Batch(list(self.numbers), self.facts, self.tables, self.problems, self.tallies)
        self._fresh()
        return batch

    def add(self, record: Record) -> None:
        _ADD[type(record)](self, record)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._problem(problem)

    def _number(self, native_id: str) -> int:
        number = self.numbers.get(native_id)
        if number is None:
            number = self.numbers[native_id] = len(self.numbers)
        return number

    def _key(self, used: dict[int, int], number: int, ts: int | None) -> int:
        """A new id. It begins with the seconds since 2020; without a time, with those of the row before.

        Within a second a log counts from its own base, so that two logs seldom meet.
        """
        if ts is None:
            ts = self.moments.get(number, EPOCH)
        else:
            self.moments[number] = ts
        second = min((ts - EPOCH) // 1000, 2**40) if ts > EPOCH else 0
        count = used.get(second, self.base)
        used[second] = count + 1
        return (second << SLOTS) + count

    def _session(self, record: Session) -> None:
        values = (
            _text(record.title), record.kind, _text(record.agent), _text(record.project),
            _text(record.cwd), _text(record.git_branch), _repo(record.git_repo), record.version,
            record.entrypoint, _int(record.started_at), _int(record.ended_at), int(record.partial),
        )  # fmt: skip
        self.facts.append((self._number(record.native_id), values))

    def _message(self, record: Message) -> None:
        session, seq, _, kind, text, ts, native_id = record[:7]
        number = self._number(session)
        if (text is not None and "\0" in text) or (ts is not None and abs(ts) > _LARGEST):
            text, ts = _text(text), _int(ts)
            record = record._replace(text=text, ts=ts)
        key = self.message_ids[number, seq] = self._key(self.message_keys, number, ts)
        self.text_size += len(text or "") + 300
        if native_id is None:
            same = identity(self.source, session, seq, kind, text)
        else:
            same = _hash(f"{self.source}\0{native_id}")
        self.tables["messages"].append((number, (key, *record[1:], same)))

    def _tool_call(self, record: ToolCall) -> None:
        if _too_large(record[11:14]):
            code, ts, duration = map(_int, record[11:14])
            record = record._replace(exit_code=code, ts=ts, duration_ms=duration)
        session, seq, name, _, native_id, message_seq, summary, given, output, size, *_, ts = record[:13]
        number = self._number(session)
        key = self.call_ids[number, seq] = self._key(self.call_keys, number, ts)
        message = None if message_seq is None else self.message_ids.get((number, message_seq))
        output, size = _output(output, size)
        given = _json(given)
        self.text_size += len(output or "") + len(given or "") + 300
        if native_id is None:
            same = identity(self.source, session, seq, name, given)
        else:
            same = _hash(f"{self.source}\0{native_id}")
        values = (
            key, message, seq, _text(name), *record[3:5], _text(summary), given, output, size,
            *record[10:], same,
        )  # fmt: skip
        self.tables["tool_calls"].append((number, values))

    def _file_touch(self, record: FileTouch) -> None:
        number = self._number(record.session)
        call = self.call_ids.get((number, record.call_seq))
        if call is not None:
            values = (call, _text(record.path), *record[3:])
            self.tables["file_touches"].append((number, values))

    def _request(self, record: Request) -> None:
        if _too_large(record[4:13]):
            record = Request._make((*record[:4], *map(_int, record[4:13]), *record[13:]))
        named = record.native_id
        same = (
            _hash(f"{self.source}\0{named}")
            if named
            else identity(self.source, (record.session, record.seq))
        )
        values = (*record[1:], *cost(self.prices, record), same)
        self.tables["requests"].append((self._number(record.session), values))

    def _relation(self, record: Relation) -> None:
        values = (record.kind, record.target_native_id, record.call_native_id)
        self.tables["relations"].append((self._number(record.session), values))

    def _problem(self, record: Problem) -> None:
        self.problems.append((record.line, record.offset, _text(record.what) or ""))

    def _tally(self, record: Tally) -> None:
        self.tallies.append((_text(record.type) or "", record.fate, record.n))


_ADD: dict[type, Callable[[Rows, Any], None]] = {
    Session: Rows._session,
    Message: Rows._message,
    ToolCall: Rows._tool_call,
    FileTouch: Rows._file_touch,
    Request: Rows._request,
    Relation: Rows._relation,
    Problem: Rows._problem,
    Tally: Rows._tally,
}


def _text(text: str | None) -> str | None:
    """SQLite's functions end a text at NUL, so that what follows would be lost to search."""
    if text is not None and "\0" in text:
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text


def _json(text: str | None) -> str | None:
    """JSON text without needless escapes: a word with \\u00e9 in it would not be found."""
    if text is None or "\\u" not in text:
        return _text(text)
    try:
        return msgspec.json.encode(msgspec.json.decode(text)).decode()
    except (msgspec.DecodeError, RecursionError):
        return _text(text)


def _repo(url: str | None) -> str | None:
    return None if url is None else normalise(url)


def _int(value: int | None) -> int | None:
    """What SQLite can hold."""
    return value if value is None or -_LARGEST <= value <= _LARGEST else None


def _too_large(values: tuple[int | None, ...]) -> bool:
    """Whether SQLite may not be able to hold one of them."""
    return sum(map(abs, filter(None, values))) > _LARGEST


def _output(output: str | None, size: int | None) -> tuple[str | None, int | None]:
    output = _text(output)
    if output is None:
        return None, size
    if size is None:
        size = len(output) if output.isascii() else len(output.encode(errors="replace"))
    if len(output) > OUTPUT_KEPT:
        half = OUTPUT_KEPT // 2
        cut = len(output) - 2 * half
        output = (
            f"{output[:half]}\n[… {cut} characters left out; the archive has them …]\n{output[-half:]}"
        )
    return output, size
