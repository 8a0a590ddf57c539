"""Zed's thread store, and the text threads before it, one file each."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec
import zstandard

from siphon.log import Log
from siphon.records import Message, MessageKind, Record, Relation, Role, Session, ToolCall
from siphon.sources._decode import head
from siphon.sources._loose import count, items, mapping, one_line, stamp, text
from siphon.sources._sqlite import DAMAGE, decoded, named, tables, tables_of
from siphon.sources._tally import tallies
from siphon.sources._transcript import Transcript
from siphon.sources.zed.places import DATA, STORES
from siphon.sources.zed.skips import SKIPS
from siphon.sources.zed.thread import READ, Thread, read
from siphon.zst import unpacked

_THREAD = msgspec.json.Decoder(Thread)
_ANY = msgspec.json.Decoder()
_LARGEST = 1 << 30  # bytes of an unpacked thread


def parse(log: Log) -> Iterator[Record]:
    """All threads of the store, or one text thread."""
    types: Counter[str] = Counter()
    if log.name.endswith(".json"):
        yield from _conversation(log, types)
    else:
        yield from _threads(log, types)
    yield from tallies(types, READ, SKIPS)


def _threads(log: Log, types: Counter[str]) -> Iterator[Record]:
    parents: dict[str, str] = {}
    calls: dict[str, str] = {}  # thread that a call's result names → the call
    try:
        with log.sqlite() as connection:
            columns = tables(log, connection).get("threads", [])
            if "id" not in columns:
                log.problem("no table threads")
            for row in named(log, connection, "threads", columns, "order by rowid" if columns else ""):
                thread = text(row.get("id"))
                if thread is None or thread in parents:
                    continue
                document = _document(log, row)
                rows = read(thread, document or Thread(), types)
                parents[thread] = _parent(row, document) or ""
                calls.update(_spawned(rows))
                types["thread"] += 1
                yield _session(row, document or Thread(), rows, bool(parents[thread]))
                yield from rows.records()
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
    for thread, parent in parents.items():
        if parent and parent != thread:
            yield Relation(thread, "subagent", parent, calls.get(thread))


def _document(log: Log, row: Mapping[str, Any]) -> Thread | None:
    """What a row holds; None, with a problem: only the row's own columns are known."""
    place = f"thread {row.get('id')}"
    data, kind = row.get("data"), row.get("data_type")
    if kind not in ("json", "zstd"):
        log.problem(f"{place}: data of unknown type {kind}")
        return None
    if kind == "zstd" and isinstance(data, bytes):
        try:
            data = unpacked(io.BytesIO(data)).read(_LARGEST)
        except zstandard.ZstdError as error:
            log.problem(f"{place}: {error}")
            return None
    return decoded(log, data, _THREAD, place)


def _parent(row: Mapping[str, Any], document: Thread | None) -> str | None:
    context = mapping(document.subagent_context if document else None)
    return text(row.get("parent_id")) or text(context.get("parent_thread_id"))


def _spawned(rows: Transcript) -> Iterator[tuple[str, str]]:
    """(thread, tool call) of each thread that an agent's result may name."""
    for row in rows.rows.values():
        if isinstance(row, ToolCall) and row.kind == "agent" and row.native_id:
            for word in (row.output or "").replace('"', " ").split():
                if len(word) == 36 and word.count("-") == 4:
                    yield word, row.native_id


def _session(row: Mapping[str, Any], document: Thread, rows: Transcript, spawned: bool) -> Session:
    snapshots = items(mapping(document.initial_project_snapshot).get("worktree_snapshots"))
    first = mapping(snapshots[0]) if snapshots else {}
    git = mapping(first.get("git_state"))
    title = row.get("summary") or document.title or document.summary
    cwd = _folder(row.get("folder_paths")) or text(first.get("worktree_path"))
    created, updated = stamp(row.get("created_at")), stamp(row.get("updated_at"))
    return Session(
        native_id=rows.native_id,
        title=one_line(title) or rows.first_prompt(),
        project=cwd,
        cwd=cwd,
        git_branch=text(git.get("current_branch")),
        git_repo=text(git.get("remote_url")),
        started_at=created,
        ended_at=stamp(document.updated_at) if updated is None else updated,
        kind="subagent" if spawned else "main",
    )


def _folder(paths: Any) -> str | None:
    """The first of a list of folders, one a line or JSON."""
    listed = text(paths) or ""
    if listed.lstrip().startswith("["):
        try:
            found = items(_ANY.decode(listed.encode(errors="replace")))
        except msgspec.DecodeError:
            return None
        return next((path for path in found if isinstance(path, str) and path), None)
    return listed.split("\n")[0] or None


def _conversation(log: Log, types: Counter[str]) -> Iterator[Record]:
    """A text thread: one text, and where in it each message begins."""
    document = mapping(log.json(_ANY))
    body = document.get("text")
    if not isinstance(body, str):
        return
    types["text thread"] += 1
    raw = body.encode(errors="replace")
    rows = Transcript(text(document.get("id")) or log.stem.removesuffix(".zed"))
    metadata = mapping(document.get("message_metadata"))
    found = [mapping(message) for message in items(document.get("messages"))]
    starts = [min(count(message.get("start")) or 0, len(raw)) for message in found]
    for message, (start, end) in zip(found, pairwise([*starts, len(raw)]), strict=True):
        told = mapping(message.get("metadata")) or mapping(metadata.get(str(message.get("id"))))
        role = str(told.get("role"))
        types[f"message/{role}"] += 1
        said = raw[start:end].decode(errors="replace").strip("\n")
        if said.strip():
            _say(rows, role, said)
    title = one_line(document.get("summary"))
    yield Session(native_id=rows.native_id, title=title or rows.first_prompt(), entrypoint="text thread")
    yield from rows.records()


def _say(rows: Transcript, role: str, said: str) -> None:
    kinds: Mapping[str, tuple[Role, MessageKind]] = {
        "user": ("user", "prompt"),
        "assistant": ("assistant", "reply"),
    }
    whose, kind = kinds.get(role, ("system", "meta"))
    rows.put(Message(session=rows.native_id, seq=rows.seq(), role=whose, kind=kind, text=said))


def recognise(log: Log) -> str | None:
    """Where a loose store or text thread would lie."""
    if log.name.endswith(".db"):
        known = {"data_type", "data", "summary"} <= set(tables_of(log).get("threads", []))
        return STORES[0] if known else None
    if log.name.endswith(".json"):
        found = next(iter(head(log, 1)), {})
        known = found.get("zed") == "context" and {"text", "messages"} <= found.keys()
        stem = log.stem.removesuffix(".zed")
        return f"{DATA[0]}/conversations/{stem}.zed.json" if known else None
    return None
