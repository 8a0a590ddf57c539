"""Which file of a host yields a chat, and where chats lie.

After an upgrade a chat is there as .json and .jsonl: the .jsonl wins if it can be read at all. Opening a
folder copies the chats of the empty window into it: of copies the one with the youngest request is read,
then the one with most requests, then the one that has a folder. The others say `twin`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from siphon.log import Log
from siphon.records import Record, Session
from siphon.sources._decode import head
from siphon.sources._loose import items, mapping, one_line, stamp, text
from siphon.sources._sqlite import DAMAGE, decoded, rows, tables, tables_of
from siphon.sources._tally import tallies
from siphon.sources._workspace import folder
from siphon.sources.vscode_copilot.chat import Chat, branch, of_state, read, title
from siphon.sources.vscode_copilot.kinds import READ, SKIPS
from siphon.sources.vscode_copilot.places import FOLDERS, USERS
from siphon.sources.vscode_copilot.reading import read as rows_of

_ANY = msgspec.json.Decoder()


def parse(log: Log) -> Iterator[Record]:
    """The chat of a file, or those that old builds keep in the workspace's store."""
    types: Counter[str] = Counter()
    if log.name == "state.vscdb":
        yield from _stored(log, types)
    else:
        own = read(log, log.path)
        if _is_twin(log, own):
            types["twin"] += 1
        elif own is not None:
            yield from _told(log, own, types)
    yield from tallies(types, READ, SKIPS)


def _is_twin(log: Log, own: Chat | None) -> bool:
    """Whether another file is to yield the chat."""
    paths = _copies(log)
    if len(paths) < 2:
        return False
    chats = {path: own if path == log.path else read(_aside(log), path) for path in paths}
    ranks = [
        (_rank(path, chat), path)
        for path, chat in chats.items()
        if chat is not None and not _superseded(path, chats)
    ]
    return bool(ranks) and max(ranks)[1] != log.path


def _aside(log: Log) -> Log:
    """The log for looks at other logs: it remembers that it looked, and keeps no problems."""
    other = Log(log.home, log.host, log.path)
    other.reads = log.reads
    return other


def _copies(log: Log) -> list[str]:
    """All files of the chat below the same User folder, this one among them."""
    user = log.path[: log.path.rindex("/User/") + len("/User")] if "/User/" in log.path else None
    if user is None:
        return [log.path]
    up = "../" * (len(log.parts) - 1)
    name = "".join(f"[{char}]" if char in "*?[{" else char for char in log.stem)
    return [path for place in FOLDERS for path in log.glob(f"{up}{user}/{place}/{name}.{{json,jsonl}}")]


def _superseded(path: str, chats: dict[str, Chat | None]) -> bool:
    """Whether the same folder has the chat in its later form."""
    return path.endswith(".json") and chats.get(f"{path}l") is not None


def _rank(path: str, chat: Chat) -> tuple[int, int, bool]:
    return chat.last, len(chat.requests), "/workspaceStorage/" in path


def _told(log: Log, chat: Chat, types: Counter[str]) -> Iterator[Record]:
    """All records of a chat; none if nothing was asked in it."""
    name = text(chat.info.session_id) or log.stem
    if not chat.requests:
        types["session/empty"] += 1
        return
    types["session"] += 1
    found = rows_of(name, chat, types)
    storage = str(PurePosixPath(log.path).parent.parent)
    cwd = folder(log, storage) if "/workspaceStorage/" in storage else None
    created, last = stamp(chat.info.creation_date), stamp(chat.info.last_message_date)
    yield Session(
        native_id=name,
        title=one_line(title(chat.info) or _indexed(log, name)) or found.first_prompt(),
        project=cwd,
        cwd=cwd,
        git_branch=branch(chat.info),
        version=_version(chat),
        started_at=found.started_at if created is None else created,
        ended_at=last if found.ended_at is None else found.ended_at,
        entrypoint=text(chat.info.initial_location),
    )
    yield from found.records()


def _version(chat: Chat) -> str | None:
    """The version of the extension that answered last."""
    told = (text(mapping(asked.info.agent).get("extensionVersion")) for asked in reversed(chat.requests))
    return next((version for version in told if version), None)


def _indexed(log: Log, name: str) -> str | None:
    """The title that the workspace's index gives the chat."""
    store = _aside(log).near("../state.vscdb") if "/chatSessions/" in log.path else None
    index = mapping(_item(store, "chat.ChatSessionStore.index")) if store else {}
    return text(mapping(mapping(index.get("entries")).get(name)).get("title"))


def _item(store: Log, key: str) -> Any:
    """The JSON of a key of a workspace's store."""
    try:
        with store.sqlite() as connection:
            if "ItemTable" not in tables(store, connection):
                return None
            sql = "select cast(value as blob) from ItemTable where key = ?"
            found = list(rows(store, connection, sql, (key,)))
    except DAMAGE as error:
        store.problem(f"not readable as a store: {error}")
        return None
    return decoded(store, found[0][0], _ANY, key) if found and found[0][0] else None


def _stored(log: Log, types: Counter[str]) -> Iterator[Record]:
    """Chats of early builds, in one list."""
    seen: set[str] = set()
    for state in items(_item(log, "interactive.sessions")):
        if not isinstance(state, dict):
            continue
        chat = of_state(state)
        name = text(chat.info.session_id)
        if name is None or name in seen or log.glob(f"chatSessions/{name.replace('/', '_')}.*"):
            types["interactive.sessions"] += 1
            continue
        seen.add(name)
        yield from _kept(log, name, chat, types)


def _kept(log: Log, name: str, chat: Chat, types: Counter[str]) -> Iterator[Record]:
    if not chat.requests:
        types["session/empty"] += 1
        return
    types["session"] += 1
    found = rows_of(name, chat, types)
    cwd = folder(log, str(PurePosixPath(log.path).parent))
    yield Session(
        native_id=name,
        title=one_line(title(chat.info)) or found.first_prompt(),
        project=cwd,
        cwd=cwd,
        started_at=stamp(chat.info.creation_date) or found.started_at,
        ended_at=found.ended_at,
        entrypoint=text(chat.info.initial_location),
    )
    yield from found.records()


def recognise(log: Log) -> str | None:
    """Where a loose chat, an exported one, or a workspace's store would lie."""
    if log.name.endswith(".vscdb"):
        names = tables_of(log).keys()
        known = (
            "ItemTable" in names
            and "cursorDiskKV" not in names
            and b"interactive.sessions" in log.data()
        )
        above = log.parts[-2] if len(log.parts) > 1 else "loose"
        return f"{USERS[0]}/workspaceStorage/{above}/state.vscdb" if known else None
    if not log.name.endswith((".json", ".jsonl")):
        return None
    found = next(iter(head(log, 1)), {})
    if log.name.endswith(".jsonl"):
        found = mapping(found.get("v")) if found.get("kind") == 0 else {}
    told = _MARKS & found.keys() or found.keys() >= _OWN
    if not isinstance(found.get("requests"), list) or not told:
        return None
    name = text(found.get("sessionId")) or log.stem
    end = "jsonl" if log.name.endswith(".jsonl") else "json"
    return f"{USERS[0]}/globalStorage/emptyWindowChatSessions/{name.replace('/', '_')}.{end}"


_MARKS = {"responderUsername", "requesterUsername", "initialLocation"}
_OWN = {"sessionId", "creationDate"}
