"""Records → rows: what a worker sends to the writer, by columns, ready for executemany.

A row names its session by the session's place in `Batch.sessions`' numbering (0, 1, …, by first
mention in the log); the writer puts the session's integer id in its place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from types import MethodType
from typing import Any, NamedTuple

from siphon.columns import (
    LARGEST,
    Column,
    begun,
    clean,
    fit,
    fitting,
    hashes,
    identity,
    jsons,
    number_of,
    outputs_kept,
    text_of,
)
from siphon.costs import costs
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
_YEARS = 40  # bits of the seconds in an id

Row = tuple[object, ...]

# The columns of each table after the session's number; the writer knows the tables by these. Beyond the
# ids they keep the records' order, so that most of a record's fields become columns in one piece.
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
    "title", "kind", "agent", "project", "cwd", "git_branch", "logged_repo", "version", "entrypoint",
    "started_at", "ended_at", "partial",
)  # fmt: skip


class Batch(NamedTuple):
    """Some rows of one log. `sessions` maps number → native id and grows; the rest comes in parts."""

    sessions: list[str]
    facts: list[tuple[int, Row]]  # session number, values of SESSION_COLUMNS
    tables: dict[str, list[Column]]  # by COLUMNS' keys: session numbers and columns; [] without rows
    problems: list[tuple[int | None, int | None, str]]
    tallies: list[tuple[str, str, int]]


@dataclass(slots=True, eq=False)
class _Course:
    """What a session's later rows take from its earlier ones."""

    second: int = 0  # since 2020, of the last time seen
    messages: dict[int | None, int] = field(default_factory=dict)  # seq → id
    calls: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _New:
    """Records that wait to become rows, and what could only be told as they came."""

    facts: list[tuple[int, Row]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    message_ids: list[int] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    call_ids: list[int] = field(default_factory=list)
    call_messages: list[int | None] = field(default_factory=list)
    touches: list[FileTouch] = field(default_factory=list)
    touched_by: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    problems: list[tuple[int | None, int | None, str]] = field(default_factory=list)
    tallies: list[tuple[str, str, int]] = field(default_factory=list)


class Rows:
    """Collects the rows of one log until `take` hands them on."""

    def __init__(self, source: str, log_key: str, prices: PriceTable) -> None:
        self.hash = begun(f"{source}\0")  # what all names of its records begin with
        self.prices = prices
        self.numbers: dict[str, int] = {}
        self.base = identity(log_key) % 3072  # leaves room to count upwards within the second
        self.courses: dict[str, _Course] = {}
        self.session: str | None = None  # of the last record
        self.course = _Course()
        self.message_keys: dict[int, int] = {}  # second → the next id's count
        self.call_keys: dict[int, int] = {}
        self.text_size = 0
        self.new = _New()

    def add(self, record: Record) -> None:
        _ADD[type(record)](self, record)

    def adders(self) -> dict[type, Callable[[Any], None]]:
        """As `add`, by type: for many records. Not kept here, or what is used up would not be freed."""
        return {kind: MethodType(add, self) for kind, add in _ADD.items()}

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._problem(problem)

    def take(self) -> Batch:
        """The rows collected since the last take."""
        new, self.new, self.text_size = self.new, _New(), 0
        tables = {
            "messages": self._messages(new) if new.messages else [],
            "tool_calls": self._tool_calls(new) if new.calls else [],
            "file_touches": self._file_touches(new) if new.touches else [],
            "requests": self._requests(new.requests) if new.requests else [],
            "relations": self._relations(new) if new.relations else [],
        }
        return Batch(list(self.numbers), new.facts, tables, new.problems, new.tallies)

    def _turn(self, session: str) -> None:
        """Go on with another session than that of the record before."""
        self.session = session
        course = self.courses.get(session)
        if course is None:
            self.numbers[session] = len(self.numbers)
            course = self.courses[session] = _Course()
        self.course = course

    def _key(self, used: dict[int, int], ts: int | None) -> int:
        """A new id. It begins with the seconds since 2020; without a time, with those of the row before.

        Within a second a log counts from its own base, so that two logs seldom meet.
        """
        course = self.course
        if ts is None:
            second = course.second
        else:
            second = (ts - EPOCH) // 1000
            if second >> _YEARS:  # also of negative ones
                second = _odd_second(ts, course.second)
            course.second = second
        count = used.get(second, self.base)
        used[second] = count + 1
        return (second << SLOTS) + count

    def _message(self, record: Message) -> None:
        if record[0] is not self.session:
            self._turn(record[0])
        new, text = self.new, record[4]
        key = self.course.messages[record[1]] = self._key(self.message_keys, record[5])
        new.messages.append(record)
        new.message_ids.append(key)
        self.text_size += 300 if text is None else len(text) + 300

    def _tool_call(self, record: ToolCall) -> None:
        if record[0] is not self.session:
            self._turn(record[0])
        new, course = self.new, self.course
        key = course.calls[record[1]] = self._key(self.call_keys, record[12])
        new.calls.append(record)
        new.call_ids.append(key)
        new.call_messages.append(course.messages.get(record[5]))
        self.text_size += len(record[7] or "") + len(record[8] or "") + 300

    def _file_touch(self, record: FileTouch) -> None:
        if record[0] is not self.session:
            self._turn(record[0])
        call = self.course.calls.get(record[1])
        if call is not None:
            self.new.touches.append(record)
            self.new.touched_by.append(call)

    def _request(self, record: Request) -> None:
        if record[0] is not self.session:
            self._turn(record[0])
        self.new.requests.append(record)

    def _relation(self, record: Relation) -> None:
        self._turn(record.session)
        self.new.relations.append(record)

    def _session(self, record: Session) -> None:
        values = (
            text_of(record.title), record.kind, text_of(record.agent), text_of(record.project),
            text_of(record.cwd), text_of(record.git_branch), _repo(record.git_repo), record.version,
            record.entrypoint, number_of(record.started_at), number_of(record.ended_at),
            int(record.partial),
        )  # fmt: skip
        self._turn(record.native_id)
        self.new.facts.append((self.numbers[record.native_id], values))

    def _problem(self, record: Problem) -> None:
        self.new.problems.append((record.line, record.offset, text_of(record.what) or ""))

    def _tally(self, record: Tally) -> None:
        self.new.tallies.append((text_of(record.type) or "", record.fate, record.n))

    def _numbered(self, sessions: Column) -> Column:
        return list(map(self.numbers.__getitem__, sessions))

    def _messages(self, new: _New) -> list[Column]:
        sessions, seqs, roles, kinds, texts, times, native_ids, *others = zip(*new.messages, strict=True)
        clean_texts = clean(texts)
        names = _names(native_ids, sessions, seqs, kinds, clean_texts)
        return [
            self._numbered(sessions), new.message_ids, seqs, roles, kinds, clean_texts, fitting(times),
            native_ids, *others, hashes(self.hash, names),
        ]  # fmt: skip

    def _tool_calls(self, new: _New) -> list[Column]:
        (
            sessions, seqs, tools, kinds, native_ids, _, summaries, inputs, outputs, sizes, status,
            codes, times, durations, *others,
        ) = zip(*new.calls, strict=True)  # fmt: skip
        given = jsons(inputs)
        names = _names(native_ids, sessions, seqs, tools, given)
        return [
            self._numbered(sessions), new.call_ids, new.call_messages, seqs, clean(tools), kinds,
            native_ids, clean(summaries), given, *outputs_kept(outputs, sizes), status,
            *map(fitting, (codes, times, durations)), *others, hashes(self.hash, names),
        ]  # fmt: skip

    def _file_touches(self, new: _New) -> list[Column]:
        sessions, _, paths, *others = zip(*new.touches, strict=True)
        return [self._numbered(sessions), new.touched_by, clean(paths), *others]

    def _requests(self, requests: list[Request]) -> list[Column]:
        columns: list[Column] = list(zip(*requests, strict=True))
        if not fit(chain(*columns[4:13])):
            columns[4:13] = map(fitting, columns[4:13])
        sessions, native_ids, seqs = columns[:3]
        names = [
            native_id or str((session, seq))
            for session, native_id, seq in zip(sessions, native_ids, seqs, strict=True)
        ]
        priced = zip(*costs(self.prices, columns), strict=True)
        return [self._numbered(sessions), *columns[1:], *priced, hashes(self.hash, names)]

    def _relations(self, new: _New) -> list[Column]:
        sessions, *others = zip(*new.relations, strict=True)
        return [self._numbered(sessions), *others]


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


def _names(native_ids: Column, *others: Column) -> list[str]:
    """What tells records apart: the names that the log gives them, else all of the other columns."""
    return [
        "\0".join(map(str, parts)) if native_id is None else native_id
        for native_id, parts in zip(native_ids, zip(*others, strict=True), strict=True)
    ]


def _repo(url: str | None) -> str | None:
    return None if url is None else normalise(url)


def _odd_second(ts: int, before: int) -> int:
    """Of a time before 2020, or after what an id can hold."""
    if abs(ts) > LARGEST:
        return before  # it is no time
    return 0 if ts < EPOCH else 2**_YEARS
