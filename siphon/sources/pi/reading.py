"""One session's rows → records."""

from collections.abc import Iterator, Sequence
from typing import Any

from siphon.records import Message, MessageKind, Problem, Record, Role, Session, Tally
from siphon.sources._loose import as_json, image, items, mapping, stamp, text
from siphon.sources.pi.entries import Row, active, parents_of
from siphon.sources.pi.prompts import Split, title
from siphon.sources.pi.responses import assistant, result, spent, unanswered
from siphon.sources.pi.skips import SKIPS
from siphon.sources.pi.state import Lineage, State

_SUMMARIES = ("compaction", "branch_summary", "context_window")
_SPENDERS = (*_SUMMARIES, "usage", "model_usage")
_TITLES = ("session_info", "title", "title_change")
_KNOWN = {*_SPENDERS, *_TITLES, "model_change", "custom_message"}
_EXECUTIONS = ("bashExecution", "pythonExecution")
_INJECTED = ("system", "developer", "custom", "hookMessage", "fileMention")


def records(rows: Sequence[Row], lineage: Lineage, split: Split) -> Iterator[Record]:
    """All records of a session; the session itself comes last but for relations and tallies."""
    tree = [row for row in rows if row.key is not None]
    headers = [row for row in rows if row.key is None]
    parents = parents_of(tree)
    state = State(lineage, split, tree, parents, active(parents))
    state.whole = {
        response
        for row in tree
        if not row.entry.checkpoint and (response := text(row.body.get("responseId")))
    }
    state.known["session"] = len(headers)
    for header in headers[:1]:
        state.model, state.provider = text(header.entry.model_id), text(header.entry.provider)
        state.title = text(header.entry.title)
    seen: set[str | None] = set()
    for place, row in enumerate(tree):
        if row.key in seen:
            state.known["repeated"] += 1
        else:
            seen.add(row.key)
            yield from _row(state, place, row)
    yield from unanswered(state)
    yield _session(state, headers[0] if headers else None)
    yield from lineage.relations
    yield from _tallies(state)


def _row(state: State, place: int, row: Row) -> Iterator[Record]:
    entry, kind = row.entry, str(row.entry.type)
    if kind == "message":
        yield from _message(state, place, row)
        return
    (state.known if kind in _KNOWN or kind in SKIPS else state.unknown)[kind] += 1
    if kind == "model_change":
        _model_change(state, row)
    elif kind in _TITLES:
        state.title = text(entry.name) or text(entry.title) or state.title
    elif kind == "custom_message":
        yield from _injected(state, place, "notice" if entry.display else "meta", entry.content)
    elif kind in _SUMMARIES:
        yield from _injected(state, place, "summary", text(entry.summary) or entry.handoff)
    if kind in _SPENDERS and mapping(entry.usage):
        model, provider = text(entry.model), text(entry.provider)
        yield spent(state, row, mapping(entry.usage), model or state.model, provider or state.provider)


def _model_change(state: State, row: Row) -> None:
    model, provider = text(row.entry.model_id), text(row.entry.provider)
    if model is None and text(row.entry.model):  # oh-my-pi writes provider/model
        provider, _, model = row.entry.model.partition("/")
        provider, model = (provider, model) if model else (None, row.entry.model)
    state.model, state.provider = model or state.model, provider or state.provider


def _message(state: State, place: int, row: Row) -> Iterator[Record]:
    body = row.body
    role = text(body.get("role"))
    if role is None:
        yield Problem("a message without a role", row.line, row.offset)
        return
    kind = f"message/{role}"
    state.known[kind] += 1
    if role == "user":
        yield from _user(state, place, body)
    elif role == "assistant":
        yield from assistant(state, place, row, body)
    elif role == "toolResult":
        yield from result(state, place, row, body)
    elif role in _EXECUTIONS:
        yield state.message(place, "user", "command", _execution(body))
    elif role in _INJECTED:
        shown: MessageKind = "notice" if body.get("display") else "meta"
        yield from _injected(state, place, shown, body.get("content") or _mentioned(body))
    elif role in ("branchSummary", "compactionSummary"):
        yield from _injected(state, place, "summary", body.get("summary"))
    else:
        del state.known[kind]
        state.unknown[kind] += 1


def _user(state: State, place: int, body: dict[str, Any]) -> Iterator[Message]:
    words, attachments = _parts(body.get("content"))
    prompt = state.split(words or "")
    if (prompt.words or attachments) and not prompt.machine:
        if state.first_prompt is None or state.first_prompt.startswith("/"):  # a mistyped command
            state.first_prompt = prompt.words or state.first_prompt
        message = state.message(place, "user", "prompt", prompt.words or None)
        yield message._replace(attachments=attachments)
    if prompt.wrapping:
        yield state.message(place, "user", "meta", prompt.wrapping)


def _injected(state: State, place: int, kind: MessageKind, content: Any) -> Iterator[Message]:
    words, attachments = _parts(content)
    if words or attachments:
        role: Role = "system"
        yield state.message(place, role, kind, words)._replace(attachments=attachments)


def _parts(content: Any) -> tuple[str | None, str | None]:
    """The text of a content, and its images as `Message.attachments`."""
    if isinstance(content, str):
        return content or None, None
    blocks = [mapping(block) for block in items(content)]
    texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
    images = [
        image(block.get("mimeType"), block.get("data"))
        for block in blocks
        if block.get("type") == "image"
    ]
    return "\n".join(texts) or None, as_json(images) if images else None


def _execution(body: dict[str, Any]) -> str:
    """A command that the user ran, and what it printed."""
    mark = "!!" if body.get("excludeFromContext") else "!"
    parts = [f"{mark}{text(body.get('command')) or text(body.get('code')) or ''}"]
    parts += [part for part in (text(body.get("output")),) if part]
    if body.get("cancelled"):
        parts.append("(cancelled)")
    elif body.get("exitCode"):
        parts.append(f"(exit code {body['exitCode']})")
    return "\n".join(parts)


def _mentioned(body: dict[str, Any]) -> str:
    """oh-my-pi's `@file` mentions."""
    files = [mapping(file) for file in items(body.get("files"))]
    return "\n".join(f"{text(file.get('path'))}\n{text(file.get('content')) or ''}" for file in files)


def _session(state: State, header: Row | None) -> Session:
    times = [row.ts for row in state.tree if row.ts is not None]
    begun = stamp(header.entry.timestamp) if header else None
    forked = any(relation.kind == "fork" for relation in state.lineage.relations)
    first = min(times, default=begun)
    cwd = text(header.entry.cwd) if header else None
    return Session(
        native_id=state.lineage.native_id,
        title=state.title or state.lineage.title or title(state.first_prompt or ""),
        project=cwd,
        cwd=cwd,
        # A fork's first entries are its parent's; an unforked file is begun after its first prompt.
        started_at=begun
        if forked and begun is not None
        else min(filter(None, (begun, first)), default=None),
        ended_at=max([*times, *([begun] if begun is not None else [])], default=None),
        kind=state.lineage.kind,
        entrypoint=state.lineage.entrypoint,
        agent=state.lineage.agent,
    )


def _tallies(state: State) -> Iterator[Tally]:
    for name, n in sorted(state.known.items()):
        if n:
            yield Tally(name, "skipped" if name in SKIPS else "read", n)
    for name, n in sorted(state.unknown.items()):
        yield Tally(name, "unknown", n)
