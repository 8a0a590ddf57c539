"""Where the words of a search stand in a text, as the full-text index sees words (unicode61).

FTS5's own snippet() reads a text word by word: 256 KiB of tool output take it tens of milliseconds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from siphon.query import Term

WIDTH = 220  # characters of a snippet
LEAD = 40  # of them before the first word found
_TRIED = 40  # occurrences of a term that are looked at
_WORD = re.compile(r"[^\W_]+")
_SPACE = re.compile(r"\s+")


class Snippet(NamedTuple):
    """A part of a text on one line; `marks` are (start, end) of the words found in it."""

    text: str
    marks: tuple[tuple[int, int], ...]

    def pieces(self) -> list[tuple[str, bool]]:
        """The text cut up: (part, whether it was searched for)."""
        found = []
        at = 0
        for start, end in self.marks:
            found += [(self.text[at:start], False), (self.text[start:end], True)]
            at = end
        return [piece for piece in (*found, (self.text[at:], False)) if piece[0]]


def snippet(text: str, terms: Sequence[Term], width: int = WIDTH) -> Snippet | None:
    """The part of the text with most of the terms; None if it has none of them."""
    lowered = _lowered(text)
    places = sorted(
        (place.start(), number)
        for number, term in enumerate(terms)
        for place in occurrences(lowered, term)
    )
    if not places:
        return None
    return _cut(text, terms, _best(places, width), width)


def head(text: str, width: int = WIDTH) -> Snippet:
    """The text's beginning, nothing marked."""
    line = _SPACE.sub(" ", text[: width * 4]).strip()
    return Snippet(line if len(line) <= width else line[:width].rstrip() + "…", ())


def marks(text: str, terms: Sequence[Term]) -> tuple[tuple[int, int], ...]:
    """All places of the terms in a text, in order, none inside another."""
    lowered = _lowered(text)
    spans = sorted(place.span() for term in terms for place in _pattern(term).finditer(lowered))
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)


def _lowered(text: str) -> str:
    """Lower case of the same length: places in it are places in the text."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(map(_lower, text))


def _lower(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


@lru_cache(512)
def _pattern(term: Term) -> re.Pattern[str]:
    words = list(map(re.escape, _WORD.findall(_lowered(term.text))))
    end = "" if term.prefix else r"(?![^\W_])"
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(words) + end)


def occurrences(lowered: str, term: Term) -> Iterator[re.Match[str]]:
    """The first _TRIED places of the term in a lower-case text; str.find skips faster than a pattern."""
    word = _WORD.findall(_lowered(term.text))[0]
    pattern = _pattern(term)
    found = 0
    at = lowered.find(word)
    while at >= 0 and found < _TRIED:
        match = pattern.match(lowered, at)
        if match is not None:
            found += 1
            yield match
        at = lowered.find(word, at + len(word))


def _best(places: list[tuple[int, int]], width: int) -> int:
    """Where a window holds most different terms, first among equals."""
    best, most = places[0][0], 0
    near: Counter[int] = Counter()
    last = 0
    for start, number in places:
        while last < len(places) and places[last][0] < start + width - LEAD:
            near[places[last][1]] += 1
            last += 1
        if len(near) > most:
            best, most = start, len(near)
        near[number] -= 1
        near += Counter()  # drops what is at zero
    return best


def _cut(text: str, terms: Sequence[Term], first: int, width: int) -> Snippet:
    start = max(0, first - LEAD)
    end = min(len(text), start + width)
    while 0 < start < first and not text[start - 1].isspace():
        start += 1
    if end < len(text):
        space = max(text.rfind(" ", first, end), text.rfind("\n", first, end))
        end = space if space > end - 30 and space > first else end
    line = _SPACE.sub(" ", text[start:end]).strip()
    line = ("…" if start else "") + line + ("…" if end < len(text) else "")
    return Snippet(line, marks(line, terms))
