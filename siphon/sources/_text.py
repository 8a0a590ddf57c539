"""Small texts made of large ones: summaries, JSON text, ids that are unique within a source."""

from collections.abc import Iterable
from typing import Any

import msgspec

SUMMARY = 200  # characters
_GLOBAL = 20  # characters from which an id is taken to be random, thus unique beyond its session


def line(text: str, limit: int = SUMMARY) -> str | None:
    """The first line that says something, blanks collapsed, cut with an ellipsis; None: no such line."""
    for candidate in text[: limit * 50].split("\n"):
        words = " ".join(candidate.split())
        if words:
            return words if len(words) <= limit else words[: limit - 1] + "…"
    return None


def first(args: Any, keys: Iterable[str]) -> str | None:
    """One line of the first of the keys under which the arguments hold a text."""
    if not isinstance(args, dict):
        return line(args) if isinstance(args, str) else None
    for key in keys:
        value = args.get(key)
        if isinstance(value, list):
            value = " ".join(part for part in value if isinstance(part, str))
        if isinstance(value, str) and (words := line(value)):
            return words
    return None


def text_of(args: Any, *keys: str) -> str | None:
    """The first of the keys under which the arguments hold a text that is not empty."""
    if isinstance(args, dict):
        for key in keys:
            value = args.get(key)
            if isinstance(value, str) and value:
                return value
    return None


def as_json(value: Any) -> str | None:
    """The value as JSON text; a text that is JSON already stays. None: there is nothing."""
    if value is None:
        return None
    if isinstance(value, str) and is_json(value):
        return value
    return msgspec.json.encode(value).decode()


def is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def unique(session: str, native_id: str | None) -> str | None:
    """An id that is unique within the source: short ones (`call_1`) are only so within their session."""
    if not native_id:
        return None
    return native_id if len(native_id) >= _GLOBAL else f"{session}/{native_id}"


def size(text: str | None) -> int | None:
    """UTF-8 bytes."""
    return None if text is None else len(text) if text.isascii() else len(text.encode(errors="replace"))
