"""Forks: a fork's first messages are its original's under new ids. Here they get the old ids back."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from siphon.sources.opencode.shapes import Conversation, Part, Turn, is_clone


class Origin(NamedTuple):
    """The conversation with the ids of what it repeats, and the session that it repeats."""

    conversation: Conversation
    session: str | None


def suspect(conversation: Conversation) -> Turn | None:
    """The first message, if it was made elsewhere or the title says so."""
    first = next(iter(conversation.turns), None)
    if first is None:
        return None
    return first if is_clone(first) or _is_fork(conversation.info.title) else None


def _is_fork(title: object) -> bool:
    return isinstance(title, str) and " (fork #" in title


def restored(conversation: Conversation, elders: Iterable[tuple[str, Sequence[Turn]]]) -> Origin:
    """The conversation with each repeated message named as where it is found under its oldest id.

    Two forks of one original repeat each other too: all agree on the oldest id. The elder that shares
    most is what was forked.
    """
    turns = list(conversation.turns)
    best, most = None, 0
    for session, elder in elders:
        shared = 0 if session == conversation.id else _shared(conversation.turns, elder)
        if shared and elder[0].id < conversation.turns[0].id and shared > most:
            best, most = session, shared
        for n in range(shared):
            if elder[n].id < turns[n].id:
                turns[n] = _renamed(conversation.turns[n], elder[n])
    info = conversation.info
    if best is not None and info.parent == best:  # some builds name what was forked as the parent
        info = msgspec.structs.replace(info, parent=None)
    return Origin(conversation._replace(turns=turns, info=info), best)


def _shared(turns: Sequence[Turn], elder: Sequence[Turn]) -> int:
    """How many messages both have in common, from the first on."""
    pairs = zip(turns, elder, strict=False)
    return next((n for n, pair in enumerate(pairs) if not _same(*pair)), min(len(turns), len(elder)))


def _same(turn: Turn, elder: Turn) -> bool:
    if (turn.info.role, turn.info.time) != (elder.info.role, elder.info.time):
        return False
    if [part.info.type for part in turn.parts] != [part.info.type for part in elder.parts]:
        return False
    pairs = zip(turn.parts, elder.parts, strict=True)
    return all((a.info.text, a.info.call) == (b.info.text, b.info.call) for a, b in pairs)


def _renamed(turn: Turn, elder: Turn) -> Turn:
    parts: list[Part] = [
        part._replace(key=old.key) for part, old in zip(turn.parts, elder.parts, strict=True)
    ]
    return Turn(elder.id, turn.info, parts)
