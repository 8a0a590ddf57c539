"""Duplicated conversations: the same first rows, under the same ids or new ones, in a younger one."""

from hashlib import blake2b
from typing import NamedTuple

from siphon.records import Message, ToolCall
from siphon.sources._transcript import Transcript

_FEWEST = 2  # rows that must agree: a prompt and what was answered
_LEAST = 80  # characters of answers that must agree: two greetings are no duplicate


class Elder(NamedTuple):
    """What is kept of a conversation: its rows' marks, weights, native ids and requests."""

    session: str
    marks: list[bytes]
    weights: list[int]
    names: list[tuple[str | None, str | None]]


Elders = dict[bytes, list[Elder]]  # by how they begin


def origin(elders: Elders, rows: Transcript) -> str | None:
    """The conversation, read before, of which this one is a duplicate; shared rows get its ids."""
    own = _elder(rows)
    if len(own.marks) < _FEWEST:
        return None
    known = elders.setdefault(b"".join(own.marks[:_FEWEST]), [])
    shares = [(_shared(own, elder), elder) for elder in known]
    shared, found = max(shares, key=lambda pair: pair[0], default=(0, own))
    if not shared:
        known.append(own)
        return None
    _rename(rows, found, shared)
    known.append(_elder(rows))
    return found.session


def _elder(rows: Transcript) -> Elder:
    ordered = [rows.rows[seq] for seq in sorted(rows.rows)]
    return Elder(
        session=rows.native_id,
        marks=[_mark(row) for row in ordered],
        weights=[_weight(row) for row in ordered],
        names=[(row.native_id, row.request) for row in ordered],
    )


def _mark(row: Message | ToolCall) -> bytes:
    said = row.text if isinstance(row, Message) else f"{row.name} {row.input}"
    return blake2b(
        f"{type(row).__name__} {row.kind} {said}".encode(errors="replace"), digest_size=8
    ).digest()


def _weight(row: Message | ToolCall) -> int:
    if isinstance(row, Message):
        return len(row.text or "") if row.role == "assistant" else 0
    return len(row.output or "")


def _shared(own: Elder, elder: Elder) -> int:
    """How many of their first rows agree; 0 if it is too little to tell."""
    pairs = zip(own.marks, elder.marks, strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(own.marks), len(elder.marks)))
    alike = own.names[:same] == elder.names[:same]
    return same if alike or sum(own.weights[:same]) >= _LEAST else 0


def _rename(rows: Transcript, elder: Elder, shared: int) -> None:
    requests = {}
    for seq, (name, request) in zip(sorted(rows.rows)[:shared], elder.names, strict=False):
        row = rows.rows[seq]
        if row.request and request:
            requests[row.request] = request
        rows.rows[seq] = row._replace(native_id=name, request=request)
    renamed = [
        billed._replace(native_id=requests.get(billed.native_id or "", billed.native_id))
        for billed in rows.requests.values()
    ]
    rows.requests = {billed.native_id or billed.seq: billed for billed in renamed}
