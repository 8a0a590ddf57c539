"""What only the whole of a transcript tells: which lines were left behind, and what was copied.

A rewound prompt stays in the log; the tree of parents alone shows that the talk went on elsewhere.
A fork stamps its last copied line with the time of forking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from siphon.log import Log
from siphon.sources.claude_code.entries import Forked, Sketch, Turn
from siphon.sources.claude_code.mending import Mending, sketches
from siphon.sources.claude_code.prompts import pieces

Parents = dict[str, str | None]  # of lines, by uuid, in the order of first lines
_SESSION_ID = attrgetter("session_id")


@dataclass(slots=True)
class Outline:
    """A transcript's lines as a tree."""

    nodes: list[tuple[int, str, str | None]] = field(default_factory=list)  # offset, uuid, parent
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
        extend(outline, block.offsets, block.values)
    return outline


def extend(outline: Outline, offsets: Sequence[int], entries: Sequence[Turn | Sketch]) -> None:
    """Take in some more lines."""
    outline.session_ids |= dict.fromkeys(filter(None, map(_SESSION_ID, entries)))
    node = outline.nodes.append
    for offset, entry in zip(offsets, entries, strict=True):
        uuid = entry.uuid
        if uuid is None:
            continue
        parent = entry.parent_uuid or entry.logical_parent_uuid
        node((offset, uuid, parent))
        if entry.type == "user" and parent is not None and _is_typed(entry):
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
