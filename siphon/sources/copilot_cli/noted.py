"""The session itself: where it runs, what it is called, what the harness tells."""

from collections.abc import Callable

import msgspec

from siphon.records import MessageKind, Relation, Role
from siphon.sources._decode import typed
from siphon.sources.copilot_cli.events import Context, Note, Start
from siphon.sources.copilot_cli.state import At, Reading
from siphon.times import millis

_START = msgspec.json.Decoder(Start, strict=False)
_CONTEXT = msgspec.json.Decoder(Context, strict=False)
_NOTE = msgspec.json.Decoder(Note, strict=False)


def started(reading: Reading, at: At, data: msgspec.Raw) -> None:
    start = typed(reading.log, data, _START, at.line)
    if start is None:
        return
    _context(reading, start.context)
    reading.model = start.selected_model or reading.model
    session = reading.session
    began = millis(start.start_time) if session.started_at is None else session.started_at
    reading.session = session._replace(
        version=start.copilot_version or session.version, started_at=began
    )
    if start.detached_from_spawning_parent_session_id:
        parent = start.detached_from_spawning_parent_session_id
        reading.relations.append(Relation(session.native_id, "subagent", parent))


def _context(reading: Reading, context: Context | None) -> None:
    if context is None:
        return
    old = reading.session
    repo = context.repository
    if repo and (context.repository_host or context.host_type == "github"):
        repo = f"{context.repository_host or 'github.com'}/{repo}"
    reading.session = old._replace(
        cwd=old.cwd or context.cwd,
        project=old.project or context.git_root or context.cwd,
        git_branch=context.branch or old.git_branch,
        git_repo=repo or old.git_repo,
    )


def moved(reading: Reading, at: At, data: msgspec.Raw) -> None:
    _context(reading, typed(reading.log, data, _CONTEXT, at.line))


def noted(role: Role, kind: MessageKind) -> Callable[[Reading, At, msgspec.Raw], None]:
    """A handler for events whose words are one message."""

    def handler(reading: Reading, at: At, data: msgspec.Raw) -> None:
        note = typed(reading.log, data, _NOTE, at.line)
        if note is not None:
            text = (
                note.message
                or note.content
                or note.summary
                or note.error_message
                or note.initial_message
            )
            reading.say(at, role, kind, text)

    return handler


def system(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    if note is not None and note.content and note.content not in reading.prompts:
        reading.prompts.add(note.content)
        reading.say(at, "system", "meta", note.content)


def hooked(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    if note is not None and note.success is False:
        error = note.error.get("message") if isinstance(note.error, dict) else note.error
        reading.say(at, "system", "notice", error if isinstance(error, str) else "a hook failed")


def titled(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    if note is not None and note.title:
        reading.session = reading.session._replace(title=note.title)


def model(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    reading.model = note.new_model if note and note.new_model else reading.model


def handoff(reading: Reading, at: At, data: msgspec.Raw) -> None:
    note = typed(reading.log, data, _NOTE, at.line)
    if note is None:
        return
    reading.say(at, "system", "notice", note.summary)
    if note.remote_session_id and note.remote_session_id != reading.main.native_id:
        reading.relations.append(
            Relation(reading.main.native_id, "continuation", note.remote_session_id)
        )


def rewound(reading: Reading, at: At, data: msgspec.Raw) -> None:
    """What follows the event that was rewound to is abandoned."""
    note = typed(reading.log, data, _NOTE, at.line)
    target = reading.own(note.up_to_event_id) if note else None
    seen = [(lines, last) for event, lines, last in reading.order if event == target and target]
    if not seen:
        return
    lines, last = seen[-1]
    for seq, row in list(lines.rows.items()):
        if seq > last:
            lines.put(row._replace(abandoned=True))
