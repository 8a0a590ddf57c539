"""Telling what a person typed from what the harness put into a user line."""

import re
from typing import NamedTuple

from siphon.records import MessageKind, Role


class Piece(NamedTuple):
    kind: MessageKind
    role: Role
    text: str


# Blocks that may stand before or after what was typed, in the same text.
_WRAPS: dict[str, MessageKind] = {
    "system-reminder": "notice",
    "ide_opened_file": "meta",
    "ide_selection": "meta",
    "ide_diagnostics": "meta",
}
_TAGS = "|".join(_WRAPS)
_LEADING = re.compile(rf"\s*<({_TAGS})>(.*?)</\1>\s*", re.DOTALL)
_TRAILING = re.compile(rf"\s*<({_TAGS})>((?:(?!<\1>).)*)</\1>\s*\Z", re.DOTALL)
_TRAILED = tuple(f"</{tag}>" for tag in _WRAPS)

_HEADS: tuple[tuple[str, MessageKind], ...] = (
    ("<local-command-caveat>", "meta"),
    ("Caveat: The messages below", "meta"),
    ("<task-notification>", "notice"),
    ("[Request interrupted by user", "notice"),
    ("This session is being continued from a previous conversation", "summary"),
    ("Stop hook feedback:", "notice"),
    ("<user-prompt-submit-hook>", "notice"),
    ("<system-reminder>", "notice"),
    ("<session-start-hook>", "notice"),
    ("<teammate-message", "notice"),
    ("<tick>", "notice"),
    ("<goal>", "notice"),
)
_PRINTED = re.compile(r"</?(?:local-command-(?:stdout|stderr)|bash-(?:stdout|stderr))>")
_PRINTED_HEADS = ("<local-command-stdout>", "<local-command-stderr>", "<bash-stdout>", "<bash-stderr>")
_NAME = re.compile(r"<command-name>(.*?)</command-name>", re.DOTALL)
_ARGS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_BASH = re.compile(r"\s*<bash-input>(.*?)</bash-input>", re.DOTALL)
_MEMORY = re.compile(r"\s*<user-memory-input>(.*?)</user-memory-input>", re.DOTALL)

EXPANDS = "<command-message>"  # begins the line of a command whose text, a prompt, is the line after it
INTERRUPTED = "[Request interrupted by user"


def pieces(text: str) -> list[Piece]:
    """The parts of a user line's text, in order; empty ones are left out."""
    rest = text.lstrip("\ufeff")
    leading: list[Piece] = []
    trailing: list[Piece] = []
    while (found := _LEADING.match(rest)) is not None:
        leading.append(_wrapped(found))
        rest = rest[found.end() :]
    while rest.rstrip().endswith(_TRAILED) and (found := _TRAILING.search(rest)) is not None:
        trailing.insert(0, _wrapped(found))
        rest = rest[: found.start()]
    return [piece for piece in (*leading, _piece(rest), *trailing) if piece.text.strip()]


def command(text: str) -> tuple[str, str] | None:
    """(name with its slash, arguments) of a slash command's line; None: it is none."""
    if not text.lstrip().startswith((EXPANDS, "<command-name>")):
        return None
    name = _NAME.search(text)
    if name is None:
        return None
    args = _ARGS.search(text)
    return "/" + name[1].strip().lstrip("/"), args[1].strip() if args else ""


def _wrapped(found: re.Match[str]) -> Piece:
    return Piece(_WRAPS[found[1]], "system", found[2].strip())


def _piece(text: str) -> Piece:
    head = text.lstrip()
    if head.startswith(("<", "[", "Caveat", "This session", "Stop hook")):
        for start, kind in _HEADS:
            if head.startswith(start):
                return Piece(kind, "system", text)
        if head.startswith(_PRINTED_HEADS):
            printed = (part.strip("\n") for part in _PRINTED.split(text))
            return Piece("command", "system", "\n".join(part for part in printed if part.strip()))
        if (typed := _typed(text)) is not None:
            return Piece("command", "user", typed)
    return Piece("prompt", "user", text)


def _typed(text: str) -> str | None:
    """A command as it was typed."""
    if (slash := command(text)) is not None:
        return " ".join(filter(None, slash))
    if (shell := _BASH.match(text)) is not None:
        return f"! {shell[1].strip()}"
    if (memory := _MEMORY.match(text)) is not None:
        return f"# {memory[1].strip()}"
    return None
