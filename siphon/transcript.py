"""A session's transcript in the order of its log: windows of records, turns, and what each turn cost."""

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

WINDOW = 200  # records on a page
OUTLINE_TEXT = 300  # characters of a prompt that the outline gets

# What each density shows: message kinds, and whether tool calls.
_SAID = ("prompt", "command", "reply", "summary", "error")
_DONE = (*_SAID, "thinking", "notice", "tool_result")
DENSITIES: dict[str, tuple[tuple[str, ...], bool]] = {
    "prompts": (("prompt", "command"), False),
    "conversation": (_SAID, False),
    "tools": (_DONE, True),
    "all": ((*_DONE, "meta"), True),
}
USUAL = "tools"


class Text(NamedTuple):
    """A message. `copied`: it was first said in another session, whose uid stands in `origin`."""

    seq: int
    native_id: str | None
    role: str
    kind: str
    ts: int | None
    model: str | None
    text: str | None
    abandoned: bool
    attachments: tuple[dict[str, Any], ...]
    origin: str | None
    origin_seq: int | None
    raw: bool  # the archive has its raw record


class Touch(NamedTuple):
    """A file that a call read or changed."""

    path: str
    action: str
    lines_added: int | None
    lines_removed: int | None


class Call(NamedTuple):
    """A tool call. `input` is JSON."""

    seq: int
    native_id: str | None
    name: str
    kind: str
    summary: str | None
    input: str | None
    output: str | None
    output_bytes: int | None
    status: str
    exit_code: int | None
    ts: int | None
    duration_ms: int | None
    lines_added: int | None
    lines_removed: int | None
    abandoned: bool
    origin: str | None
    origin_seq: int | None
    raw: bool
    files: tuple[Touch, ...]


Entry = Text | Call


class Heading(NamedTuple):
    """A prompt, or a command, as the outline lists it."""

    seq: int
    kind: str
    ts: int | None
    text: str  # its beginning
    abandoned: bool


class Usage(NamedTuple):
    """What the requests of a stretch came to; copies, billed in another session, are left out."""

    requests: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int | None = None
    unpriced: int = 0
    incomplete: int = 0
    copies: int = 0
    context_tokens: int | None = None  # what the last request sent

    @property
    def tokens(self) -> int:
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
            + self.cache_write_1h_tokens
            + self.output_tokens
        )

    @property
    def cost_usd(self) -> float | None:
        return None if self.cost_nanousd is None else self.cost_nanousd / 1e9


class Turn(NamedTuple):
    """A prompt and what followed it. `seq` is where it begins; entries are those of the window."""

    seq: int
    heading: Heading | None  # None: before the first prompt
    entries: list[Entry]
    usage: Usage
    begun: bool  # its beginning is in the window
    ended: bool  # its end is in the window


class Window(NamedTuple):
    """Which part of the visible records a page shows. Windows count from 1."""

    number: int
    windows: int
    records: int  # visible ones, in all windows
    seqs: list[int]  # of this window
    starts: list[int]  # the first seq of each window
    density: str  # as asked for, or wider where the record asked for needs it


class Transcript(NamedTuple):
    """One page of a session."""

    window: Window
    outline: list[Heading]
    turns: list[Turn]
    total: Usage


def transcript(
    connection: sqlite3.Connection,
    session: int,
    *,
    at: int | None = None,
    density: str = USUAL,
    size: int = WINDOW,
) -> Transcript:
    """The window that holds record `at` (or the nearest visible one), the first without."""
    shown = window(connection, session, at, density, size)
    outline = headings(connection, session)
    bills = _Bills(connection, session)
    found = entries(connection, session, shown.seqs, shown.density)
    return Transcript(shown, outline, _turns(found, outline, bills, shown), bills.between(None, None))


def usage(connection: sqlite3.Connection, session: int) -> Usage:
    """What the whole session came to."""
    return _Bills(connection, session).between(None, None)


def window(
    connection: sqlite3.Connection, session: int, at: int | None, density: str, size: int = WINDOW
) -> Window:
    """Where record `at` lies among the visible ones; a hidden record widens the density."""
    seqs = visible_seqs(connection, session, density)
    if at is not None and density != "all" and not _holds(seqs, at):
        wider = visible_seqs(connection, session, "all")
        if _holds(wider, at):
            density, seqs = "all", wider
    place = 0 if at is None or not seqs else min(bisect_left(seqs, at), len(seqs) - 1)
    number = place // size
    return Window(
        number=number + 1,
        windows=max(1, -(-len(seqs) // size)),
        records=len(seqs),
        seqs=seqs[number * size : (number + 1) * size],
        starts=seqs[::size],
        density=density,
    )


def _holds(seqs: Sequence[int], seq: int) -> bool:
    place = bisect_left(seqs, seq)
    return place < len(seqs) and seqs[place] == seq


# A record copied within its own session is shown once.
_ONCE = (
    "(x.copy_of is null or not exists"
    " (select 1 from {table} o where o.id = x.copy_of and o.session_id = x.session_id))"
)


def _sources(density: str) -> list[tuple[str, str]]:
    """(table, condition) of what the density shows."""
    kinds, calls = DENSITIES[density]
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    tables = [("messages", f"x.kind in ({listed})"), *([("tool_calls", "1")] if calls else [])]
    return [(table, f"{condition} and {_ONCE.format(table=table)}") for table, condition in tables]


def visible_seqs(connection: sqlite3.Connection, session: int, density: str) -> list[int]:
    """Of all records that the density shows, rising."""
    sql = " union all ".join(
        f"select x.seq from {table} x where x.session_id = :session and {condition}"
        for table, condition in _sources(density)
    )
    return [row[0] for row in connection.execute(f"{sql} order by 1", {"session": session})]


def headings(connection: sqlite3.Connection, session: int) -> list[Heading]:
    """Every prompt and command, in order."""
    rows = connection.execute(
        f"select x.seq, x.kind, x.ts, coalesce(substr(x.text, 1, {OUTLINE_TEXT}), ''), x.abandoned"
        " from messages x where x.session_id = ? and x.kind in ('prompt', 'command') and"
        f" {_ONCE.format(table='messages')} order by x.seq",
        [session],
    )
    return [Heading(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


def entries(
    connection: sqlite3.Connection, session: int, seqs: Sequence[int], density: str
) -> list[Entry]:
    """The visible records from the first to the last of `seqs`, in order."""
    if not seqs:
        return []
    span = [session, seqs[0], seqs[-1]]
    found: list[Entry] = []
    for table, condition in _sources(density):
        read = _texts if table == "messages" else _calls
        found += read(connection, condition, span)
    return sorted(found, key=lambda entry: entry.seq)


def _texts(connection: sqlite3.Connection, condition: str, span: list[int]) -> Iterable[Text]:
    rows = connection.execute(
        "select x.seq, x.native_id, x.role, x.kind, x.ts, x.model, x.text, x.abandoned, x.attachments,"
        " os.uid, o.seq, x.offset is not null"
        " from messages x left join messages o on o.id = x.copy_of"
        " left join sessions os on os.id = o.session_id"
        f" where x.session_id = ? and x.seq between ? and ? and {condition}",
        span,
    )
    for row in rows:
        *begin, abandoned, attachments, origin, origin_seq, raw = row
        said = _attachments(attachments)
        values: list[Any] = [*begin, bool(abandoned), said, origin, origin_seq, bool(raw)]
        yield Text(*values)


def _attachments(text: str | None) -> tuple[dict[str, Any], ...]:
    if text is None:
        return ()
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _calls(connection: sqlite3.Connection, condition: str, span: list[int]) -> Iterable[Call]:
    files = _touches(connection, span)
    rows = connection.execute(
        "select x.seq, x.native_id, x.name, x.kind, x.summary, x.input, x.output, x.output_bytes,"
        " x.status, x.exit_code, x.ts, x.duration_ms, x.lines_added, x.lines_removed, x.abandoned,"
        " os.uid, o.seq, x.offset is not null"
        " from tool_calls x left join tool_calls o on o.id = x.copy_of"
        " left join sessions os on os.id = o.session_id"
        f" where x.session_id = ? and x.seq between ? and ? and {condition}",
        span,
    )
    for row in rows:
        *begin, abandoned, origin, origin_seq, raw = row
        touched = tuple(files.get(row[0], ()))
        values: list[Any] = [*begin, bool(abandoned), origin, origin_seq, bool(raw), touched]
        yield Call(*values)


def _touches(connection: sqlite3.Connection, span: list[int]) -> dict[int, list[Touch]]:
    rows = connection.execute(
        "select c.seq, f.path, f.action, f.lines_added, f.lines_removed"
        " from tool_calls c join file_touches f on f.tool_call_id = c.id"
        " where c.session_id = ? and c.seq between ? and ? order by f.id",
        span,
    )
    files: dict[int, list[Touch]] = {}
    for row in rows:
        files.setdefault(row[0], []).append(Touch(*row[1:]))
    return files


class File(NamedTuple):
    """A file that the session's calls changed or read, all in all. `seq`: the last call that did."""

    path: str
    actions: tuple[str, ...]  # edit, write, delete, read, search: those that happened
    touches: int
    lines_added: int
    lines_removed: int
    seq: int


def files_touched(connection: sqlite3.Connection, session: int) -> list[File]:
    """What the session worked on: changed files first, then those only read."""
    rows = connection.execute(
        "select f.path, group_concat(distinct f.action), count(*), coalesce(sum(f.lines_added), 0),"
        " coalesce(sum(f.lines_removed), 0), max(c.seq), max(f.action in ('edit', 'write', 'delete'))"
        " from file_touches f join tool_calls c on c.id = f.tool_call_id"
        " where f.session_id = ? group by f.path order by 7 desc, f.path",
        [session],
    )
    return [File(row[0], tuple(sorted(row[1].split(","))), *row[2:6]) for row in rows]


class _Bills:
    """The session's requests, to be added up between any two records."""

    def __init__(self, connection: sqlite3.Connection, session: int) -> None:
        self.rows = connection.execute(
            "select seq, coalesce(input_tokens, 0), coalesce(cache_read_tokens, 0),"
            " coalesce(cache_write_tokens, 0), coalesce(cache_write_1h_tokens, 0),"
            " coalesce(output_tokens, 0), coalesce(cost_nanousd, reported_nanousd), incomplete,"
            " copy_of is not null, aggregate from requests where session_id = ? order by seq",
            [session],
        ).fetchall()
        self.seqs = [row[0] for row in self.rows]

    def between(self, first: int | None, last: int | None) -> Usage:
        """Of requests that begin at `first` or later, and before `last`."""
        start = 0 if first is None else bisect_left(self.seqs, first)
        end = len(self.rows) if last is None else bisect_left(self.seqs, last)
        rows = self.rows[start:end]
        own = [row for row in rows if not row[8]]
        costs = [row[6] for row in own if row[6] is not None]
        sent = [sum(row[1:5]) for row in rows if not row[9]]
        return Usage(
            requests=len(own),
            input_tokens=sum(row[1] for row in own),
            cache_read_tokens=sum(row[2] for row in own),
            cache_write_tokens=sum(row[3] for row in own),
            cache_write_1h_tokens=sum(row[4] for row in own),
            output_tokens=sum(row[5] for row in own),
            cost_nanousd=sum(costs) if costs else None,
            unpriced=len(own) - len(costs),
            incomplete=sum(row[7] for row in own),
            copies=len(rows) - len(own),
            context_tokens=sent[-1] if sent else None,
        )


def _turns(found: Iterable[Entry], outline: list[Heading], bills: _Bills, shown: Window) -> list[Turn]:
    starts = [heading.seq for heading in outline if heading.kind == "prompt"]
    by_seq = {heading.seq: heading for heading in outline}
    grouped: dict[int, list[Entry]] = {}
    for entry in found:
        grouped.setdefault(bisect_right(starts, entry.seq) - 1, []).append(entry)
    turns = []
    for place, own in grouped.items():
        first = starts[place] if place >= 0 else None
        after = starts[place + 1] if place + 1 < len(starts) else None
        turns.append(
            Turn(
                seq=own[0].seq if first is None else first,
                heading=None if first is None else by_seq[first],
                entries=own,
                usage=bills.between(first, after),
                begun=first is not None and own[0].seq == first,
                ended=place != max(grouped) or shown.number == shown.windows,
            )
        )
    return turns
