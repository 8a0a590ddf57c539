"""The IDE's key-value stores: composers with their bubbles, inline or in rows of their own."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import items, mapping, stamp, text
from siphon.sources._sqlite import decoded, rows
from siphon.sources._workspace import path_of

_ANY = msgspec.json.Decoder()


class Composer(msgspec.Struct):
    """A conversation's own record; fields take any type, and vary with `_v`."""

    id: Any = msgspec.field(default=None, name="composerId")
    name: Any = None
    created: Any = msgspec.field(default=None, name="createdAt")
    updated: Any = msgspec.field(default=None, name="lastUpdatedAt")
    mode: Any = msgspec.field(default=None, name="unifiedMode")
    model: Any = msgspec.field(default=None, name="modelConfig")
    headers: Any = msgspec.field(default=None, name="fullConversationHeadersOnly")
    conversation: Any = None
    conversation_map: Any = msgspec.field(default=None, name="conversationMap")
    usage: Any = msgspec.field(default=None, name="usageData")
    branch: Any = msgspec.field(default=None, name="createdOnBranch")
    active_branch: Any = msgspec.field(default=None, name="activeBranch")
    repos: Any = msgspec.field(default=None, name="trackedGitRepos")
    subs: Any = msgspec.field(default=None, name="subComposerIds")
    agents: Any = msgspec.field(default=None, name="subagentComposerIds")
    subagent: Any = msgspec.field(default=None, name="subagentInfo")
    alternate: Any = msgspec.field(default=None, name="isBestOfNSubcomposer")
    workspace: Any = msgspec.field(default=None, name="workspaceIdentifier")


class Bubble(msgspec.Struct):
    """One bubble of a conversation; those of the chat panel of 2024 call their fields otherwise."""

    id: Any = msgspec.field(default=None, name="bubbleId")
    old_id: Any = msgspec.field(default=None, name="id")
    type: Any = None  # 1 or "user": a person's; 2 or "ai": the model's
    created: Any = msgspec.field(default=None, name="createdAt")
    text: Any = None
    capability: Any = msgspec.field(default=None, name="capabilityType")
    thinking: Any = None
    thoughts: Any = msgspec.field(default=None, name="allThinkingBlocks")
    tool: Any = msgspec.field(default=None, name="toolFormerData")
    tokens: Any = msgspec.field(default=None, name="tokenCount")
    model: Any = msgspec.field(default=None, name="modelInfo")
    old_model: Any = msgspec.field(default=None, name="modelType")
    context: Any = None
    images: Any = None
    selected_images: Any = msgspec.field(default=None, name="selectedImages")
    file_selections: Any = msgspec.field(default=None, name="fileSelections")
    timing: Any = msgspec.field(default=None, name="timingInfo")
    started: Any = msgspec.field(default=None, name="startedAtMs")
    completed: Any = msgspec.field(default=None, name="completedAtMs")
    simulated: Any = msgspec.field(default=None, name="isSimulatedMsg")
    request: Any = msgspec.field(default=None, name="requestId")

    @property
    def key(self) -> str | None:
        return text(self.id) or text(self.old_id)

    @property
    def ts(self) -> int | None:
        """When it came: its own time, else what is known of when the client got it."""
        client = mapping(self.timing).get("clientStartTime")
        return next(
            (ts for t in (self.created, self.started, client) if (ts := stamp(t)) is not None), None
        )


class Store(NamedTuple):
    """An open store."""

    log: Log
    connection: sqlite3.Connection
    tables: Mapping[str, list[str]]


_COMPOSER = msgspec.json.Decoder(Composer)
_BUBBLE = msgspec.json.Decoder(Bubble)


def item(store: Store, key: str) -> Any:
    """The JSON of a key of ItemTable; None if it has none."""
    if not {"key", "value"} <= set(store.tables.get("ItemTable", [])):
        return None
    sql = "select cast(value as blob) from ItemTable where key = ?"
    for (value,) in rows(store.log, store.connection, sql, (key,)):
        return decoded(store.log, value, _ANY, key) if value else None
    return None


def composers(store: Store) -> dict[str, Composer | None]:
    """The conversations of the global store by id; None for one that was deleted or cannot be read."""
    found: dict[str, Composer | None] = {}
    for key, value in _range(store, "composerData:"):
        composer = key.partition(":")[2]
        found[composer] = None
        if value is not None:
            found[composer] = decoded(store.log, value, _COMPOSER, key)
    return found


def strays(store: Store, known: Mapping[str, Composer | None]) -> list[str]:
    """Conversations of which only bubbles are left."""
    if "cursorDiskKV" not in store.tables:
        return []
    sql = (
        "select distinct substr(key, 10, instr(substr(key, 10), ':') - 1) from cursorDiskKV"
        " where key >= 'bubbleId:' and key < 'bubbleId;' and value is not null"
    )
    found = [row[0] for row in rows(store.log, store.connection, sql)]
    return sorted(name for name in found if isinstance(name, str) and name and name not in known)


def _range(store: Store, prefix: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield (key, value) of the keys that begin with a prefix that ends in a colon."""
    if not {"key", "value"} <= set(store.tables.get("cursorDiskKV", [])):
        return
    sql = "select key, cast(value as blob) from cursorDiskKV where key >= ? and key < ? order by key"
    for key, value in rows(store.log, store.connection, sql, (prefix, f"{prefix[:-1]};")):
        if isinstance(key, str):
            yield key, value if isinstance(value, bytes) else None


def bubbles(store: Store, composer: str, info: Composer) -> list[Bubble]:
    """A conversation's bubbles: as its headers order them, then those no header names, by time."""
    inline = {bubble.key or str(n): bubble for n, bubble in enumerate(inline_bubbles(info))}
    own: dict[str, Bubble] = {}
    for key, value in _range(store, f"bubbleId:{composer}:"):
        bubble = decoded(store.log, value, _BUBBLE, key) if value is not None else None
        if bubble is not None:
            own[text(bubble.id) or key.rpartition(":")[2]] = _named(bubble, key)
    headers = [text(mapping(header).get("bubbleId")) or "" for header in items(info.headers)]
    places = dict.fromkeys([*(name for name in headers if name in inline or name in own), *inline])
    orphans = [bubble for name, bubble in own.items() if name not in places]
    ordered = [own.get(name) or inline[name] for name in places]
    return ordered + sorted(orphans, key=lambda bubble: bubble.ts or 0)


def _named(bubble: Bubble, key: str) -> Bubble:
    bubble.id = text(bubble.id) or key.rpartition(":")[2]
    return bubble


def inline_bubbles(info: Composer) -> list[Bubble]:
    """Bubbles that old builds keep in the conversation's record."""
    found = [*items(info.conversation), *mapping(info.conversation_map).values()]
    return [msgspec.convert(bubble, Bubble) for bubble in found if isinstance(bubble, dict)]


def content(store: Store, name: Any) -> str | None:
    """The text of a file as it was before or after an edit, where the store still has it."""
    key = text(name)
    if key is None or "cursorDiskKV" not in store.tables:
        return None
    full = key if key.startswith("composer.content.") else f"composer.content.{key}"
    sql = "select cast(value as blob) from cursorDiskKV where key = ?"
    for (value,) in rows(store.log, store.connection, sql, (full,)):
        return value.decode(errors="replace") if isinstance(value, bytes) else None
    return None


def folders(store: Store) -> dict[str, str]:
    """The folder of each conversation that the headers of newer builds name."""
    headers = mapping(item(store, "composer.composerHeaders"))
    found = {}
    for header in map(mapping, items(headers.get("allComposers")) or headers.values()):
        path = path_of(mapping(header.get("workspaceIdentifier")).get("uri"))
        composer = text(header.get("composerId"))
        if path and composer:
            found[composer] = path
    return found
