"""Which of a host's logs yields which session.

A session may lie in a store, in a tree of either generation (migrations copy and leave the old one) and
in an export. It is read once: from the store, else the second generation, else the first, else the
export. Where a host has a store, the store is the log that reads all of them, and the others only say
`twin`. So a tree's logs depend on the store's being there, not on its ever changing bytes. Of several
stores (channels) the first does so; sessions that two stores share are linked by their ids.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from siphon.log import Log
from siphon.records import Record, Relation
from siphon.sources._loose import text
from siphon.sources._sqlite import DAMAGE, tables
from siphon.sources._tally import tallies
from siphon.sources.opencode import export, lineage, store, tree
from siphon.sources.opencode.places import Places
from siphon.sources.opencode.reading import READ, records
from siphon.sources.opencode.shapes import Conversation, SessionInfo, Turn
from siphon.sources.opencode.skips import SKIPS

Elders = Callable[[Turn], Iterator[tuple[str, Sequence[Turn]]]]


def parse(log: Log, places: Places) -> Iterator[Record]:
    """The sessions that a log of the tool is to yield."""
    types: Counter[str] = Counter()
    if log.name.endswith(".db"):
        yield from _stored(log, places, types)
    elif _is_twin(log, places):
        types["twin"] += 1
    elif log.name == "migration":
        yield from _orphans(log, log.path, set(), types)
    elif log.parts[0] == places.exports:
        yield from _exported(log, log.path, set(), types)
    else:
        yield from _filed(log, log.path, set(), types)
    yield from tallies(types, READ, SKIPS)


def _is_twin(log: Log, places: Places) -> bool:
    """Whether another log reads this one's session: the store, else the later generation."""
    if any(tree.glob(log, pattern) for pattern in places.stores):
        return True
    if log.name == "migration":
        return False
    later = {path for folder in places.second for path in tree.glob(log, f"{folder}{log.name}")}
    if log.path in later:
        return False
    earlier = {path for folder in places.first for path in tree.glob(log, f"{folder}{log.name}")}
    return bool(later or earlier - {log.path})


def _stored(log: Log, places: Places, types: Counter[str]) -> Iterator[Record]:
    """The sessions of a store and, for the first store of the host, those that no store has."""
    known: set[str] = set()
    try:
        with log.sqlite() as connection:
            held = store.Store(log, connection, tables(log, connection))
            if not {"session", "message", "part"} <= held.tables.keys():
                log.problem("no tables session, message and part")
            yield from _rows(held, known, types)
    except DAMAGE as error:
        log.problem(f"not readable as a store: {error}")
    owners = (path for pattern in places.stores for path in tree.glob(log, pattern))
    if next(owners, None) == log.path:
        yield from _left(log, places, known, types)


def _rows(held: store.Store, known: set[str], types: Counter[str]) -> Iterator[Record]:
    worktrees = store.worktrees(held)
    infos = store.sessions(held)
    for session in (*infos, *store.strays(held, infos)):
        known.add(session)
        info = infos.get(session) or SessionInfo()
        found = store.conversation(held, session, info, worktrees.get(str(info.project)))
        parent = text(info.parent)
        call = store.caller(held, session, parent) if parent else None
        yield from _told(found, types, lambda turn: store.elders(held, turn), call)
    types.update(store.mirrors(held))


def _left(log: Log, places: Places, known: set[str], types: Counter[str]) -> Iterator[Record]:
    """Sessions of trees and exports that are in no store: their project was gone at the migration."""
    for folder in (*places.second, *places.first):
        for path in tree.glob(log, f"{folder}*.json"):
            if PurePosixPath(path).stem not in known:
                yield from _filed(log, path, known, types)
    for data in places.data:
        for path in tree.glob(log, f"{data}/storage/migration"):
            yield from _orphans(log, path, known, types)
    for path in tree.glob(log, f"{places.exports}/*.json") if places.exports else ():
        if PurePosixPath(path).stem not in known:
            yield from _exported(log, path, known, types)


def _filed(log: Log, path: str, known: set[str], types: Counter[str]) -> Iterator[Record]:
    """The session of a tree's session file."""
    where = tree.tree_of(log, path)
    found = tree.conversation(where, path)
    if found.id not in known:
        known.add(found.id)
        call = tree.caller(where, found)
        yield from _told(found, types, lambda turn: tree.elders(where, turn), call)


def _orphans(log: Log, migration: str, known: set[str], types: Counter[str]) -> Iterator[Record]:
    """Sessions of which a tree holds messages only; its `migration` file stands for the tree."""
    where = tree.Tree(log, str(PurePosixPath(migration).parent), first=False)
    for session in tree.orphans(where):
        if session not in known:
            known.add(session)
            found = tree.orphan(where, session)
            yield from _told(found, types, lambda turn: tree.elders(where, turn), None)


def _exported(log: Log, path: str, known: set[str], types: Counter[str]) -> Iterator[Record]:
    """The session of an export document."""
    found = export.conversation(log, path)
    if found is not None and found.id not in known:
        known.add(found.id)
        call = export.caller(log, path, found)
        yield from _told(found, types, lambda turn: export.elders(log, path, turn), call)


def _told(
    found: Conversation, types: Counter[str], elders: Elders, call: str | None
) -> Iterator[Record]:
    """All records of one session; `call` is the tool call of its parent that started it."""
    first = lineage.suspect(found)
    origin = lineage.restored(found, elders(first)) if first else lineage.Origin(found, None)
    yield from records(origin.conversation, types)
    parent = text(origin.conversation.info.parent)
    if origin.session:
        yield Relation(found.id, "fork", origin.session)
    if parent and parent not in (found.id, origin.session):
        yield Relation(found.id, "subagent", parent, call)
