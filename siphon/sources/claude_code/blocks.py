"""A log's lines, decoded many at a time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, count
from operator import add
from typing import Generic, NamedTuple, TypeVar

import msgspec

from siphon.log import Log

T = TypeVar("T")


class Block(NamedTuple, Generic[T]):
    """Some lines that follow each other, at least one, by columns."""

    numbers: Sequence[int]  # 1-based
    offsets: Sequence[int]
    lengths: Sequence[int]  # bytes without the line end
    values: Sequence[T]


def decoded(
    log: Log, quick: Callable[[list[bytes]], list[T]], mend: Callable[[bytes], T]
) -> Iterator[Block[T]]:
    """Yield all lines as `quick` reads them. One that it refuses goes to `mend`, and comes alone."""
    for number, offset, rows in log.blocks():
        try:
            values = None if rows[0].endswith(b"\r") else quick(rows)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            values = None
        if values is not None:
            sizes = list(map(len, rows))
            offsets = list(map(add, accumulate(sizes[:-1], initial=offset), count()))
            yield Block(range(number, number + len(rows)), offsets, sizes, values)
            continue
        for line, value in log.mended((number, offset, rows), lambda row: quick([row])[0], mend):
            yield Block((line.number,), (line.offset,), (len(line.data),), (value,))
