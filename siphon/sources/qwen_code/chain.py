"""Which records were rewound: those on a branch that the last record does not descend from."""

from collections.abc import Iterable

from siphon.sources.qwen_code.lines import Entry

_SAID = frozenset({"user", "assistant", "tool_result"})


def abandoned(entries: Iterable[Entry]) -> set[str]:
    """The uuids that lead away from the way to the last record.

    A record whose ancestors are not known is not taken to be rewound: its chain may merely be torn.
    A rewind without a parent goes back to the beginning, so everything before it is gone.
    """
    parents: dict[str, str | None] = {}
    leaf: str | None = None
    gone: set[str] = set()
    for entry in entries:
        if entry.uuid is None or entry.uuid in parents:
            continue
        rewind = entry.subtype == "rewind"
        if rewind and entry.parent_uuid is None:
            gone |= set(parents)
        parents[entry.uuid] = entry.parent_uuid
        if rewind or entry.type in _SAID:
            leaf = entry.uuid
    way = _ancestors(leaf, parents)
    after = {leaf}  # bookkeeping that follows the last thing said
    for own, parent in parents.items():
        if parent in after:
            after.add(own)
        elif own not in way and (parent in way or parent in gone):
            gone.add(own)
    return gone - way


def _ancestors(own: str | None, parents: dict[str, str | None]) -> set[str]:
    found: set[str] = set()
    while own is not None and own in parents and own not in found:
        found.add(own)
        own = parents[own]
    return found
