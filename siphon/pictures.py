"""Pictures that a record of a log carries inside it, as base64 in its JSON: their own bytes."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

# What is shown as a picture, by how its bytes begin; whatever the log calls it. No SVG: it can act.
_BEGINS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_SMALLEST = 40  # characters of base64 that could be a picture
_URL = re.compile(r"data:image/[\w.+-]+;base64,")


class Picture(NamedTuple):
    """A picture's bytes."""

    media_type: str
    data: bytes


def pictures(records: Iterable[bytes]) -> Iterator[Picture]:
    """Yield the pictures in JSON records, in order; each once."""
    seen = set()
    for record in records:
        try:
            value = msgspec.json.decode(record)
        except (msgspec.DecodeError, RecursionError):
            continue
        for text in _texts(value):
            picture = _picture(text)
            if picture is not None and picture.data not in seen:
                seen.add(picture.data)
                yield picture


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and len(value) >= _SMALLEST:
        yield value


def _picture(text: str) -> Picture | None:
    text = _URL.sub("", text, count=1)
    try:
        if _named(base64.b64decode(text[:_SMALLEST], validate=True)) is None:
            return None
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        return None
    media_type = _named(data)
    return None if media_type is None else Picture(media_type, data)


def _named(data: bytes) -> str | None:
    return next((name for begin, name in _BEGINS if begin.match(data)), None)
