"""A decoder of lines that loses a bad field, not its line."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from siphon.sources.claude_code.entries import Entry, Sketch, Turn

_MENDS = 20  # fields of one line that are dropped at most
_PATH = re.compile(r" - at `\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")

Kind = TypeVar("Kind")
Decode = Callable[[bytes], Kind]
_TURN = msgspec.json.Decoder(Turn, strict=False).decode
_ENTRY = msgspec.json.Decoder(Entry, strict=False).decode
_SKETCH = msgspec.json.Decoder(Sketch, strict=False).decode


def turns(rows: list[bytes]) -> list[Turn]:
    """Lines without anything to mend: Turns, of other types than user and assistant Entries."""
    found = list(map(_TURN, rows))
    others = [n for n, turn in enumerate(found) if turn.type != "assistant" and turn.type != "user"]
    for n in others:
        found[n] = _ENTRY(rows[n])
    return found


def sketches(rows: list[bytes]) -> list[Sketch]:
    """The same lines as far as an outline needs them."""
    return list(map(_SKETCH, rows))


def _turn(data: bytes) -> Turn:
    return turns([data])[0]


class Mending:
    """Decodes lines; a field of a wrong type is left out, and named in `dropped` for the caller."""

    def __init__(self) -> None:
        self.dropped: list[str] = []

    def line(self, data: bytes) -> Turn:
        try:
            return _turn(data)
        except msgspec.ValidationError as error:
            return self._mended(data, _turn, error)

    def sketch(self, data: bytes) -> Sketch:
        try:
            return _SKETCH(data)
        except msgspec.ValidationError as error:
            return self._mended(data, _SKETCH, error)

    def _mended(self, data: bytes, decode: Decode[Kind], error: msgspec.ValidationError) -> Kind:
        value = msgspec.json.decode(data)
        for _ in range(_MENDS):
            if not _drop(value, str(error)):
                break
            self.dropped.append(str(error))
            try:
                return decode(msgspec.json.encode(value))
            except msgspec.ValidationError as again:
                error = again
        raise error


def _drop(value: Any, error: str) -> bool:
    """Delete what the error's path names; False: it names nothing below the top."""
    found = _PATH.search(error)
    steps = [name or int(index) for name, index in _STEP.findall(found[1])] if found else []
    for step in steps[:-1]:
        value = value[step]
    if not steps or not isinstance(value, dict | list):
        return False
    del value[steps[-1]]
    return True
