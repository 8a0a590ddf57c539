"""A conversation's records: what each part of each message says."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from siphon.records import FileTouch, Message, MessageKind, Record, Role, Session
from siphon.sources._loose import as_json, image, items, mapping, one_line, stamp, text
from siphon.sources._text import unique
from siphon.sources._transcript import Transcript
from siphon.sources.opencode import tools, usage
from siphon.sources.opencode.shapes import Conversation, Part, Turn, models

READ = frozenset(
    f"part/{kind}"
    for kind in (
        "text",
        "reasoning",
        "tool",
        "step-finish",
        "file",
        "agent",
        "subtask",
        "retry",
        "patch",
    )
) | {"session", "message/user", "message/assistant"}
_DEFAULT = re.compile(r"(?:New|Child) session - \d{4}-\d\d-\d\dT\S+\s*\Z")
_AGENT = re.compile(r"\(@(\S+) subagent\)\s*\Z")
_BARE_ROOTS = ("", "/", "\\")


class Reading(NamedTuple):
    """What is read of a session so far."""

    rows: Transcript
    types: Counter[str]
    heads: dict[str, str]  # message → native id of its first row
    gone: set[str]  # keys of parts, and ids of messages, that a revert hides


def records(conversation: Conversation, types: Counter[str]) -> Iterator[Record]:
    """The session and all of its rows; counts the types of what it met."""
    reading = Reading(Transcript(conversation.id), types, {}, _reverted(conversation))
    types["session"] += 1
    for turn in conversation.turns:
        _turn(reading, turn)
    yield _session(conversation, reading.rows)
    yield from reading.rows.records()


def _session(conversation: Conversation, rows: Transcript) -> Session:
    info, turns = conversation.info, conversation.turns
    times = mapping(info.time)
    paths = [mapping(turn.info.path) for turn in turns]
    cwd = _concrete([info.directory, *(path.get("cwd") for path in paths)])
    title = text(info.title)
    called = _AGENT.search(title or "")
    started, ended = stamp(times.get("created")), stamp(times.get("updated"))
    return Session(
        native_id=conversation.id,
        title=rows.first_prompt() if title is None or _DEFAULT.match(title) else one_line(title),
        project=_concrete([conversation.worktree, *(path.get("root") for path in paths), cwd]),
        cwd=cwd,
        git_branch=text(info.branch),
        version=text(info.version),
        started_at=rows.started_at if started is None else started,
        # A fork that has nothing of its own yet has but older messages.
        ended_at=ended if rows.ended_at is None else max(rows.ended_at, started or 0),
        kind="subagent" if text(info.parent) else "main",
        agent=called[1] if called else None,
    )


def _concrete(paths: list[Any]) -> str | None:
    """The first that is a folder; `/` is the worktree of what lies in no repository."""
    return next((path for path in paths if isinstance(path, str) and path not in _BARE_ROOTS), None)


def _reverted(conversation: Conversation) -> set[str]:
    """What an undo hides until it is cleaned away: from a message, or a part of one, on."""
    revert = mapping(conversation.info.revert)
    message, part = text(revert.get("messageID")), text(revert.get("partID"))
    gone: set[str] = set()
    hidden = False
    for turn in conversation.turns:
        cut = message is not None and turn.info.id == message
        hidden = hidden or (cut and part is None)
        if hidden:
            gone.add(str(turn.info.id))
        for each in turn.parts:
            hidden = hidden or (cut and each.info.id == part)
            if hidden:
                gone.add(each.key)
    return gone


def _turn(reading: Reading, turn: Turn) -> None:
    role = text(turn.info.role)
    reading.types[f"message/{role}"] += 1
    for part in turn.parts:
        reading.types[f"part/{part.info.type}"] += 1
    reading.rows.saw(turn.info.created)
    reading.rows.saw(stamp(mapping(turn.info.time).get("completed")))
    first = reading.rows.last + 1
    if role == "user":
        _user(reading, turn)
    elif role == "assistant":
        _assistant(reading, turn)
    row = reading.rows.rows.get(first)
    if row is not None and row.native_id:
        reading.heads[turn.info.id] = row.native_id


def _put(
    reading: Reading,
    turn: Turn,
    part: Part,
    role: Role,
    kind: MessageKind,
    body: str | None,
    **more: Any,
) -> int:
    """Add a message for a part."""
    ts = stamp(mapping(part.info.time).get("start"))
    return reading.rows.put(
        Message(
            session=reading.rows.native_id,
            seq=reading.rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=turn.info.created if ts is None else ts,
            native_id=part.key,
            parent_native_id=reading.heads.get(str(turn.info.parent)),
            abandoned=part.key in reading.gone,
            offset=part.offset,
            length=part.length,
            **more,
        )
    )


def _user(reading: Reading, turn: Turn) -> None:
    """A person's message; synthetic text is what the tool put beside it."""
    held = [_attachment(part) for part in turn.parts if part.info.type in ("file", "agent")]
    more = {"attachments": as_json(held)} if held else {}
    for part in turn.parts:
        kind, info = part.info.type, part.info
        if kind == "text" and (info.synthetic or info.ignored):
            _put(reading, turn, part, "user", "meta", text(info.text))
        elif kind == "text" and text(info.text):
            _put(reading, turn, part, "user", "prompt", info.text, **more)
            more = {}
        elif kind == "subtask":
            command = text(info.command)
            body = f"/{command} {text(info.prompt) or ''}" if command else text(info.prompt)
            _put(reading, turn, part, "user", "command" if command else "prompt", body, **more)
            more = {}
    if more:
        part = next(part for part in turn.parts if part.info.type in ("file", "agent"))
        _put(reading, turn, part, "user", "prompt", None, **more)


def _attachment(part: Part) -> dict[str, Any]:
    url, mime = text(part.info.url) or "", text(part.info.mime)
    if part.info.type == "agent":
        return {"type": "agent", "media_type": None, "bytes": None, "name": text(part.info.name)}
    data = image(mime, url.partition(",")[2])["bytes"] if url.startswith("data:") else None
    kind = "image" if (mime or "").startswith("image/") else "file"
    return {"type": kind, "media_type": mime, "bytes": data, "name": text(part.info.filename)}


def _assistant(reading: Reading, turn: Turn) -> None:
    rows = reading.rows
    key = unique(rows.native_id, turn.id) or turn.id
    stopped = turn.info.error is not None or mapping(turn.info.time).get("completed") is not None
    begun, touched = rows.last + 1, len(rows.touches)
    for index, step in enumerate(usage.steps(turn, key)):
        first = rows.last + 1
        for part in step.parts:
            _output(reading, turn, part, step.native_id, stopped)
        times = (rows.rows[seq].ts for seq in range(first, rows.last + 1)) if index else iter(())
        ts = next((ts for ts in times if ts is not None), turn.info.created)
        billed = usage.request(rows.native_id, turn, step, max(0, min(first, rows.last)), ts)
        if billed:
            rows.bill(billed)
    _patches(rows, turn, begun, touched)
    _failure(reading, turn, key)


def _output(reading: Reading, turn: Turn, part: Part, request: str, stopped: bool) -> None:
    """A part of what the model answered."""
    kind, info = part.info.type, part.info
    more = {"request": request, "model": models(turn.info)[0]}
    if kind == "tool":
        _call(reading, turn, part, request, stopped)
    elif kind == "text" and text(info.text):
        if turn.info.summary is True:
            _put(reading, turn, part, "system", "summary", info.text, **more)
        else:
            _put(
                reading,
                turn,
                part,
                "assistant",
                "meta" if info.synthetic else "reply",
                info.text,
                **more,
            )
    elif kind == "reasoning" and text(info.text):
        _put(reading, turn, part, "assistant", "thinking", info.text, **more)
    elif kind == "file":
        held = as_json([_attachment(part)])
        _put(reading, turn, part, "assistant", "meta", text(info.filename), attachments=held)
    elif kind == "retry":
        _put(reading, turn, part, "system", "error", _said(info.error))


def _call(reading: Reading, turn: Turn, part: Part, request: str, stopped: bool) -> None:
    rows = reading.rows
    before = rows.rows.get(rows.last)
    after = before.seq if isinstance(before, Message) else getattr(before, "message_seq", None)
    call = tools.called(rows.native_id, rows.seq(), part, stopped)
    call = call._replace(
        ts=turn.info.created if call.ts is None else call.ts,
        request=request,
        message_seq=after if before is not None and before.request == request else None,
        abandoned=part.key in reading.gone,
    )
    rows.put(call)
    rows.touches.extend(tools.touches(call, part))


def _patches(rows: Transcript, turn: Turn, begun: int, touched: int) -> None:
    """Files that a message changed and no edit of it names: its last shell command did.

    Its rows begin at the seq `begun`, its touches at the index `touched`.
    """
    calls = [call for seq in range(begun, rows.last + 1) if (call := rows.call(seq))]
    shells = [call.seq for call in calls if call.kind == "shell"]
    known = {_tail(touch.path) for touch in rows.touches[touched:]}
    for part in turn.parts if shells else ():
        if part.info.type == "patch":
            for path in items(part.info.files):
                if isinstance(path, str) and path and _tail(path) not in known:
                    known.add(_tail(path))
                    rows.touches.append(FileTouch(rows.native_id, shells[-1], path, "edit"))


def _tail(path: str) -> str:
    """The file's name: tools name files below the folder, patches by whole paths."""
    return path.replace("\\", "/").rpartition("/")[2]


def _failure(reading: Reading, turn: Turn, key: str) -> None:
    """The error that ended a message; an abort is a person's doing."""
    name = text(mapping(turn.info.error).get("name"))
    if name is None:
        return
    rows = reading.rows
    aborted = name == "MessageAbortedError"
    rows.put(
        Message(
            session=rows.native_id,
            seq=rows.seq(),
            role="system",
            kind="notice" if aborted else "error",
            text=_said(turn.info.error),
            ts=stamp(mapping(turn.info.time).get("completed")) or turn.info.created,
            native_id=f"{key}/error",
            abandoned=str(turn.info.id) in reading.gone,
        )
    )


def _said(error: Any) -> str | None:
    """`name: message` of an error record."""
    record = mapping(error)
    words = [text(record.get("name")), text(mapping(record.get("data")).get("message"))]
    return ": ".join(word for word in words if word) or as_json(error)
