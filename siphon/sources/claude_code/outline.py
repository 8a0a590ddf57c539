"""What only the whole of a transcript tells: which lines were left behind, and what was copied.

A rewound prompt stays in the log; the tree of parents alone shows that the talk went on elsewhere.
A fork stamps its last copied line with the time of forking.
"""

from dataclasses import dataclass, field
from typing import cast

import msgspec

from siphon.log import Log
from siphon.sources.claude_code.entries import Entry, Mending, Sketch
from siphon.sources.claude_code.prompts import pieces


@dataclass(slots=True)
class Outline:
    """A transcript's lines by their uuids."""

    parents: dict[str, str | None] = field(default_factory=dict)  # in the order of first lines
    prompts: dict[str, list[str]] = field(default_factory=dict)  # parent → children that were typed
    retracted: set[str] = field(default_factory=set)  # or superseded
    originals: dict[str, str] = field(default_factory=dict)  # a fork's copy → the line it copies
    last_copy: str | None = None
    forked_from: str | None = None  # a session
    session_id: str | None = None  # the last one
    session_ids: dict[str, None] = field(default_factory=dict)  # distinct, in order
    lines: dict[int, str] = field(default_factory=dict)  # offset → uuid


def outline_of(log: Log) -> Outline:
    """Read a log for its outline alone; what is damaged, the full reading records."""
    outline = Outline()
    again = Log(log.home, log.host, log.path)
    again.reads = log.reads
    for line, sketch in again.objects(cast("msgspec.json.Decoder[Sketch]", Mending(Sketch))):
        add(outline, sketch, line.offset)
    return outline


def add(outline: Outline, entry: Entry | Sketch, offset: int) -> None:
    """Take in one more line."""
    session_id = entry.session_id
    if session_id and session_id != outline.session_id:
        outline.session_id = session_id
        outline.session_ids[session_id] = None
    uuid = entry.uuid
    if uuid is None:
        return
    outline.lines[offset] = uuid
    if uuid in outline.parents:
        return
    parent = entry.parent_uuid or entry.logical_parent_uuid
    outline.parents[uuid] = parent
    if parent is not None and entry.type == "user" and _is_typed(entry):
        outline.prompts.setdefault(parent, []).append(uuid)
    if entry.supersedes_uuids or entry.retracted_message_uuids:
        outline.retracted.update(entry.supersedes_uuids or (), entry.retracted_message_uuids or ())
    if entry.forked_from is not None and entry.forked_from.message_uuid:
        outline.originals[uuid] = entry.forked_from.message_uuid
        outline.last_copy = uuid
        outline.forked_from = outline.forked_from or entry.forked_from.session_id


def abandoned(outline: Outline) -> set[str]:
    """Lines that were retracted, or left by a person who went back.

    Where two prompts were sent from one place, only the branch that went on last still counts. Lines
    stand after their parents, so one pass each way does. Where parents run in circles nothing was left.
    """
    forks = [
        siblings
        for parent, siblings in outline.prompts.items()
        if len(siblings) > 1 and _path(outline, parent).isdisjoint(siblings)
    ]
    if not forks:
        return outline.retracted
    latest, kept = _latest(outline), _path(outline, next(reversed(outline.parents), None))
    left: set[str] = set()
    for siblings in forks:
        last = max(siblings, key=lambda uuid: latest[uuid])
        left.update(uuid for uuid in siblings if uuid != last and uuid not in kept)
    for uuid, parent in outline.parents.items():
        if parent in left and uuid not in kept:
            left.add(uuid)
    return left | outline.retracted


def _path(outline: Outline, uuid: str | None) -> set[str]:
    """The line and its ancestors."""
    path: set[str] = set()
    while uuid is not None and uuid not in path:
        path.add(uuid)
        uuid = outline.parents.get(uuid)
    return path


def _latest(outline: Outline) -> dict[str, int]:
    """The place of the last line on each line's branch."""
    latest = {uuid: place for place, uuid in enumerate(outline.parents)}
    for uuid, parent in reversed(outline.parents.items()):
        if parent in latest:
            latest[parent] = max(latest[parent], latest[uuid])
    return latest


def _is_typed(entry: Entry | Sketch) -> bool:
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
