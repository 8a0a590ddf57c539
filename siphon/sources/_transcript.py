"""A session's rows while its log is read: gives out seq, keeps the rows in order, knows their span."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from siphon.records import FileTouch, Message, Record, Request, ToolCall
from siphon.sources._text import line

TITLE = 120  # characters of a first prompt that serve as title
# What frames a prompt and says nothing of it: a template's field mark, a heading's hashes.
_FRAME = re.compile(r"\A(?:\s*\[\[ ## \w+ ## \]\])*\s*(?:#{1,6}[ \t]+)?")


@dataclass(slots=True)
class Transcript:
    """Rows of one session, by seq; a row put again under its seq replaces the former."""

    native_id: str
    rows: dict[int, Message | ToolCall] = field(default_factory=dict)
    asked: dict[int, Any] = field(default_factory=dict)  # the arguments of calls, by seq
    touches: list[FileTouch] = field(default_factory=list)
    requests: dict[str | int, Request] = field(default_factory=dict)
    last: int = -1
    started_at: int | None = None
    ended_at: int | None = None
    _told: set[int] = field(default_factory=set, init=False)

    def seq(self) -> int:
        """The next position."""
        self.last += 1
        return self.last

    def saw(self, ts: int | None) -> None:
        """Widen the session's span to a time the log names."""
        if ts is None:
            return
        if self.started_at is None or ts < self.started_at:
            self.started_at = ts
        if self.ended_at is None or ts > self.ended_at:
            self.ended_at = ts

    def put(self, row: Message | ToolCall) -> int:
        """Add or replace a row; returns its seq."""
        self.rows[row.seq] = row
        self.saw(row.ts)
        return row.seq

    def ask(self, row: ToolCall, given: Any) -> int:
        """Add a call with the arguments that its input was made of; returns its seq."""
        mere = isinstance(given, dict) or row.input is None
        self.asked[row.seq] = given if mere else msgspec.json.decode(row.input or "null")
        return self.put(row)

    def touched(self, seq: int, found: Iterable[FileTouch]) -> None:
        """The files that a call touched, instead of what was told of it before."""
        if seq in self._told:
            self.touches = [touch for touch in self.touches if touch.call_seq != seq]
        self._told.add(seq)
        self.touches += found

    def call(self, seq: int) -> ToolCall | None:
        """The tool call at a position, if there is one."""
        row = self.rows.get(seq)
        return row if isinstance(row, ToolCall) else None

    def bill(self, request: Request) -> None:
        """Add a request, or raise the usage of the one with its id to the field-wise maximum."""
        key = request.seq if request.native_id is None else request.native_id
        known = self.requests.get(key)
        self.requests[key] = request if known is None else merged(known, request)

    def first_prompt(self) -> str | None:
        """The first prompt's first line: a title, where the log gives none. A subagent's is its task."""
        said = [row for row in self.rows.values() if isinstance(row, Message) and row.text]
        prompts = [row for row in said if row.kind == "prompt"]
        tasks = [row for row in said if row.kind == "notice" and row.role == "user"]
        return next((_title(row.text or "") for row in (*prompts, *tasks)), None)

    def records(self) -> Iterator[Record]:
        """All rows: messages and calls by seq, then the files touched, then the requests."""
        for seq in sorted(self.rows):
            yield self.rows[seq]
        for touch in self.touches:
            if touch.call_seq in self.rows:
                yield touch
        yield from self.requests.values()


def merged(first: Request, again: Request) -> Request:
    """The first sighting of a request with the field-wise maximum of both usages."""
    return first._replace(
        input_tokens=_larger(first.input_tokens, again.input_tokens),
        cache_read_tokens=_larger(first.cache_read_tokens, again.cache_read_tokens),
        cache_write_tokens=_larger(first.cache_write_tokens, again.cache_write_tokens),
        cache_write_1h_tokens=_larger(first.cache_write_1h_tokens, again.cache_write_1h_tokens),
        output_tokens=_larger(first.output_tokens, again.output_tokens),
        reasoning_tokens=_larger(first.reasoning_tokens, again.reasoning_tokens),
        web_searches=_larger(first.web_searches, again.web_searches),
        reported_nanousd=_larger(first.reported_nanousd, again.reported_nanousd),
        model=first.model or again.model,
        ts=again.ts if first.ts is None else first.ts,
        incomplete=first.incomplete and again.incomplete,
    )


def _larger(one: int | None, other: int | None) -> int | None:
    return max((n for n in (one, other) if n is not None), default=None)


def _title(text: str) -> str | None:
    return line(_FRAME.sub("", text, count=1), TITLE) or line(text, TITLE)
