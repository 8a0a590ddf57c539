"""Recognising a transcript that lies anywhere, by its content."""

import re
from itertools import islice

import msgspec

from siphon.log import Log
from siphon.sources.claude_code.entries import Turn
from siphon.sources.claude_code.mending import Mending

_LOOKED_AT = 64  # lines
_TALK = ("user", "assistant")
_NO_SLUG = re.compile(r"[^A-Za-z0-9]")
_SLUG = 200  # characters, from where on the tool adds a hash


def recognise(log: Log) -> str | None:
    """Where the log would lie below a home; None: it is no transcript of Claude Code."""
    seen = [entry for entry in _entries(log) if _is_ours(entry)]
    if not seen:
        return None
    cwd = next((entry.cwd for entry in seen if entry.cwd), "/unknown")
    folder = f".claude/projects/{_NO_SLUG.sub('-', cwd)[:_SLUG]}"
    ids = [entry.session_id for entry in seen if entry.session_id]
    session = log.stem if log.stem in ids else ids[0]
    agent = seen[0].agent_id if seen[0].is_sidechain else None
    if agent is None:
        return f"{folder}/{session}.jsonl"
    below = "" if session.startswith("agent-") else f"{session}/subagents/"
    return f"{folder}/{below}agent-{agent}.jsonl"


def _entries(log: Log) -> list[Turn]:
    mending, found = Mending(), []
    for line in islice(log.lines(), _LOOKED_AT):
        try:
            found.append(mending.line(line.data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # what is damaged says nothing of whose log it is
    return found


def _is_ours(entry: Turn) -> bool:
    """Forks of other tools share the envelope but not `message.content` beside `isSidechain`."""
    if entry.type not in _TALK or entry.session_id is None or entry.uuid is None:
        return False
    return (
        entry.is_sidechain is not None
        and entry.message is not None
        and entry.message.content is not None
    )
