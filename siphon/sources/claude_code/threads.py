"""One session while its log is read: its facts, its open answers and calls, and the rows it gives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from siphon.records import Message, MessageKind, Record, Role, Session, SessionKind
from siphon.sources._text import line
from siphon.sources.claude_code import answers
from siphon.sources.claude_code.answers import Answer
from siphon.sources.claude_code.calls import Open, Result
from siphon.sources.claude_code.entries import Turn
from siphon.sources.claude_code.queued import Queue
from siphon.sources.claude_code.spots import Spot, part_id

_TITLE = 120  # characters
_WORKTREE = re.compile(r"[/\\]\.claude[/\\]worktrees[/\\].*", re.DOTALL)
_PROBES = {"/usage", "/clear"}


class Spawn(NamedTuple):
    """A call that starts an agent."""

    id: str | None  # as logged
    call: str | None  # native id
    offset: int
    prompt: str | None
    description: str | None
    agent: str | None


@dataclass(slots=True)
class Thread:
    native_id: str
    out: list[Record]
    offset: int = 0  # of its first line
    side: bool = False  # a subagent's: nobody typed there
    nested: bool = False  # sighted inside another session's lines
    kind: SessionKind = "main"
    last: int = 0  # seq given out
    talks: bool = False  # a line belongs to the conversation
    started_at: int | None = None
    ended_at: int | None = None
    project: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    agent: str | None = None
    custom_title: str | None = None
    ai_title: str | None = None
    summary: str | None = None
    description: str | None = None
    first_prompt: str | None = None
    last_prompt: str | None = None
    typed: list[str] = field(default_factory=list)  # distinct commands
    expanding: str | None = None  # uuid of a command whose text, as a prompt, is the next line
    seen: set[str] = field(default_factory=set)  # uuids
    answers: dict[str, Answer] = field(default_factory=dict)
    heard: dict[tuple[str | None, str | None], Answer] = field(
        default_factory=dict
    )  # by the ids of response and request, where both are known
    current: Answer | None = None
    said: int | None = None  # seq of the current answer's last message
    told: list[Message] = field(default_factory=list)  # of the current answer
    unsent: list[Message] = field(default_factory=list)  # the same, not yet among `out`
    calls: dict[str, Open] = field(default_factory=dict)  # by id, without result yet
    done: set[str] = field(default_factory=set)  # ids of calls with a result
    orphans: dict[str, Result] = field(default_factory=dict)  # by id, without call yet
    spawns: list[Spawn] = field(default_factory=list)
    started: dict[str, str | None] = field(default_factory=dict)  # agent's id → call that started it
    queue: Queue = field(default_factory=Queue)
    removed: list[tuple[int, Spot, str]] = field(default_factory=list)  # seq kept, text


def seq(thread: Thread) -> int:
    """The next position."""
    thread.last += 1
    return thread.last


def note(thread: Thread, entries: Sequence[Turn]) -> None:
    """Take the facts that most lines repeat."""
    if thread.cwd is None:
        thread.cwd = next((entry.cwd for entry in entries if entry.cwd), None)
    if thread.entrypoint is None:
        thread.entrypoint = next((entry.entrypoint for entry in entries if entry.entrypoint), None)
    if thread.agent is None:  # a teammate's; the line of a renaming names the session
        named = (entry.agent_name for entry in entries if entry.agent_name and entry.uuid is not None)
        thread.agent = next(named, None)
    latest = entries[::-1]
    thread.git_branch = next(
        (entry.git_branch for entry in latest if entry.git_branch), thread.git_branch
    )
    thread.version = next((entry.version for entry in latest if entry.version), thread.version)


def date(thread: Thread, ts: int | None) -> None:
    """Take a line's time."""
    if ts is not None:
        if thread.started_at is None or thread.ended_at is None:
            thread.started_at = thread.ended_at = ts
        elif ts > thread.ended_at:
            thread.ended_at = ts
        elif ts < thread.started_at:
            thread.started_at = ts


def span(thread: Thread, times: list[int]) -> None:
    """Take many lines' times."""
    if times:
        date(thread, min(times))
        date(thread, max(times))


def say(
    thread: Thread,
    spot: Spot,
    role: Role,
    kind: MessageKind,
    text: str | None,
    *,
    index: int = 0,
    at: int | None = None,
    attachments: str | None = None,
) -> None:
    """Yield a message that belongs to no answer. `index`: which one of its line; `at`: a kept seq."""
    flush(thread)
    message = Message(
        session=thread.native_id,
        seq=seq(thread) if at is None else at,
        role=role,
        kind=kind,
        text=text,
        ts=spot.ts,
        native_id=part_id(spot, index),
        parent_native_id=spot.parent,
        abandoned=spot.abandoned,
        attachments=attachments,
        offset=spot.offset,
        length=spot.length,
    )
    thread.out.append(message)


def speak(thread: Thread, message: Message) -> int:
    """Add a text of the current answer; returns how many characters are new.

    A line may hold a text anew, as far as it had come: the longest stays, in its first place.
    """
    new = message.text or ""
    for known in thread.told:
        if _same(known, message) and (known.text or "").startswith(new):
            return 0
    for place, known in enumerate(thread.unsent):
        if _same(known, message):
            old = known.text or ""
            if old.startswith(new):
                return 0
            if new.startswith(old):
                thread.unsent[place] = known._replace(text=new)
                return len(new) - len(old)
    thread.unsent.append(message)
    thread.said = message.seq
    return len(new)


def _same(known: Message, message: Message) -> bool:
    """Whether it may be the same text: of one kind, on another line."""
    return known.kind == message.kind and known.offset != message.offset


def flush(thread: Thread) -> None:
    """Yield what the current answer has said so far."""
    if thread.unsent:
        thread.out.extend(thread.unsent)
        thread.told.extend(thread.unsent)
        thread.unsent.clear()


def session(thread: Thread) -> Session:
    """The session's own row, at the log's end."""
    return Session(
        native_id=thread.native_id,
        title=_title(thread),
        project=thread.project or (thread.cwd and (_WORKTREE.sub("", thread.cwd) or thread.cwd)),
        cwd=thread.cwd,
        git_branch=thread.git_branch,
        version=thread.version,
        started_at=thread.started_at,
        ended_at=thread.ended_at,
        kind="probe" if _is_probe(thread) else thread.kind,
        entrypoint=thread.entrypoint,
        partial=thread.nested,
        agent=thread.agent,
    )


def bill(thread: Thread) -> None:
    """Yield the requests, at the log's end: any line may still have raised their usage."""
    for known in thread.answers.values():
        request = answers.request(known, thread.native_id, thread.nested)
        if request is not None:
            thread.out.append(request)


def _title(thread: Thread) -> str | None:
    named = (thread.custom_title, thread.ai_title, thread.summary, thread.description)
    given = next((title.strip() for title in named if title and title.strip()), None)
    said = (thread.first_prompt, *thread.typed[:1], thread.last_prompt, thread.agent)
    return given or next((title for text in said if text and (title := line(text, _TITLE))), None)


def _is_probe(thread: Thread) -> bool:
    """Started by an extension or a timer to look at limits or to warm a cache, not to work."""
    if thread.first_prompt is not None:
        return thread.first_prompt.strip() == "Warmup"
    return not thread.side and bool(thread.typed) and _PROBES.issuperset(thread.typed)
