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

# The columns of each row after (session number); the writer knows the tables by these.
COLUMNS: dict[str, tuple[str, ...]] = {
    "messages": (
        "id",
        "seq",
        "native_id",
        "parent_native_id",
        "role",
        "kind",
        "ts",
        "model",
        "text",
        "request",
        "abandoned",
        "attachments",
        "identity",
        "offset",
        "length",
    ),
    "tool_calls": (
        "id",
        "message_id",
        "seq",
        "native_id",
        "name",
        "kind",
        "summary",
        "input",
        "output",
        "output_bytes",
        "status",
        "exit_code",
        "ts",
        "duration_ms",
        "lines_added",
        "lines_removed",
        "request",
        "abandoned",
        "identity",
        "offset",
        "length",
        "result_offset",
        "result_length",
    ),
    "file_touches": ("tool_call_id", "path", "action", "lines_added", "lines_removed"),
    "requests": (
        "seq",
        "native_id",
        "model",
        "ts",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "output_tokens",
        "reasoning_tokens",
        "web_searches",
        "cost_nanousd",
        "reported_nanousd",
        "price_id",
        "price_rule",
        "incomplete",
        "nested",
        "aggregate",
        "tier",
        "geo",
        "provider",
        "identity",
        "offset",
        "length",
    ),
    "relations": ("kind", "target_native_id", "call_native_id"),
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
    text = "\0".join(map(str, parts))
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
        self.messages_at = _Slots(self.base)
        self.calls_at = _Slots(self.base)
        self.message_ids: dict[tuple[int, int], int] = {}
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

    def _second(self, number: int, ts: int | None) -> int:
        """Seconds since 2020 that the row's id begins with; without a time, those of the row before."""
        if ts is None:
            ts = self.moments.get(number, EPOCH)
        else:
            self.moments[number] = ts
        return min(max(ts - EPOCH, 0) // 1000, 2**40)

    def _session(self, record: Session) -> None:
        values = (
            _text(record.title), record.kind, _text(record.agent), _text(record.project),
            _text(record.cwd), _text(record.git_branch), _repo(record.git_repo), record.version,
            record.entrypoint, _int(record.started_at), _int(record.ended_at), int(record.partial),
        )  # fmt: skip
        self.facts.append((self._number(record.native_id), values))

    def _message(self, record: Message) -> None:
        number = self._number(record.session)
        ts = _int(record.ts)
        key = self.messages_at.take(self._second(number, ts))
        self.message_ids[number, record.seq] = key
        text = _text(record.text)
        self.text_size += len(text or "") + 300
        if record.native_id is None:
            same = identity(self.source, record.session, record.seq, record.kind, text)
        else:
            same = identity(self.source, record.native_id)
        values = (
            key, record.seq, record.native_id, record.parent_native_id, record.role, record.kind,
            ts, record.model, text, record.request, int(record.abandoned), record.attachments, same,
            record.offset, record.length,
        )  # fmt: skip
        self.tables["messages"].append((number, values))

    def _tool_call(self, record: ToolCall) -> None:
        number = self._number(record.session)
        ts = _int(record.ts)
        key = self.calls_at.take(self._second(number, ts))
        self.call_ids[number, record.seq] = key
        output, size = _output(record)
        given = _json(record.input)
        self.text_size += len(output or "") + len(given or "") + 300
        if record.native_id is None:
            same = identity(self.source, record.session, record.seq, record.name, given)
        else:
            same = identity(self.source, record.native_id)
        message = self.message_ids.get((number, record.message_seq or -1))
        values = (
            key, message, record.seq, record.native_id, _text(record.name), record.kind,
            _text(record.summary), given, output, size, record.status, _int(record.exit_code), ts,
            _int(record.duration_ms), record.lines_added, record.lines_removed, record.request,
            int(record.abandoned), same, record.offset, record.length, record.result_offset,
            record.result_length,
        )  # fmt: skip
        self.tables["tool_calls"].append((number, values))

    def _file_touch(self, record: FileTouch) -> None:
        number = self._number(record.session)
        values = (
            self.call_ids.get((number, record.call_seq)), _text(record.path), record.action,
            record.lines_added, record.lines_removed,
        )  # fmt: skip
        if values[0] is not None:
            self.tables["file_touches"].append((number, values))

    def _request(self, record: Request) -> None:
        number = self._number(record.session)
        same = identity(self.source, record.native_id or (record.session, record.seq))
        counts = tuple(map(_int, record[5:12]))
        record = record._replace(ts=_int(record.ts))
        price = cost(self.prices, record)
        values = (
            record.seq, record.native_id, record.model, record.ts, *counts, price.cost_nanousd,
            _int(record.reported_nanousd), price.price_id, price.price_rule, int(record.incomplete),
            int(record.nested), int(record.aggregate), record.tier, record.geo, record.provider,
            same, record.offset, record.length,
        )  # fmt: skip
        self.tables["requests"].append((number, values))

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


class _Slots:
    """Ids within seconds: a log counts from its own base, so that two logs seldom meet."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.used: dict[int, int] = {}

    def take(self, second: int) -> int:
        count = self.used.get(second, 0)
        self.used[second] = count + 1
        return (second << SLOTS) + self.base + count


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
    return value if value is None or -_LARGEST <= value <= _LARGEST else None


def _output(record: ToolCall) -> tuple[str | None, int | None]:
    output, size = _text(record.output), record.output_bytes
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
