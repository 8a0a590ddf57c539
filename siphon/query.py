"""What a user typed into the search box, as words and filters; safe to hand to FTS5 whatever it is."""

import re
from typing import NamedTuple

from siphon.errors import SiphonError
from siphon.times import millis

WORDS = 64  # more words than this are not looked for
FILTERS = (
    "host",
    "source",
    "project",
    "repo",
    "branch",
    "kind",
    "role",
    "model",
    "tool",
    "file",
    "session",
    "status",
)
DATES = ("day", "since", "until")
_TERM = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"?(\*?)|(\S+))')
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Term(NamedTuple):
    """A word or a phrase; with `prefix`, also the beginning of a word."""

    text: str
    prefix: bool = False


class Words(NamedTuple):
    """The parsed text: what must occur, what must not, and the `name:value` filters in it."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    cut: bool = False  # there were more than WORDS
    idle: bool = False  # something was typed, but no word that the index could know


def parse(text: str) -> Words:
    """Read words, "phrases", prefix*, -exclude and filters such as host:laptop or since:2026-01-31."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    filters = []
    for minus, name, phrase, star, word in _TERM.findall(text):
        value = phrase or word
        if name in (*FILTERS, *DATES) and value and not minus:
            filters.append((name, value))
            continue
        term = _term(f"{name}:{value}" if name else value, star)
        if term is not None:
            (unwanted if minus else wanted).append(term)
    return Words(
        wanted=tuple(dict.fromkeys(wanted))[:WORDS],
        unwanted=tuple(dict.fromkeys(unwanted))[:WORDS],
        filters=tuple(dict.fromkeys(filters)),
        cut=max(len(set(wanted)), len(set(unwanted))) > WORDS,
        idle=bool(text.strip()) and not wanted and not (filters and not unwanted),
    )


def _term(text: str, star: str) -> Term | None:
    """None for what has no letter and no digit: the index knows no such word."""
    prefix = bool(star) or text.endswith("*")
    text = text.replace('"', " ").replace("\0", " ").strip("*")
    return Term(text, prefix) if any(map(str.isalnum, text)) else None


def expression(words: Words) -> str | None:
    """The FTS5 expression; None where no word is wanted."""
    if not words.wanted:
        return None
    wanted = " AND ".join(map(_quoted, words.wanted))
    if not words.unwanted:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(_quoted, words.unwanted))})"


def _quoted(term: Term) -> str:
    return f'"{term.text}"' + ("*" if term.prefix else "")


def check_day(name: str, value: str) -> str:
    """The day as given, YYYY-MM-DD; raises SiphonError if it is none."""
    if not _DAY.fullmatch(value) or millis(value) is None or not "1970" <= value[:4] < "3000":
        raise SiphonError(f"{name}={value!r} is no day; it would be like 2026-01-31")
    return value
