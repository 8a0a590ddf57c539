"""What a load did, and how far it is."""

from collections.abc import Callable
from typing import NamedTuple

from siphon.stale import Job


class Loaded(NamedTuple):
    """What one load did."""

    logs: int  # seen
    changed: int  # read
    bytes: int  # read
    rows: int  # written
    problems: int  # in the logs read
    failed: list[tuple[str, str]]  # host/path, the parser's error
    rebuilt: bool


Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes to read)."""


def silent(_done: int, _total: int) -> None:
    """Tells nobody."""


class Tally:
    """Adds up what a load does, and tells the progress."""

    def __init__(self, todo: list[Job], progress: Progress) -> None:
        self.total = sum(job.held.size for job in todo)
        self.progress = progress
        self.logs = self.bytes = self.rows = self.problems = 0
        self.failed: list[tuple[str, str]] = []

    def add(self, job: Job, rows: int, problems: int, error: str | None) -> None:
        self.reached(job)
        self.count(job, rows, problems, error)

    def reached(self, job: Job) -> None:
        self.bytes += job.held.size
        self.progress(self.bytes, self.total)

    def count(self, job: Job, rows: int, problems: int, error: str | None) -> None:
        self.logs += 1
        self.rows += rows
        self.problems += problems
        if error is not None:
            self.failed.append((f"{job.held.host}/{job.held.path}", error))

    def loaded(self, seen: int, *, rebuilt: bool) -> Loaded:
        return Loaded(seen, self.logs, self.bytes, self.rows, self.problems, self.failed, rebuilt)
