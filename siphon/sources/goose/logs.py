"""Sessions of the store, and of the .jsonl files before it.

The upgrade imported the files and left them. Where a host has a store, the store is the log that reads
the files of which it has no session; the files' own logs then say `twin`, and so depend on the store's
being there, not on its bytes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from siphon.log import Log
from siphon.records import Record, Relation, Request, Session, SessionKind
from siphon.sources._decode import head
from siphon.sources._loose import mapping, one_line, stamp, text
from siphon.sources._sqlite import DAMAGE, tables_of
from siphon.sources._tally import tallies
from siphon.sources._transcript import Transcript
from siphon.sources.goose import lines, usage
from siphon.sources.goose.blocks import READ, Written, read
from siphon.sources.goose.places import FILES, ROOTS, STORES
from siphon.sources.goose.skips import SKIPS
from siphon.sources.goose.store import Store, delegating, json_of, ledger, messages, opened, sessions

_KINDS: Mapping[str, SessionKind] = {"sub_agent": "subagent", "hidden": "internal"}


def parse(log: Log) -> Iterator[Record]:
    """The sessions of a store, or the one of a file."""
    types: Counter[str] = Counter()
    if log.name == "sessions.db":
        yield from _stored(log, types)
    elif _glob(log, STORES):
        types["twin"] += 1
    else:
        yield from _filed(log, log, types)
    yield from tallies(types, READ, SKIPS)


def _glob(log: Log, patterns: tuple[str, ...]) -> list[str]:
    up = "../" * (len(log.parts) - 1)
    return [path for pattern in patterns for path in log.glob(up + pattern)]


class Known(NamedTuple):
    """What later sessions of a store are compared with."""

    names: dict[str, str]  # id → native id
    firsts: dict[str, str]  # first message's key → native id of the session that had it first
    totals: set[tuple[object, ...]]  # (messages' keys, running totals) of sessions


def _stored(log: Log, types: Counter[str]) -> Iterator[Record]:
    names: dict[str, str] = {}
    try:
        with log.sqlite() as connection:
            store = opened(log, connection)
            found = sessions(store)
            names.update(
                (row["id"], _native_id(row["id"], stamp(row.get("created_at")))) for row in found
            )
            known = Known(names, {}, set())
            for row in found:
                yield from _told(store, row, known, types)
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
    if next(iter(_glob(log, STORES)), None) == log.path:
        for path in _glob(log, FILES):
            file = log.at(path)
            if file is not None and file.stem not in names:
                yield from _filed(log, file, types)


def _native_id(own: str, created: int | None) -> str:
    """Ids count the sessions of a day: with the time of creation they are unique among hosts."""
    return own if created is None else f"{own}@{created // 1000}"


def _told(store: Store, row: Mapping[str, Any], known: Known, types: Counter[str]) -> Iterator[Record]:
    """All records of a session of the store."""
    own = str(row["id"])
    written = messages(store, own)
    rows = read(known.names[own], written, types)
    types["session"] += 1
    yield _session(rows, row)
    for billed in _billed(store, row, rows, written, known, types):
        rows.bill(billed)
    yield from rows.records()
    parent = text(row.get("parent_session_id"))
    first = next((message.key for message in written if message.key), None)
    original = known.firsts.setdefault(first, rows.native_id) if first else rows.native_id
    if parent and parent != own:
        call = delegating(store, parent, row)
        yield Relation(rows.native_id, "subagent", known.names.get(parent, parent), call)
    elif original != rows.native_id:
        yield Relation(rows.native_id, "fork", original)


def _session(rows: Transcript, row: Mapping[str, Any]) -> Session:
    kind = text(row.get("session_type"))
    title = one_line(row.get("name")) or one_line(row.get("description"))
    cwd = text(row.get("working_dir"))
    created, updated = stamp(row.get("created_at")), stamp(row.get("updated_at"))
    return Session(
        native_id=rows.native_id,
        title=title or rows.first_prompt(),
        project=cwd,
        cwd=cwd,
        started_at=rows.started_at if created is None else created,
        # A copy that has nothing of its own yet has but older messages.
        ended_at=updated if rows.ended_at is None else max(rows.ended_at, created or 0),
        kind=_KINDS.get(kind or "", "main"),
        entrypoint=kind,
    )


def _billed(
    store: Store,
    row: Mapping[str, Any],
    rows: Transcript,
    written: list[Written],
    known: Known,
    types: Counter[str],
) -> Iterator[Request]:
    """What a session spent; nothing for an import that repeats another session's messages and totals."""
    config = mapping(json_of(store.log, row.get("model_config_json"), f"session {row['id']}, model"))
    spent = usage.Spent(
        ledger=ledger(store, str(row["id"])),
        accumulated=usage.counts(row, "accumulated_"),
        model=text(config.get("model_name")),
        provider=text(row.get("provider_name")),
        ts=rows.ended_at,
    )
    total = (tuple(message.key for message in written), spent.accumulated)
    again = total in known.totals and any(total[0])
    known.totals.add(total)
    if again and not spent.ledger and any(spent.accumulated):
        types["usage/imported"] += 1
        return
    for billed in usage.requests(rows, spent):
        types["usage/residual" if billed.aggregate else "usage"] += 1
        yield billed


def _filed(log: Log, file: Log, types: Counter[str]) -> Iterator[Record]:
    """The one session of an old file."""
    found = lines.read(file, owned=file is log)
    if not found.about and not found.messages:
        return
    started = min((message.ts for message in found.messages if message.ts is not None), default=None)
    rows = read(_native_id(file.stem, started), found.messages, types)
    types["session"] += 1
    yield _session(rows, found.about)
    spent = usage.Spent((), usage.counts(found.about, "accumulated_"), None, None, rows.ended_at)
    for billed in usage.requests(rows, spent):
        types["usage/residual"] += 1
        rows.bill(billed)
    yield from rows.records()


def resume(native_id: str) -> str:
    """The command that goes on with a session."""
    return f"goose session --resume --session-id {native_id.partition('@')[0]}"


def recognise(log: Log) -> str | None:
    """Where a loose store or file would lie."""
    if log.name.endswith(".db"):
        found = tables_of(log)
        known = "sessions" in found and "content_json" in found.get("messages", [])
        return STORES[0] if known else None
    if not log.name.endswith(".jsonl"):
        return None
    first, *rest = head(log, 2) or [{}]
    about = "role" not in first and {"working_dir", "description"} & first.keys() and "type" not in first
    said = all({"role", "created", "content"} <= line.keys() for line in rest)
    return f"{ROOTS[0]}/{log.name}" if about and said else None
