"""Edits in an answer: SEARCH/REPLACE blocks, unified diffs, whole files; each under its file's name."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from siphon.sources._diff import Lines, of_diff, of_texts

_SWAP = re.compile(
    r"^<{5,9} SEARCH>?\s*\n(.*?)^={5,9}\s*\n(.*?)^>{5,9} REPLACE", re.DOTALL | re.MULTILINE
)
_OPEN = re.compile(r"(`{3,}|<source>|<code>|<pre>)(\S*)\s*")
_DIFF_FILE = re.compile(r"^\+\+\+ (?:b/)?(\S+)", re.MULTILINE)


class Edit(NamedTuple):
    """What an answer wants done to one file."""

    path: str
    text: str  # as the model wrote it
    lines: Lines | None  # None: a whole file, whose former text is not known


def edits(answer: str) -> dict[str, Edit]:
    """The edits of an answer by file."""
    found: dict[str, Edit] = {}
    for edit in _edits(answer):
        known = found.get(edit.path)
        found[edit.path] = edit if known is None else _both(known, edit)
    return found


def _both(one: Edit, other: Edit) -> Edit:
    lines = None
    if one.lines and other.lines:
        lines = Lines(one.lines.added + other.lines.added, one.lines.removed + other.lines.removed)
    return Edit(one.path, f"{one.text}\n{other.text}", lines)


def _edits(answer: str) -> Iterator[Edit]:
    if "```" not in answer and "SEARCH" not in answer:
        return
    path = ""
    for above, info, body in _fences(answer):
        if info.strip() == "diff" and (name := _DIFF_FILE.search(body)):
            yield Edit(name[1], body, of_diff(body))
            continue
        path = _named(above) or path
        swaps = _SWAP.findall(body)
        if swaps and path:
            lines = [of_texts(old, new) for old, new in swaps]
            yield Edit(path, body, Lines(sum(x.added for x in lines), sum(x.removed for x in lines)))
        elif path and _named(above):
            yield Edit(path, body, None)


def _fences(answer: str) -> Iterator[tuple[str, str, str]]:
    """The line above, the info string and the body of each fence."""
    rows = answer.split("\n")
    place = 0
    while place < len(rows):
        opened = _OPEN.fullmatch(rows[place])
        if not opened:
            place += 1
            continue
        shut = "`" * len(opened[1]) if opened[1].startswith("`") else "</"
        end = place + 1
        while end < len(rows) and not rows[end].startswith(shut):
            end += 1
        yield rows[place - 1] if place else "", opened[2], "\n".join(rows[place + 1 : end]) + "\n"
        place = end + 1


def _named(line: str) -> str | None:
    """The file that the line above a fence names."""
    name = line.strip().strip("*`#:").strip()
    return name if name and " " not in name and ("." in name or "/" in name) else None
