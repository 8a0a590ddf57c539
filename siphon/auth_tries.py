"""Guessing passwords: after some wrong ones in a row, a name has to wait, each time twice as long."""

from typing import NamedTuple

FREE = 5  # wrong passwords in a row without waiting
LONGEST_MS = 60_000
_MOST = 10_000  # names that are remembered


class _Row(NamedTuple):
    """Wrong passwords in a row."""

    n: int
    last: int  # UTC ms


class Tries:
    """What was tried, of each name; forgotten when the server ends."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}

    def wait(self, name: str, now: int) -> int:
        """How many ms before the name may be tried again."""
        row = self.rows.get(name)
        if row is None or row.n < FREE:
            return 0
        return max(0, row.last + min(LONGEST_MS, 1000 << min(row.n - FREE, 10)) - now)

    def wrong(self, name: str, now: int) -> None:
        row = self.rows.pop(name, _Row(0, now))
        if len(self.rows) >= _MOST:
            del self.rows[next(iter(self.rows))]  # the one tried longest ago
        self.rows[name] = _Row(row.n + 1, now)

    def right(self, name: str) -> None:
        self.rows.pop(name, None)
