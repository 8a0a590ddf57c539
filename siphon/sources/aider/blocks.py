"""The file's grammar: runs, and in each run what the user, aider and the model said.

Aider escapes nothing, but what it says itself and what the user says ends with two blanks; what the
model says does not. So `#### x` and `> x` are the user's and aider's if two blanks end them (a text of
several lines: its last line), and the model's own headings and quotes if not. Runs whose blanks an
editor has trimmed are read by the marks alone.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

_HEADER = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*")
_FENCE = re.compile(r"(`{3,})[^`]*")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_MARKS = ("#", ">", "`")
_LONGEST = 5000  # lines of a text that aider says at once

Speaker = Literal["user", "aider", "model"]


class Row(NamedTuple):
    """A line without its end, and where it lies in the file."""

    text: str
    offset: int
    length: int


class Run(NamedTuple):
    """One start of aider; `header` is None for what stands above the first one."""

    header: str | None
    rows: Sequence[Row]


class Block(NamedTuple):
    speaker: Speaker
    text: str  # without marks and final blanks
    told: str  # aider's: the lines that bear its mark, and the cost that may follow; else ""
    offset: int
    length: int


def rows(data: bytes) -> tuple[list[Row], bool]:
    """All lines, and whether some bytes were no UTF-8."""
    found, offset, damaged = [], 0, False
    for raw in data.split(b"\n"):
        text = raw.decode(errors="replace")
        if not text.isascii():
            damaged = damaged or "\ufffd" in text
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        size = len(raw)
        found.append(Row(text.rstrip("\r\0"), offset, size))
        offset += size + 1
    return found, damaged


def runs(lines: Sequence[Row]) -> Iterator[Run]:
    """Cut at the headers, each of which follows an empty line or begins the file."""
    header, start = None, 0
    for place, row in enumerate(lines):
        found = _HEADER.fullmatch(row.text) if row.text.startswith("# aider") else None
        if found and (place == 0 or not lines[place - 1].text.strip()):
            yield Run(header, lines[start:place])
            header, start = found[1], place + 1
    yield Run(header, lines[start:])


def blocks(run: Run) -> list[Block]:
    """What was said in a run, in order."""
    lines = run.rows
    asked = [row.text for row in lines if row.text.startswith(("#### ", "> "))]
    marked = not asked or any(text.endswith("  ") for text in asked)
    found: list[tuple[Speaker, list[Row]]] = []
    place = 0
    speaker: Speaker
    while place < len(lines):
        speaker, end = "model", place + 1
        if lines[place].text[:1] in _MARKS:
            speaker, end = _said(lines, place, marked, found)
        if not found or found[-1][0] != speaker or _parted(lines, place, speaker):
            found.append((speaker, []))
        found[-1][1].extend(lines[place:end])
        place = end
    return [block for speaker, said in found if (block := _block(speaker, said))]


def _said(
    lines: Sequence[Row], place: int, marked: bool, found: list[tuple[Speaker, list[Row]]]
) -> tuple[Speaker, int]:
    """Who says the line, and where that ends."""
    text = lines[place].text
    ended = not marked or text.endswith("  ")
    if text.startswith("####") and ended and text[4:5] in (" ", ""):
        return "user", place + 1
    if text.startswith("> ") or text.rstrip() == ">":
        if ended:
            return "aider", place + 1
        if end := _continued(lines, place):
            return "aider", end
        if found and found[-1][0] == "aider" and not _parted(lines, place, "aider"):
            return "aider", place + 1
    if (fence := _FENCE.fullmatch(text.rstrip())) and (end := _closed(lines, place, fence[1])):
        return "model", end
    return "model", place + 1


def _continued(lines: Sequence[Row], place: int) -> int | None:
    """The end of a text of several lines that aider says: behind the next line that two blanks end."""
    for end in range(place + 1, min(place + _LONGEST, len(lines))):
        text = lines[end].text
        if text.startswith(("> ", "#### ")):
            return None
        if text.endswith("  "):
            return end + 1
    return None


def _closed(lines: Sequence[Row], place: int, fence: str) -> int | None:
    """Behind the end of a fence; None if the answer breaks off before it."""
    for end in range(place + 1, len(lines)):
        text = lines[end].text
        if text.startswith(fence) and not text.strip("`").strip():
            return end + 1
        if text.startswith("#### ") and text.endswith("  ") and not lines[end - 1].text.strip():
            return None
        if text.startswith("> Tokens: "):
            return None
    return None


def _parted(lines: Sequence[Row], place: int, speaker: Speaker) -> bool:
    """Whether an empty line parts two texts of the user or of aider."""
    return speaker != "model" and place > 0 and not lines[place - 1].text


def _block(speaker: Speaker, said: Sequence[Row]) -> Block | None:
    texts, told = [row.text for row in said], ""
    if speaker == "user":
        texts = [text[5:].rstrip() for text in texts]
    elif speaker == "aider":
        # What follows a line of aider's without its mark is what some command printed.
        told = "\n".join(text.lstrip("> ") for text in texts if text.startswith((">", "Cost: ")))
        texts = [text[2:].rstrip() if text.startswith(">") else text.rstrip() for text in texts]
    words = "\n".join(texts).strip("\n").rstrip()
    if not words.strip():
        return None
    first, last = said[0], said[-1]
    return Block(speaker, words, told, first.offset, last.offset + last.length - first.offset)
