"""When prompts were typed: .aider.input.history has the times that the chat history lacks."""

import re
from typing import NamedTuple

from siphon.log import Log
from siphon.times import millis

_STAMP = re.compile(r"# (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\s*")
_AHEAD = 200  # typed lines that the chat history does not show


class Typed(NamedTuple):
    ts: int | None
    text: str


class Times:
    """The typed texts in order; each is asked for once."""

    def __init__(self, log: Log) -> None:
        beside = log.near(".aider.input.history")
        self.typed = _typed(beside.data().decode(errors="replace")) if beside else []
        self.next = 0

    def of(self, text: str, after: int | None) -> int | None:
        """When a text was typed, at a time not before `after`; None: the history does not have it."""
        wanted = _bare(text)
        for place in range(self.next, min(self.next + _AHEAD, len(self.typed))):
            ts, typed = self.typed[place]
            if typed == wanted and ts is not None and (after is None or ts >= after):
                self.next = place + 1
                return ts
        return None

    def begin(self, start: int | None) -> None:
        """Skip what was typed before a run began."""
        while start is not None and self.next < len(self.typed):
            ts = self.typed[self.next].ts
            if ts is not None and ts >= start:
                return
            self.next += 1


def _typed(data: str) -> list[Typed]:
    found: list[tuple[int | None, list[str]]] = []
    for row in data.split("\n"):
        stamp = _STAMP.fullmatch(row.rstrip("\r"))
        if stamp:
            found.append((millis(stamp[1]), []))
        elif row.startswith("+") and found:
            found[-1][1].append(row[1:])
    return [Typed(ts, _bare("\n".join(texts))) for ts, texts in found if texts]


def _bare(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.strip().split("\n"))
