"""A chat as rows: what was asked, the parts of each response in order, tool calls and edits."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from siphon.records import Message, MessageKind, Role, ToolCall
from siphon.sources._loose import as_json, count, image, items, mapping, stamp, text
from siphon.sources._text import unique
from siphon.sources._transcript import Transcript
from siphon.sources._workspace import path_of
from siphon.sources.vscode_copilot import tools
from siphon.sources.vscode_copilot.chat import Chat
from siphon.sources.vscode_copilot.edits import edit
from siphon.sources.vscode_copilot.kinds import SKIPS, TEXTS
from siphon.sources.vscode_copilot.turn import Turn, opened
from siphon.sources.vscode_copilot.usage import bill


def read(session: str, chat: Chat, types: Counter[str]) -> Transcript:
    """The rows of a chat."""
    rows = Transcript(session)
    seen: set[str] = set()
    for n, asked in enumerate(chat.requests):
        types["request"] += 1
        key = unique(session, text(asked.info.request_id)) or f"{session}/{n}"
        key = key if key not in seen else f"{key}/{n}"
        seen.add(key)
        _turn(opened(rows, types, asked, key))
    return rows


def _turn(turn: Turn) -> None:
    _prompt(turn)
    first = turn.rows.last + 1
    _response(turn)
    _failure(turn)
    info = turn.asked.info
    state = mapping(info.model_state)
    spent = count(mapping(mapping(info.result).get("timings")).get("totalElapsed"))
    ended = stamp(state.get("completedAt"))
    if ended is None and spent is not None and turn.ts is not None:
        ended = turn.ts + spent
    turn.rows.saw(ended)
    bill(turn, first)


def _put(
    turn: Turn,
    role: Role,
    kind: MessageKind,
    body: str | None,
    name: str,
    attachments: str | None = None,
) -> None:
    """Add a message."""
    mine = role == "assistant"
    turn.rows.put(
        Message(
            session=turn.rows.native_id,
            seq=turn.rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=turn.ts,
            native_id=name,
            parent_native_id=turn.key if mine else None,
            model=turn.model if mine else None,
            request=turn.reply if mine else None,
            abandoned=turn.gone,
            attachments=attachments,
            offset=turn.asked.offset,
            length=turn.asked.length,
        )
    )


def _prompt(turn: Turn) -> None:
    info = turn.asked.info
    message = info.message
    body = message if isinstance(message, str) else text(mapping(message).get("text"))
    # A button's text is not typed.
    kind: MessageKind = "meta" if text(info.confirmation) else "prompt"
    held = [_attachment(mapping(each)) for each in items(mapping(info.variable_data).get("variables"))]
    attached = as_json([each for each in held if each]) if any(held) else None
    if body or attached:
        _put(turn, "user", kind, body, turn.key, attached)


def _attachment(variable: Mapping[str, Any]) -> dict[str, Any] | None:
    """A file, selection, image or other context that was put to a prompt."""
    value = variable.get("value")
    kind = text(variable.get("kind")) or "file"
    if kind == "image" or variable.get("isImage") is True:
        mime = text(variable.get("mimeType")) or "image/*"
        data = value if isinstance(value, str) else ""
        size = len(value) if isinstance(value, (dict, list)) else None
        held = image(mime, data)
        return {**held, "bytes": size if size is not None else held["bytes"]}
    location = mapping(value).get("uri", value)
    name = path_of(location) if not isinstance(location, str) or "://" in location else None
    name = name or text(variable.get("name"))
    return {"type": kind, "media_type": None, "bytes": None, "name": name} if name else None


def _response(turn: Turn) -> None:
    """The parts in order; texts that follow each other are one message."""
    response = turn.asked.info.response
    parts = [response] if isinstance(response, str) else items(response)
    said: list[str] = []
    spoken = 0
    for part in [*parts, None]:
        kind = _kind(part)
        if part is not None:
            turn.types[f"response/{kind}"] += 1
        if kind in TEXTS:
            said.append(_text(kind, part))
        elif kind is None or f"response/{kind}" not in SKIPS:
            body = "".join(said)
            if body.strip():
                name = turn.reply if not spoken else f"{turn.reply}/{spoken}"
                _put(turn, "assistant", "reply", body, name)
                spoken += 1
            said = []
            _part(turn, kind, mapping(part))


def _kind(part: Any) -> str | None:
    """A part's kind; one without is markdown."""
    if part is None:
        return None
    if isinstance(part, dict) and part.get("kind") is not None:
        return str(part["kind"])
    return "markdown"


def _text(kind: str, part: Any) -> str:
    if isinstance(part, str):
        return part
    told = mapping(part)
    if kind == "codeblockUri":
        return ""
    if kind == "inlineReference":
        return _reference(told.get("inlineReference"), text(told.get("name")))
    value = told.get("value", told.get("content"))
    return text(value) or text(mapping(value).get("value")) or ""


def _reference(target: Any, name: str | None) -> str:
    """A file or symbol that a text names, as VS Code shows it."""
    told = mapping(target)
    path = path_of(told.get("uri") or mapping(told.get("location")).get("uri") or target)
    shown = name or text(told.get("name")) or re.split(r"[/\\\\]", path or "")[-1]
    return f"`{shown}`" if shown else ""


def _part(turn: Turn, kind: str | None, part: Mapping[str, Any]) -> None:
    rows = turn.rows
    if kind == "thinking":
        value = part.get("value")
        body = text(value) or "\n\n".join(each for each in items(value) if isinstance(each, str))
        if body:
            _put(
                turn,
                "assistant",
                "thinking",
                body,
                f"{turn.reply}/thinking {rows.last + 1 - turn.first}",
            )
    elif kind in ("toolInvocationSerialized", "toolInvocation"):
        _call(turn, part)
    elif kind in ("textEditGroup", "notebookEditGroup"):
        edit(turn, kind, part)
    elif kind == "workspaceEdit":
        for file in map(mapping, items(part.get("edits"))):
            edit(turn, kind, {"uri": file.get("newResource") or file.get("oldResource")})
    elif kind in ("warning", "elicitationSerialized", "elicitation", "elicitation2", "confirmation"):
        told = part.get("content") or part.get("message") or part.get("title")
        notice = text(told) or text(mapping(told).get("value"))
        if notice:
            _put(turn, "system", "notice", notice, f"{turn.reply}/{kind} {rows.last + 1 - turn.first}")


def _call(turn: Turn, part: Mapping[str, Any]) -> None:
    rows = turn.rows
    before = rows.rows.get(rows.last)
    after = before.message_seq if isinstance(before, ToolCall) else before.seq if before else None
    call = tools.called(rows.native_id, rows.seq(), part, turn.known, turn.stopped, turn.ts)
    mine = before is not None and before.request == turn.reply
    call = turn.of(call)._replace(message_seq=after if mine else None)
    rows.put(call)
    rows.touches.extend(tools.touches(call, tools.given(call)))


def _failure(turn: Turn) -> None:
    details = mapping(mapping(turn.asked.info.result).get("errorDetails"))
    body = text(details.get("message"))
    if body:
        cancelled = turn.stopped and mapping(turn.asked.info.model_state).get("value") != 3
        _put(turn, "system", "notice" if cancelled else "error", body, f"{turn.reply}/error")
