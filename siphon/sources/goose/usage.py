"""Usage: the ledger's rows, and what a session counted beyond them."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from siphon.records import Message, Request
from siphon.sources._loose import count, nanousd, stamp, text
from siphon.sources._transcript import Transcript


class Counts(NamedTuple):
    """Counters as Goose keeps them: whether input holds the cache depends on the provider."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    read: int | None = None
    write: int | None = None
    cost: int | None = None  # nano-USD


class Spent(NamedTuple):
    """What a session spent: its ledger, and its running totals."""

    ledger: Sequence[Mapping[str, Any]]
    accumulated: Counts
    model: str | None
    provider: str | None
    ts: int | None  # of the session's end


def counts(row: Mapping[str, Any], prefix: str = "") -> Counts:
    """The counters of a row, or those whose names begin with a prefix."""
    return Counts(
        input=count(row.get(f"{prefix}input_tokens")),
        output=count(row.get(f"{prefix}output_tokens")),
        total=count(row.get(f"{prefix}total_tokens")),
        read=count(row.get(f"{prefix}cache_read_tokens")),
        write=count(row.get(f"{prefix}cache_write_tokens")),
        cost=nanousd(row.get(f"{prefix}cost")),
    )


def requests(rows: Transcript, spent: Spent) -> Iterator[Request]:
    """One request a ledger row, and one for the rest of the running totals."""
    answers = _answers(rows)
    for row in spent.ledger:
        ts = stamp(row.get("created_timestamp"))
        carried = row.get("cost_source") == "carried_forward"
        yield _request(
            rows,
            f"{rows.native_id}/ledger {row.get('id')}@{ts}",
            _last_before(answers, ts),
            counts(row),
            text(row.get("model")) or spent.model,
            spent.provider,
            ts,
            aggregate=carried,
        )
    rest = residual(spent)
    if any(rest._replace(total=None)):
        name = f"{rows.native_id}/residual"
        seq = _last_before(answers, spent.ts)
        yield _request(rows, name, seq, rest, spent.model, spent.provider, spent.ts, aggregate=True)


def residual(spent: Spent) -> Counts:
    """What the running totals have beyond the ledger, counter by counter."""
    told = [counts(row) for row in spent.ledger]
    sums = [sum(each[n] or 0 for each in told) for n in range(len(Counts._fields))]
    over = [None if kept is None else max(0, kept - sums[n]) for n, kept in enumerate(spent.accumulated)]
    return Counts(*over)


def _request(
    rows: Transcript,
    native_id: str,
    seq: int,
    raw: Counts,
    model: str | None,
    provider: str | None,
    ts: int | None,
    aggregate: bool,
) -> Request:
    return Request(
        session=rows.native_id,
        native_id=native_id,
        seq=seq,
        model=model,
        ts=ts,
        input_tokens=_fresh(raw),
        cache_read_tokens=raw.read,
        cache_write_tokens=raw.write,
        output_tokens=raw.output,
        reported_nanousd=raw.cost or None,
        aggregate=aggregate,
        provider=provider,
    )


def _fresh(raw: Counts) -> int | None:
    """Input without cache: it is inside where the total says so, else beside."""
    cached = (raw.read or 0) + (raw.write or 0)
    if raw.input is None or not cached or raw.total is None:
        return raw.input
    inside = raw.total == raw.input + (raw.output or 0)
    return max(0, raw.input - cached) if inside else raw.input


def _answers(rows: Transcript) -> list[tuple[int, int]]:
    """(time, seq) of the model's rows, by time."""
    return sorted(
        (row.ts, seq)
        for seq, row in rows.rows.items()
        if row.ts is not None and not (isinstance(row, Message) and row.role != "assistant")
    )


def _last_before(answers: list[tuple[int, int]], ts: int | None) -> int:
    """The seq of the model's last row up to a time: the ledger does not name messages."""
    at = len(answers) if ts is None else bisect_right(answers, ts, key=lambda answer: answer[0])
    return answers[at - 1][1] if at else 0
