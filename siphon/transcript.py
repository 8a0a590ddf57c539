"""A session's transcript: windows of its records, turns, and what each turn cost."""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from siphon.entries import ONCE, Entry, entries, visible_seqs

WINDOW = 200  # records on a page
_LAST = 2**62
_TOKENS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip
OUTLINE_TEXT = 300  # characters of a prompt that the outline gets


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

    @property
    def took_ms(self) -> int | None:
        """From its first record to its last; None where not all of it is in the window."""
        times = [entry.ts for entry in self.entries if entry.ts is not None]
        return max(times) - min(times) if times and self.begun and self.ended else None


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

    outline: list[Heading]
    turns: list[Turn]
    total: Usage


def transcript(connection: sqlite3.Connection, session: int, shown: Window) -> Transcript:
    """What a window shows, and what lies about it."""
    outline = headings(connection, session)
    starts = [heading.seq for heading in outline if heading.kind == "prompt"]
    bills = _Bills(connection, session, *_reach(starts, shown.seqs))
    found = entries(connection, session, shown.seqs, shown.density)
    return Transcript(outline, _turns(found, outline, bills, shown), usage(connection, session))


def _reach(starts: list[int], seqs: list[int]) -> tuple[int, int]:
    """From where to where the turns go that these records belong to."""
    if not seqs:
        return 0, 0
    first, last = bisect_right(starts, seqs[0]), bisect_right(starts, seqs[-1])
    return starts[first - 1] if first else 0, starts[last] if last < len(starts) else _LAST


def usage(connection: sqlite3.Connection, session: int) -> Usage:
    """What the whole session came to."""
    sums = ", ".join(f"coalesce(sum(case when copy_of is null then {name} end), 0)" for name in _TOKENS)
    cost = "case when copy_of is null then coalesce(cost_nanousd, reported_nanousd) end"
    row = connection.execute(
        f"select count(*) - count(copy_of), {sums}, sum({cost}),"
        f" count(*) - count(copy_of) - count({cost}),"
        " coalesce(sum(case when copy_of is null then incomplete end), 0), count(copy_of)"
        " from requests where session_id = ?",
        [session],
    ).fetchone()
    context = connection.execute(
        "select coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0)"
        " + coalesce(cache_write_tokens, 0) + coalesce(cache_write_1h_tokens, 0)"
        " from requests where session_id = ? and not aggregate order by seq desc, id desc limit 1",
        [session],
    ).fetchone()
    return Usage._make((*row, None if context is None else context[0]))


def window(
    connection: sqlite3.Connection, session: int, at: int | None, density: str, size: int = WINDOW
) -> Window:
    """The window that holds record `at` (or the nearest visible one), the first without.

    A hidden record widens the density.
    """
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


def headings(connection: sqlite3.Connection, session: int) -> list[Heading]:
    """Every prompt and command, in order."""
    rows = connection.execute(
        f"select x.seq, x.kind, x.ts, coalesce(substr(x.text, 1, {OUTLINE_TEXT}), ''), x.abandoned"
        " from messages x where x.session_id = ? and x.kind in ('prompt', 'command') and"
        f" {ONCE.format(table='messages')} order by x.seq",
        [session],
    )
    return [Heading(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


class _Bills:
    """Requests from `first` on and before `last`, to be added up between any two records."""

    def __init__(self, connection: sqlite3.Connection, session: int, first: int, last: int) -> None:
        self.rows = connection.execute(
            "select seq, coalesce(input_tokens, 0), coalesce(cache_read_tokens, 0),"
            " coalesce(cache_write_tokens, 0), coalesce(cache_write_1h_tokens, 0),"
            " coalesce(output_tokens, 0), coalesce(cost_nanousd, reported_nanousd), incomplete,"
            " copy_of is not null, aggregate from requests"
            " where session_id = ? and seq >= ? and seq < ? order by seq, id",
            [session, first, last],
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
