"""What aider itself says: versions, models, tokens, edits, commands, errors."""

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from siphon.records import MessageKind

_TOKENS = re.compile(
    r"^Tokens: (?P<sent>[\d.,]+[kM]?) sent"
    r"(?:, (?P<write>[\d.,]+[kM]?) cache write)?"
    r"(?:, (?P<read>[\d.,]+[kM]?) (?:cache hit|cached))?"
    r", (?P<received>[\d.,]+[kM]?) received[^.\n]*\."
    r"(?:\s+Cost: \$(?P<cost>[\d.,]+) (?:message|request|send))?",
    re.MULTILINE,
)
_MODEL = re.compile(r"^(?:Main model|Models?): (\S+?)⚡? with (?:♾️ )?(\S+) edit format", re.MULTILINE)
_VERSION = re.compile(r"^Aider v(\S+)", re.MULTILINE)
_APPLIED = re.compile(r"^(Applied edit to|Creating empty file|Running) (.+)$", re.MULTILINE)
_ERROR = re.compile(
    r"^(?:litellm\.|Unexpected error|[A-Z]\w+Error\b|Error\b|Traceback |The LLM did not conform"
    r"|# \d+ SEARCH/REPLACE block|No model |Retrying in |Model \S+ has hit a token limit)",
    re.MULTILINE,
)
_UNITS = {"k": 1000, "M": 1_000_000}


class Usage(NamedTuple):
    """Rounded counts, disjoint; None: not said."""

    input: int
    cache_read: int | None
    cache_write: int | None
    output: int
    nanousd: int | None


class Done(NamedTuple):
    """An edit that was applied, a file that was created, a command that was run."""

    verb: str  # Applied edit to, Creating empty file, Running
    what: str


def usages(said: str) -> list[Usage]:
    """One for each `Tokens:` line. Its cost is of the message; the session's is a running sum."""
    return [_usage(found) for found in _TOKENS.finditer(said)] if "Tokens: " in said else []


def _usage(found: re.Match[str]) -> Usage:
    sent = _number(found["sent"]) or 0
    write, read = _number(found["write"]), _number(found["read"])
    cached = (write or 0) + (read or 0)
    # Anthropic's cached tokens are part of `sent`, DeepSeek's are not: what is sent tells which.
    return Usage(
        input=sent - cached if sent >= cached else sent,
        cache_read=read,
        cache_write=write,
        output=_number(found["received"]) or 0,
        nanousd=_nanousd(found["cost"]),
    )


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    unit = _UNITS.get(text[-1], 1)
    try:
        return int(Decimal(text.rstrip("kM").replace(",", "")) * unit)
    except InvalidOperation:
        return None


def _nanousd(text: str | None) -> int | None:
    try:
        return None if text is None else int(Decimal(text.rstrip(".").replace(",", "")) * 1_000_000_000)
    except InvalidOperation:
        return None


def model(said: str) -> tuple[str, str] | None:
    """The main model and its edit format, where aider names them; the last if several."""
    found = _MODEL.findall(said)
    return found[-1] if found else None


def version(said: str) -> str | None:
    found = _VERSION.search(said)
    return found[1] if found else None


def done(said: str) -> list[Done]:
    return [Done(verb, what.strip()) for verb, what in _APPLIED.findall(said)]


def kind(said: str) -> MessageKind:
    return "error" if _ERROR.search(said) else "notice"
