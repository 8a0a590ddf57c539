"""The sessions of a project's store."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from siphon.log import Log
from siphon.records import Record, Relation, Request, Session
from siphon.sources._loose import nanousd, one_line, stamp, text
from siphon.sources._sqlite import DAMAGE, named, rows, tables, tables_of
from siphon.sources._tally import tallies
from siphon.sources._transcript import Transcript
from siphon.sources.crush.parts import READ, read
from siphon.sources.crush.skips import SKIPS


def parse(log: Log) -> Iterator[Record]:
    """All sessions of a project's store."""
    types: Counter[str] = Counter()
    calls: dict[str, str] = {}  # a call's id, as models give it → its native id
    try:
        with log.sqlite() as store:
            columns = tables(log, store)
            written = columns.get("messages", [])
            if "sessions" not in columns or "session_id" not in written:
                log.problem("no tables sessions and messages")
                return
            where = f"where session_id = ? order by {_order(written)}"
            found = {row.get("id"): row for row in named(log, store, "sessions", columns["sessions"])}
            for session, row in sorted(found.items(), key=lambda item: str(item[0])):
                if text(session):
                    messages = list(named(log, store, "messages", written, where, (session,)))
                    yield from _told(log, row, messages, types, calls)
            for table in {"files"} & columns.keys():
                types["file"] += sum(n for (n,) in rows(log, store, f"select count(*) from {table}"))
            for session, row in found.items():
                yield from _relation(session, row, calls)
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
    yield from tallies({kind: n for kind, n in types.items() if n}, READ, SKIPS)


def _order(columns: list[str]) -> str:
    return ", ".join((*(name for name in ("seq", "created_at") if name in columns), "rowid"))


def _told(
    log: Log,
    row: Mapping[str, Any],
    messages: list[dict[str, Any]],
    types: Counter[str],
    calls: dict[str, str],
) -> Iterator[Record]:
    """All records of a session but its relation."""
    session = str(row["id"])
    types["session"] += 1
    reading = read(log, session, messages, types)
    found = reading.rows
    for own, seq in reading.calls.items():
        call = found.call(seq)
        if call is not None and call.native_id:
            calls[own] = call.native_id
    if any(message.get("role") == "assistant" for message in messages) or nanousd(row.get("cost")):
        found.bill(_spent(found, row, messages))
    folder = "/".join(log.parts[:-2]) or None
    parent = text(row.get("parent_session_id"))
    created = stamp(row.get("created_at"))
    yield Session(
        native_id=session,
        title=one_line(row.get("title")) or found.first_prompt(),
        project=folder,
        cwd=folder,
        started_at=found.started_at if created is None else created,
        ended_at=stamp(row.get("updated_at")) if found.ended_at is None else found.ended_at,
        kind="internal" if session.startswith("title-") else "subagent" if parent else "main",
    )
    yield from found.records()


def _spent(found: Transcript, row: Mapping[str, Any], messages: list[dict[str, Any]]) -> Request:
    """What the session cost as a whole; its model where it had but one."""
    models = {model: text(m.get("provider")) for m in messages if (model := text(m.get("model")))}
    alone = next(iter(models)) if len(models) == 1 else None
    return Request(
        session=found.native_id,
        native_id=f"{found.native_id}/cost",
        seq=max(found.last, 0),
        model=alone,
        ts=stamp(row.get("updated_at")),
        reported_nanousd=nanousd(row.get("cost")) or None,
        incomplete=True,
        aggregate=True,
        provider=models[alone] if alone else None,
    )


def _relation(session: Any, row: Mapping[str, Any], calls: Mapping[str, str]) -> Iterator[Record]:
    parent = text(row.get("parent_session_id"))
    if text(session) and parent and parent != session:
        yield Relation(session, "subagent", parent, calls.get(session.rpartition("$$")[2]))


def place(log: Log, file: str, parent: str) -> str | None:
    """Where a loose store of one of the two would lie: they differ by name only."""
    if log.name != file:
        return None
    found = tables_of(log)
    known = "prompt_tokens" in found.get("sessions", []) and "parts" in found.get("messages", [])
    return f"loose/{parent}/{file}" if known else None
