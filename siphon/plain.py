"""Markdown as plain words, for one line of it: a lone star (a * b) and a_b stay as they are."""

import re

# Emphasis, code, and what begins a heading, a quote or a list.
_MARKS = re.compile(r"\*\*|__(?=\w)|(?<=\w)__|~~|`+|(?m:^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+)")
MARKED = ("prompt", "reply", "summary", "thinking")  # kinds of messages that are written in it


def plain(text: str) -> str:
    """The text without markdown's marks."""
    return _MARKS.sub("", text)
