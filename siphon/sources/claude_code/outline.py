"""What only the whole of a transcript tells: which lines were left behind, and what was copied.

A rewound prompt stays in the log; the tree of parents alone shows that the talk went on elsewhere.
A fork stamps its last copied line with the time of forking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from siphon.log import Log
from siphon.records import Message, Record, ToolCall
from siphon.sources.claude_code.entries import Forked, Sketch, Turn
from siphon.sources.claude_code.mending import Mending, sketches
from siphon.sources.claude_code.prompts import pieces

Entries = Sequence[Turn | Sketch]
Parents = dict[str, str | None]  # of lines, by uuid, in the order of first lines


@dataclass(slots=True)
class Outline:
    """A transcript's lines as a tree; the first three lists are its columns, an element a line."""

    offsets: list[int] = field(default_factory=list)
    uuids: list[str | None] = field(default_factory=list)
    parents: list[str | None] = field(default_factory=list)
    prompts: dict[str, list[str]] = field(default_factory=dict)  # parent → children that were typed
    retracted: set[str] = field(default_factory=set)  # or superseded
    originals: dict[str, str] = field(default_factory=dict)  # a fork's copy → the line it copies
    last_copy: str | None = None
    forked_from: str | None = None  # a session
    session_ids: dict[str, None] = field(default_factory=dict)  # distinct, in order


def outline_of(log: Log) -> Outline:
    """Read a log for its outline alone; what is damaged, the full reading records."""
    outline = Outline()
    again = Log(log.home, log.host, log.path)
    again.reads = log.reads
    for block in again.decoded(sketches, Mending().sketch):
        extend(outline, block.offsets, *ids(block.values), block.values)
        for entry in block.values:
            if entry.type == "user":
                add_prompt(outline, entry)
    return outline


def ids(entries: Entries) -> tuple[list[str | None], list[str | None]]:
    """Two columns: the lines' uuids, and their parents'."""
    return [entry.uuid for entry in entries], [entry.parent_uuid for entry in entries]


def extend(
    outline: Outline,
    offsets: Sequence[int],
    uuids: list[str | None],
    parents: list[str | None],
    entries: Entries,
) -> None:
    """Take in some more lines, but for what was typed in them."""
    # Column by column: what a line rarely has is looked for in all of them at once.
    before = len(outline.uuids)
    outline.offsets += offsets
    outline.uuids += uuids
    outline.parents += parents
    runs = groupby([entry.session_id for entry in entries])
    outline.session_ids |= dict.fromkeys([session_id for session_id, _ in runs if session_id])
    rare = [
        place
        for place, entry in enumerate(entries)
        if entry.logical_parent_uuid is not None
        or entry.supersedes_uuids is not None
        or entry.retracted_message_uuids is not None
        or entry.forked_from is not None
    ]
    for place in rare:
        outline.parents[before + place] = _parent(entries[place])
        _add_changes(outline, entries[place])


def add_prompt(outline: Outline, entry: Turn | Sketch) -> None:
    """Take in a user line, if it was typed."""
    parent = _parent(entry)
    if entry.uuid is not None and parent is not None and _is_typed(entry):
        siblings = outline.prompts.setdefault(parent, [])
        if entry.uuid not in siblings:
            siblings.append(entry.uuid)


def _parent(entry: Turn | Sketch) -> str | None:
    return entry.parent_uuid or entry.logical_parent_uuid


def _add_changes(outline: Outline, entry: Turn | Sketch) -> None:
    """What the line says of other lines: it stands in their place, or it copies one."""
    if entry.uuid is not None:
        outline.retracted.update(entry.supersedes_uuids or (), entry.retracted_message_uuids or ())
        if entry.forked_from is not None and entry.forked_from.message_uuid:
            _add_copy(outline, entry.uuid, entry.forked_from)


def _add_copy(outline: Outline, uuid: str, original: Forked) -> None:
    outline.originals.setdefault(uuid, original.message_uuid or "")
    outline.last_copy = uuid
    outline.forked_from = outline.forked_from or original.session_id


def mark(rows: list[Record], outline: Outline) -> None:
    """Say of the rows whose lines were left behind that they are abandoned."""
    left = abandoned(outline)
    if not left:
        return
    nodes = zip(outline.offsets, outline.uuids, strict=True)
    offsets = {offset for offset, uuid in nodes if uuid in left}
    for place, row in enumerate(rows):
        if isinstance(row, Message | ToolCall) and row.offset in offsets:
            rows[place] = row._replace(abandoned=True)


def abandoned(outline: Outline) -> set[str]:
    """Lines that were retracted, or left by a person who went back.

    Where two prompts were sent from one place, only the branch that went on last still counts. Lines
    stand after their parents, so one pass each way does. Where parents run in circles nothing was left.
    """
    places = [(parent, siblings) for parent, siblings in outline.prompts.items() if len(siblings) > 1]
    if not places:
        return outline.retracted
    parents: Parents = {}
    for uuid, parent in zip(outline.uuids, outline.parents, strict=True):
        if uuid is not None:
            parents.setdefault(uuid, parent or None)
    forks = [siblings for parent, siblings in places if _path(parents, parent).isdisjoint(siblings)]
    return (_left(parents, forks) if forks else set()) | outline.retracted


def _left(parents: Parents, forks: list[list[str]]) -> set[str]:
    """The branches of these forks that did not go on last."""
    latest, kept = _latest(parents), _path(parents, next(reversed(parents), None))
    left: set[str] = set()
    for siblings in forks:
        last = max(siblings, key=lambda uuid: latest[uuid])
        left.update(uuid for uuid in siblings if uuid != last and uuid not in kept)
    for uuid, parent in parents.items():
        if parent in left and uuid not in kept:
            left.add(uuid)
    return left


def _path(parents: Parents, uuid: str | None) -> set[str]:
    """The line and its ancestors."""
    path: set[str] = set()
    while uuid is not None and uuid not in path:
        path.add(uuid)
        uuid = parents.get(uuid)
    return path


def _latest(parents: Parents) -> dict[str, int]:
    """The place of the last line on each line's branch."""
    latest = {uuid: place for place, uuid in enumerate(parents)}
    for uuid, parent in reversed(parents.items()):
        if parent in latest:
            latest[parent] = max(latest[parent], latest[uuid])
    return latest


def _is_typed(entry: Turn | Sketch) -> bool:
    content = None if entry.message is None else entry.message.content
    if not content or entry.is_meta or entry.is_sidechain or entry.is_compact_summary:
        return False
    if isinstance(content, str):
        return any(piece.role == "user" for piece in pieces(content))
    for block in content:
        if block.type == "tool_result":
            return False
    return any(piece.role == "user" for block in content for piece in pieces(block.text or ""))
