"""What the harness writes between prompts and replies: attachments and system lines as texts."""

from typing import Any, NamedTuple

import msgspec

from siphon.records import MessageKind, Role
from siphon.sources.claude_code import prompts
from siphon.sources.claude_code.entries import Attached, Block, Compaction, Entry

_PERSON = (None, "human")  # an origin left out is a person's, unless the mode says otherwise
_ERRORS = ("api_error", "error", "api_refusal", "model_refusal_fallback")


class Notice(NamedTuple):
    kind: MessageKind
    role: Role
    text: str


def attached(attachment: Attached) -> Notice | None:
    """A hook's or a background task's text; None: it says nothing."""
    match attachment.type:
        case "hook_blocking_error":
            text = _flat(attachment.blocking_error)
        case "hook_non_blocking_error" | "hook_error_during_execution":
            text = attachment.stderr or _flat(attachment.content)
        case "task_status":
            facts = (attachment.description, attachment.status, attachment.delta_summary)
            text = ": ".join(filter(None, facts))
        case _:
            text = _flat(attachment.content) or attachment.message or ""
    if not text.strip():
        return None
    name = attachment.hook_name or attachment.hook_event
    failed = f" (exit code {attachment.exit_code})" if attachment.exit_code else ""
    return Notice("notice", "system", f"{name}{failed}: {text.strip()}" if name else text.strip())


def queued_text(attachment: Attached) -> str:
    """The text of a `queued_command`."""
    if isinstance(attachment.prompt, list):
        return "\n\n".join(block.text for block in attachment.prompt if block.text)
    return attachment.prompt or ""


def queued_blocks(attachment: Attached) -> list[Block]:
    """Its blocks, images among them."""
    return attachment.prompt if isinstance(attachment.prompt, list) else []


def is_persons(attachment: Attached) -> bool:
    """Whether a person typed the queued text, not a peer or a finished task."""
    kind = attachment.origin.kind if attachment.origin is not None else None
    return kind in _PERSON and attachment.command_mode in (None, "prompt", "bash")


def system(entry: Entry) -> list[Notice]:
    """The texts of a system line; none: it says nothing."""
    text = entry.content if isinstance(entry.content, str) else ""
    match entry.subtype or entry.type:
        case "compact_boundary" | "microcompact_boundary":
            return [Notice("notice", "system", (text or "Compacted") + _sizes(entry.compact_metadata))]
        case "local_command":
            return [Notice(piece.kind, piece.role, piece.text) for piece in prompts.pieces(text)]
        case "away_summary":
            kind: MessageKind = "summary"
        case "stop_hook_summary":
            kind, text = "notice", _stopped(entry)
        case subtype if subtype in _ERRORS:
            kind, text = "error", _error(entry.error) or text
        case _:
            kind = "notice"
    return [Notice(kind, "system", text)] if text.strip() else []


def _sizes(compaction: Compaction | None) -> str:
    if compaction is None:
        return ""
    facts = [
        compaction.trigger,
        f"{compaction.pre_tokens} tokens before" if compaction.pre_tokens is not None else None,
        f"{compaction.post_tokens} after" if compaction.post_tokens is not None else None,
    ]
    return f" ({', '.join(filter(None, facts))})" if any(facts) else ""


def _stopped(entry: Entry) -> str:
    """What the stop hooks had to say; most have nothing."""
    errors = [text for error in entry.hook_errors or () if (text := _flat(error))]
    stopped = entry.stop_reason or "stopped by a hook" if entry.prevented_continuation else None
    return "\n".join(filter(None, (*errors, stopped)))


def _error(error: Any) -> str:
    """The innermost message of an error object, with its status."""
    if not isinstance(error, dict):
        return _flat(error)
    status = error.get("status")
    inner = error.get("message") or error.get("formatted") or error.get("error") or error.get("cause")
    text = _error(inner) if inner is not None else ""
    return " ".join(filter(None, (str(status) if isinstance(status, int) and status else None, text)))


def _flat(value: Any) -> str:
    """The text of whatever shape a payload has."""
    match value:
        case str():
            return value
        case list():
            return "\n".join(filter(None, map(_flat, value)))
        case {"blockingError": inner} | {"text": inner} | {"message": inner} | {"content": inner}:
            return _flat(inner)
        case None:
            return ""
    return msgspec.json.encode(value).decode()
