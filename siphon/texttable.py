"""Tables on a terminal: columns as wide as their cells, the widest cut where the terminal ends."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import combining, east_asian_width

GAP = "  "
_LEAST = 12  # columns that a cut one keeps
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Column(NamedTuple):
    """`cut`: may lose its cells' ends where the terminal is too narrow."""

    head: str
    right: bool = False
    cut: bool = False


class Line(NamedTuple):
    """A row's cells, free of control characters; `faint` ones stand back."""

    cells: Sequence[str]
    faint: bool = False


def printed(
    columns: Sequence[Column],
    lines: Sequence[Line],
    foot: Sequence[str] | None = None,
    width: int | None = None,
    styled: bool = False,
) -> Iterator[str]:
    """The table line by line, its head first; `width`: columns of the terminal, None: any number."""
    heads = [column.head for column in columns]
    every = [heads, *(line.cells for line in lines), *([foot] if foot else [])]
    widths = [max(map(wide, column)) for column in zip(*every, strict=True)]
    if width is not None:
        widths = _fitted(columns, widths, width)
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if styled else ("", "", "")
    yield dim + _row(columns, widths, heads) + plain
    for line in lines:
        text = _row(columns, widths, line.cells)
        yield dim + text + plain if line.faint and styled else text
    if foot:
        yield bold + _row(columns, widths, foot) + plain


def _fitted(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Cut columns give way, the widest first."""
    widths = list(widths)
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0:
        place = max(
            (number for number, column in enumerate(columns) if column.cut),
            key=lambda number: widths[number],
            default=None,
        )
        if place is None or widths[place] <= _LEAST:
            return widths
        widths[place] -= 1
        over -= 1
    return widths


def _row(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        size = len(cell) if cell.isascii() else wide(cell)
        if size > width:
            cell, size = _shortened(cell, width)
        blank = " " * (width - size)
        parts.append(blank + cell if column.right else cell + blank)
    return GAP.join(parts).rstrip()


def _shortened(text: str, width: int) -> tuple[str, int]:
    """The text's beginning and an ellipsis, and how wide both are."""
    kept, size = "", 0
    for letter in text:
        step = wide(letter)
        if size + step > width - 1:
            break
        kept += letter
        size += step
    return kept + "…", size + 1


def wide(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in text)
