"""Token counts become requests, and what is pending learns which request produced it."""

from siphon.records import Request
from siphon.sources.codex.calls import Call
from siphon.sources.codex.lines import Info
from siphon.sources.codex.thread import Said, Thread, new_response, settle
from siphon.sources.codex.usage import Totals, count


def bill(thread: Thread, info: Info) -> None:
    """Take in a token_count: at most one request, and what it produced."""
    counted = count(info, thread.running, thread.last, thread.copied)
    thread.running, thread.last = counted.running, counted.last
    if counted.tokens is None:
        return
    native_id = _request_id(thread, counted.running)
    mine, items = _produced(thread, native_id)
    thread.out.append(_billed(thread, native_id, counted.tokens, mine, counted.several))
    if items:
        thread.leading = False
        settle(thread)
        new_response(thread)
    else:
        thread.leading = thread.leading or bool(mine)
        settle(thread, keep=mine)
        thread.request = native_id if thread.leading else None


def _produced(thread: Thread, native_id: str) -> tuple[list[Said | Call], bool]:
    """Give the request to what waits for it; also whether items are among that, not only events."""
    mine: list[Said | Call] = []
    items = False
    for one in thread.pending:
        if one.request is None and (isinstance(one, Call) or one.role == "assistant"):
            one.request = native_id
            mine.append(one)
            items = items or isinstance(one, Call) or one.from_item
    return mine, items


def _billed(
    thread: Thread, native_id: str, tokens: Totals, mine: list[Said | Call], several: bool
) -> Request:
    cached = tokens.cached if tokens.cached < tokens.input else tokens.input
    fresh = tokens.input - cached - (tokens.written or 0)
    searches, thread.searches = thread.searches, 0
    if mine:
        seq = mine[0].seq
    else:
        seq = thread.seq = thread.seq + 1
    return tuple.__new__(
        Request,
        (  # in their order: keywords take thrice the time
            thread.native_id,
            native_id,
            seq,
            thread.model,
            thread.ts,
            fresh if fresh > 0 else 0,
            cached,
            tokens.written,
            None,  # cache_write_1h_tokens
            tokens.output,
            tokens.reasoning,
            searches or None,
            None,  # reported_nanousd
            False,  # incomplete
            thread.nested,
            several,
            thread.tier,
            None,  # geo
            thread.provider,
            thread.offset,
            thread.length,
        ),
    )


def _request_id(thread: Thread, running: Totals | None) -> str:
    """The turn's (else the session's) id and the running total: equal in every copy of the line."""
    base = f"{thread.turn or thread.native_id}:{running.input + running.output if running else 0}"
    native_id, again = base, 1
    while native_id in thread.billed:
        again += 1
        native_id = f"{base}~{again}"
    thread.billed.add(native_id)
    return native_id


def skip(thread: Thread, info: Info) -> None:
    """Take in a token_count that the parent was billed for: own totals go on from it."""
    counted = count(info, thread.running, thread.last, copied=True)
    thread.running, thread.last = counted.running, counted.last
