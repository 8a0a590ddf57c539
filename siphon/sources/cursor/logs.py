"""Which of a host's logs yields which conversation.

One conversation can lie in the IDE's global store, as a transcript, and as a chat of the CLI, under one
id. The CLI's chat goes first, then the store, then the transcript, which is lossy. Where a host has a
global store, the store is the log that reads the transcripts of which it has no conversation; so a
transcript's log depends on the store's being there, not on its bytes. Old workspace stores hold
conversations of their own; one that was migrated has the same bubble ids, by which it is linked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

from siphon.log import Log
from siphon.records import Record, Relation, Session
from siphon.sources._loose import items, mapping, one_line, stamp, text
from siphon.sources._sqlite import DAMAGE, decoded, tables
from siphon.sources._tally import tallies
from siphon.sources._transcript import Transcript
from siphon.sources.cursor import bubbles, chats, lineage, places, store, tools, transcripts
from siphon.sources.cursor.skips import SKIPS
from siphon.sources.cursor.store import Composer, Store

READ = bubbles.READ | transcripts.READ | chats.READ
_ANY = msgspec.json.Decoder()


def parse(log: Log) -> Iterator[Record]:
    """The conversations of a store, or the one of a transcript."""
    types: Counter[str] = Counter()
    if log.name != "state.vscdb":
        if places.chat(log, log.stem) or places.stores(log):
            types["twin"] += 1
        else:
            yield from _transcribed(log, log, types)
    else:
        yield from _stored(log, types)
    yield from tallies(types, READ, SKIPS)


def _stored(log: Log, types: Counter[str]) -> Iterator[Record]:
    known: set[str] = set()
    try:
        with log.sqlite() as connection:
            held = Store(log, connection, tables(log, connection))
            if "ItemTable" not in held.tables:
                log.problem("no table ItemTable")
            if "globalStorage" in log.parts:
                yield from _global(held, known, types)
            else:
                yield from _workspace(held, types)
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
    if next(iter(places.stores(log)), None) == log.path:
        yield from _left(log, known, types)


def _global(held: Store, known: set[str], types: Counter[str]) -> Iterator[Record]:
    found = store.composers(held)
    if None in found.values():
        types["composer/deleted"] += list(found.values()).count(None)
    infos = {name: info for name, info in found.items() if info is not None}
    infos.update((name, Composer()) for name in store.strays(held, infos))
    parents = _parents(infos)
    folders = _folders(held, infos)
    elders: lineage.Elders = {}
    for name in sorted(infos, key=lambda name: (stamp(infos[name].created) or 0, name)):
        known.add(name)
        if places.chat(held.log, name):
            types["twin"] += 1
            continue
        rows = bubbles.read(held, name, infos[name], store.bubbles(held, name, infos[name]), types)
        types["composer" if rows.rows else "composer/empty"] += 1
        parent = parents.get(name)
        folder = folders.get(name) or (folders.get(parent[0]) if parent else None)
        yield from _told(rows, infos[name], folder, parent, elders)


def _told(
    rows: Transcript,
    info: Composer,
    folder: str | None,
    parent: tuple[str, str | None] | None,
    elders: lineage.Elders,
) -> Iterator[Record]:
    """All records of a conversation of the IDE; `parent` is (conversation, tool call)."""
    if not rows.rows:
        return
    original = lineage.origin(elders, rows)
    agent = text(mapping(info.subagent).get("subagentTypeName")) or text(
        mapping(info.subagent).get("name")
    )
    created, updated = stamp(info.created), stamp(info.updated)
    yield Session(
        native_id=rows.native_id,
        title=bubbles.title(info, rows),
        project=folder,
        cwd=folder,
        git_branch=text(info.branch) or text(mapping(info.active_branch).get("branchName")),
        started_at=rows.started_at if created is None else created,
        ended_at=updated if rows.ended_at is None else rows.ended_at,
        kind="subagent" if parent else "main",
        entrypoint="ide",
        agent="best of n" if info.alternate is True else agent,
    )
    yield from rows.records()
    if parent:
        yield Relation(rows.native_id, "subagent", *parent)
    if original:
        yield Relation(rows.native_id, "fork", original)


def _parents(infos: Mapping[str, Composer]) -> dict[str, tuple[str, str | None]]:
    """(parent, tool call) of each conversation that another one started."""
    found: dict[str, tuple[str, str | None]] = {}
    for name, info in infos.items():
        for child in (*items(info.subs), *items(info.agents)):
            if isinstance(child, str) and child != name:
                found[child] = (name, None)
    for name, info in infos.items():
        told = mapping(info.subagent)
        parent = text(told.get("parentComposerId"))
        if parent and parent != name:
            found[name] = (parent, bubbles.call_id(parent, told.get("toolCallId")))
    return found


def _folders(held: Store, infos: Mapping[str, Composer]) -> dict[str, str]:
    """Each conversation's folder: as its header says, else that of the workspace that lists it."""
    found = store.folders(held)
    for name, info in infos.items():
        path = places.path_of(mapping(info.workspace).get("uri"))
        if path:
            found.setdefault(name, path)
    if infos.keys() - found.keys():
        for path in held.log.glob("../workspaceStorage/*/state.vscdb"):
            folder = places.folder(held.log, str(PurePosixPath(path).parent))
            listed = _listed(held.log, path) if folder else []
            found.update((name, folder) for name in listed if folder and name not in found)
    return found


def _listed(log: Log, path: str) -> list[str]:
    """The conversations that a workspace's store lists."""
    beside = places.aside(log).at(path)
    if beside is None:
        return []
    try:
        with beside.sqlite() as connection:
            held = Store(beside, connection, tables(beside, connection))
            composers = items(mapping(store.item(held, "composer.composerData")).get("allComposers"))
    except DAMAGE:
        return []  # that store's own log says so
    return [name for entry in composers if (name := text(mapping(entry).get("composerId")))]


def _workspace(held: Store, types: Counter[str]) -> Iterator[Record]:
    """Conversations that old builds keep in the workspace, and the tabs of the chat before them."""
    folder = places.folder(held.log, str(PurePosixPath(held.log.path).parent)) or _explored(held)
    elders: lineage.Elders = {}
    seen: set[str] = set()
    for kind, name, info in sorted(_kept(held), key=lambda each: (stamp(each[2].created) or 0, each[1])):
        if name in seen:
            continue
        seen.add(name)
        if kind == "composer" and not (items(info.conversation) or mapping(info.conversation_map)):
            types["composer/header"] += 1
            continue
        rows = bubbles.read(held, name, info, store.inline_bubbles(info), types)
        types[kind if rows.rows else f"{kind}/empty"] += 1
        yield from _told(rows, info, folder, None, elders)
    for key in ("aiService.prompts", "aiService.generations"):
        n = len(items(store.item(held, key)))
        types.update({key: n} if n else {})


def _kept(held: Store) -> Iterator[tuple[str, str, Composer]]:
    """Yield (kind, id, record) of each conversation of a workspace."""
    for entry in items(mapping(store.item(held, "composer.composerData")).get("allComposers")):
        if isinstance(entry, dict) and text(entry.get("composerId")):
            yield "composer", entry["composerId"], msgspec.convert(entry, Composer)
    chat = mapping(store.item(held, "workbench.panel.aichat.view.aichat.chatdata"))
    for tab in map(mapping, items(chat.get("tabs"))):
        name = text(tab.get("tabId"))
        if name:
            last = tab.get("lastSendTime")
            info = Composer(name=tab.get("chatTitle"), updated=last, conversation=tab.get("bubbles"))
            yield "tab", name, info


def _explored(held: Store) -> str | None:
    """The folder that the file explorer shows, where workspace.json is not there to tell."""
    state = mapping(store.item(held, "workbench.explorer.treeViewState"))
    shown = [*items(state.get("focus")), *items(state.get("expanded"))]
    roots = (places.path_of(entry.partition("::")[0]) for entry in shown if isinstance(entry, str))
    return next((root for root in roots if root), None)


def _left(log: Log, known: set[str], types: Counter[str]) -> Iterator[Record]:
    """The transcripts of conversations that the store does not have."""
    for path in places.transcripts(log):
        name = PurePosixPath(path).stem
        if name not in known and not places.chat(log, name):
            known.add(name)
            file = log.at(path)
            if file is not None:
                yield from _transcribed(log, file, types)


def _transcribed(log: Log, file: Log, types: Counter[str]) -> Iterator[Record]:
    """The one conversation of a transcript."""
    rows = Transcript(file.stem)
    transcripts.read(file, rows, types, owned=file is log)
    tools.settle(rows)
    if not rows.rows:
        return
    parent = file.parts[-3] if len(file.parts) > 2 and file.parts[-2] == "subagents" else None
    folder = places.of_slug(log, file.parts)
    yield Session(
        native_id=rows.native_id,
        title=rows.first_prompt(),
        project=folder,
        cwd=folder,
        started_at=rows.started_at,
        ended_at=rows.ended_at,
        kind="subagent" if parent else "main",
    )
    yield from rows.records()
    if parent and parent != rows.native_id:
        yield Relation(rows.native_id, "subagent", parent)


def parse_chat(log: Log) -> Iterator[Record]:
    """The one conversation of a chat of the CLI."""
    types: Counter[str] = Counter()
    beside = log.near("meta.json")
    told = mapping(decoded(log, beside.data(), _ANY, beside.path)) if beside else {}
    name = log.parts[-2] if len(log.parts) > 1 else log.stem
    try:
        with log.sqlite() as connection:
            found = chats.chat(log, connection, types)
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
        found = chats.Chat({}, [])
    if found.messages or told:
        yield from _chat(name, found, told, types)
    yield from tallies(types, READ, SKIPS)


def _chat(
    name: str, found: chats.Chat, told: Mapping[str, Any], types: Counter[str]
) -> Iterator[Record]:
    rows = Transcript(name)
    chats.read(found.messages, text(found.meta.get("lastUsedModel")), rows, types)
    tools.settle(rows)
    created = stamp(told.get("createdAtMs"))
    title = one_line(told.get("title")) or one_line(found.meta.get("name"))
    yield Session(
        native_id=name,
        title=title or rows.first_prompt(),
        project=text(told.get("cwd")),
        cwd=text(told.get("cwd")),
        started_at=stamp(found.meta.get("createdAt")) if created is None else created,
        ended_at=stamp(told.get("updatedAtMs")),
        entrypoint="cli",
    )
    yield from rows.records()
