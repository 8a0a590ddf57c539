"""Whose transcript a log is, and which call of which session started it.

A main transcript is named by its file. An agent's id is unique only below its trunk, the main session,
so its native id is `<trunk>/<agent id>` at any depth of nesting.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Relation, SessionKind
from siphon.sources.claude_code.entries import Entry, Turn
from siphon.sources.claude_code.mending import Mending
from siphon.sources.claude_code.outcome import agent_of
from siphon.sources.claude_code.spots import call_id, is_random

_PREFIX = "agent-"
_COMPACTION = "acompact-"
_INTERNAL = (_COMPACTION, "aprompt_suggestion-")
_TASK = re.compile(r"<task-id>([^<]*)</task-id>.*?<tool-use-id>([^<]*)</tool-use-id>", re.DOTALL)
_TAIL = re.compile(r"\bagentId: ([\w@.-]+)")


class Place(NamedTuple):
    """Where a log stands: its session, the trunk it belongs to, the folder of the trunk's companions."""

    native_id: str
    trunk: str
    agent_id: str | None  # None: a main transcript
    folder: str  # below the home: <slug>/<trunk>


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """`agent-<id>.meta.json`, or the line that stands for it."""

    agent_type: str | None = None
    tool_use_id: str | None = None
    parent_agent_id: str | None = None
    description: str | None = None
    name: str | None = None


_META = msgspec.json.Decoder(Meta)


def first_session_id(log: Log) -> str | None:
    """The first that a line names; only old agents' files, which lie beside their trunk's, need it."""
    if not is_agent_file(log) or "subagents" in log.path.split("/"):
        return None
    mending = Mending()
    with log.open() as file:
        for raw in file:
            try:
                entry = mending.line(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if entry.session_id:
                return entry.session_id
    return None


def place_of(log: Log, session_id: str | None) -> Place:
    """`session_id`: what its lines say."""
    parts, stem = log.path.split("/"), _stem(log)
    agent = stem.removeprefix(_PREFIX) if stem.startswith(_PREFIX) else None
    if "subagents" in parts[1:]:
        end = len(parts) - parts[::-1].index("subagents") - 1
        trunk, folder = parts[end - 1], "/".join(parts[:end])
    else:
        named = session_id is not None and not session_id.startswith(_PREFIX)
        trunk = session_id if agent is not None and session_id is not None and named else stem
        folder = "/".join([*parts[:-1], trunk])
    if agent is None or trunk == stem:
        return Place(stem, trunk if agent is None else stem, None, folder)
    return Place(f"{trunk}/{agent}", trunk, agent, folder)


def is_agent_file(log: Log) -> bool:
    """Whether the file's name says so, even if no line tells whose agent it is."""
    return log.path.rpartition("/")[2].startswith(_PREFIX)


def _stem(log: Log) -> str:
    """As the log's own, which takes a path apart for it: there are thousands of small agents' files."""
    stem, dot, suffix = log.name.rpartition(".")
    return stem if stem and dot and suffix == "jsonl" else log.stem


def kind(agent_id: str) -> SessionKind:
    return "internal" if agent_id.startswith(_INTERNAL) else "subagent"


def meta_of(log: Log) -> Meta:
    """The companion's content; empty if there is none."""
    folder, slash, _ = log.path.rpartition("/")
    companion = log.at(f"{folder}{slash}{_stem(log)}.meta.json")
    found = companion.json(_META) if companion is not None else None
    return found or Meta()


def meta_of_line(entry: Entry) -> Meta:
    return Meta(
        agent_type=entry.agent_type,
        tool_use_id=entry.tool_use_id,
        parent_agent_id=entry.parent_agent_id,
        description=entry.description,
        name=entry.name,
    )


def relation(log: Log, place: Place, meta: Meta) -> Relation:
    """What an agent's own log comes from."""
    agent = place.agent_id or ""
    if agent.startswith(_COMPACTION):
        return Relation(place.native_id, "compaction", place.trunk)
    parent, spawner = place.trunk, f"{place.folder}.jsonl"
    if meta.parent_agent_id:
        nested = meta.parent_agent_id.removeprefix(_PREFIX)
        parent += f"/{nested}"
        spawner = "/".join([*log.parts[:-1], f"{_PREFIX}{nested}.jsonl"])
    call = meta.tool_use_id
    if not call and kind(agent) == "subagent":
        call = _call_in_trunk(log, place)
    if call and not is_random(call):
        call = _call_in(log.at(spawner), call)
    return Relation(place.native_id, "subagent", parent, call or None)


def _call_in(spawner: Log | None, call: str) -> str | None:
    """The native id of a call whose own id is not unique."""
    for entry in _mentions(spawner, call) if spawner is not None else ():
        content = entry.message.content if entry.message is not None else None
        if isinstance(content, list) and any(block.id == call for block in content):
            return call_id(entry.uuid, call, 0)
    return call


def _call_in_trunk(log: Log, place: Place) -> str | None:
    """The call whose result, progress or notification names the agent, where no meta.json tells.

    Only old releases leave the call out of meta.json, so this never runs on a log that still grows.
    """
    trunk = log.at(f"{place.folder}.jsonl")
    if trunk is None or place.agent_id is None:
        return None
    for entry in _mentions(trunk, place.agent_id):
        if (call := _call_of(entry, place.agent_id)) is not None:
            return call
    return None


def _mentions(trunk: Log, agent: str) -> Iterator[Turn]:
    """The entries that name the agent anywhere. What is damaged, the trunk's own parse records."""
    needle, mending = agent.encode(), Mending()
    with trunk.open() as file:
        for raw in file:
            if needle in raw:
                try:
                    entry = mending.line(raw)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue
                yield entry


def _call_of(entry: Turn, agent: str) -> str | None:
    """The id of the call that an entry of the trunk links to the agent."""
    if isinstance(entry, Entry):
        if entry.data is not None and entry.data.agent_id == agent:
            return entry.parent_tool_use_id
        return _notified(entry.content, agent) if isinstance(entry.content, str) else None
    if entry.type != "user" or entry.message is None:
        return None
    if isinstance(entry.message.content, str):
        return _notified(entry.message.content, agent)
    for block in entry.message.content or ():
        if block.tool_use_id and (
            agent_of(entry.tool_use_result) == agent or agent in _TAIL.findall(_text(block.content))
        ):
            return block.tool_use_id
    return None


def _notified(text: str, agent: str) -> str | None:
    return next((call for task, call in _TASK.findall(text) if task == agent), None)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(block.text or "" for block in content)
    return content if isinstance(content, str) else ""
