"""What only the whole of a transcript tells: which lines were left behind, and what was copied.

A rewound prompt stays in the log; the tree of parents alone shows that the talk went on elsewhere.
A fork stamps its last copied line with the time of forking.
"""

from dataclasses import dataclass, field

import msgspec

from siphon.log import Log
from siphon.sources.claude_code.entries import Forked, Sketch, Turn
from siphon.sources.claude_code.mending import Mending, sketch
from siphon.sources.claude_code.prompts import pieces

Parents = dict[str, str | None]  # of lines, by uuid, in the order of first lines


@dataclass(slots=True)
class Outline:
    """A transcript's lines as a tree."""

    nodes: list[tuple[int, str, str | None]] = field(default_factory=list)  # offset, uuid, parent
    prompts: dict[str, list[str]] = field(default_factory=dict)  # parent → children that were typed
    retracted: set[str] = field(default_factory=set)  # or superseded
    originals: dict[str, str] = field(default_factory=dict)  # a fork's copy → the line it copies
    last_copy: str | None = None
    forked_from: str | None = None  # a session
    session_id: str | None = None  # the last one
    session_ids: dict[str, None] = field(default_factory=dict)  # distinct, in order


def outline_of(log: Log) -> Outline:
    """Read a log for its outline alone; what is damaged, the full reading records."""
    outline = Outline()
    again = Log(log.home, log.host, log.path)
    again.reads = log.reads
    for line, entry in again.either(sketch, Mending().sketch):
        add(outline, entry, line.offset)
    return outline


class _Copy(msgspec.Struct, gc=False, rename="camel"):
    uuid: str | None = None
    forked_from: Forked | None = None


_COPY = msgspec.json.Decoder(_Copy)


def last_copy(log: Log) -> str | None:
    """The uuid of the last line that a fork copied: its time is that of the forking."""
    last = None
    for _, _, rows in Log(log.home, log.host, log.path).blocks():
        copies = (_copy(row) for row in reversed(rows) if b'"forkedFrom"' in row)
        last = next(filter(None, copies), last)
    return last


def _copy(row: bytes) -> str | None:
    """The uuid of a line that was copied; None: it is no such line."""
    try:
        copy = _COPY.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # the full reading records it
    return copy.uuid if copy.forked_from is not None and copy.forked_from.message_uuid else None


def add(outline: Outline, entry: Turn | Sketch, offset: int) -> None:
    """Take in one more line."""
    session_id = entry.session_id
    if session_id and session_id != outline.session_id:
        outline.session_id = session_id
        outline.session_ids[session_id] = None
    uuid = entry.uuid
    if uuid is None:
        return
    parent = entry.parent_uuid or entry.logical_parent_uuid
    outline.nodes.append((offset, uuid, parent))
    if parent is not None and entry.type == "user" and _is_typed(entry):
        siblings = outline.prompts.setdefault(parent, [])
        if uuid not in siblings:
            siblings.append(uuid)
    if entry.supersedes_uuids or entry.retracted_message_uuids:
        outline.retracted.update(entry.supersedes_uuids or (), entry.retracted_message_uuids or ())
    if entry.forked_from is not None and entry.forked_from.message_uuid:
        _add_copy(outline, uuid, entry.forked_from)


def _add_copy(outline: Outline, uuid: str, original: Forked) -> None:
    outline.originals.setdefault(uuid, original.message_uuid or "")
    outline.last_copy = uuid
    outline.forked_from = outline.forked_from or original.session_id


def abandoned(outline: Outline) -> set[str]:
    """Lines that were retracted, or left by a person who went back.

    Where two prompts were sent from one place, only the branch that went on last still counts. Lines
    stand after their parents, so one pass each way does. Where parents run in circles nothing was left.
    """
    places = [(parent, siblings) for parent, siblings in outline.prompts.items() if len(siblings) > 1]
    if not places:
        return outline.retracted
    parents: Parents = {}
    for _, uuid, parent in outline.nodes:
        parents.setdefault(uuid, parent)
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
    if entry.message is None or entry.is_meta or entry.is_sidechain or entry.is_compact_summary:
        return False
    content = entry.message.content
    if isinstance(content, str):
        return any(piece.role == "user" for piece in pieces(content))
    if not content:
        return False
    for block in content:
        if block.type == "tool_result":
            return False
    return any(piece.role == "user" for block in content for piece in pieces(block.text or ""))
