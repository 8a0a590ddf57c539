"""How a collect goes on one host, and how it went."""

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """How far a host is."""

    host: str
    stage: str  # connect, list, fetch, git
    logs: int = 0  # done
    logs_total: int = 0
    bytes: int = 0  # done
    bytes_total: int = 0

    @property
    def doing(self) -> str:
        """What it is doing, to be shown."""
        if self.stage != "fetch":
            return {"connect": "connecting", "list": "listing", "git": "asking git"}[self.stage]
        done, total = readable(self.bytes), readable(self.bytes_total)
        return f"fetching log {self.logs} of {self.logs_total}, {done} of {total}"


Say = Callable[[Progress], None]


class Planned(NamedTuple):
    """What a dry run would fetch."""

    path: str
    kind: str  # new, grown, rewritten: as far as a listing tells
    bytes: int


class HostReport(NamedTuple):
    """What a collect did on one host. Times in ms."""

    host: str
    started_at: int = 0
    ended_at: int = 0
    seen: int | None = None  # logs there; None: it could not be listed, or is many hosts (<it>/<part>)
    new: int = 0
    grown: int = 0
    rewritten: int = 0
    gone: int = 0  # missing there since this run; kept here
    bytes: int = 0  # of logs
    wire: int = 0  # bytes over the network, both ways
    problems: tuple[str, ...] = ()  # logs that could not be had; the rest is there
    links: tuple[str, ...] = ()  # not followed
    planned: tuple[Planned, ...] = ()  # by a dry run
    error: str | None = None  # why the host as a whole failed
    reachable: bool = False  # it was, whatever came then
    transport: str | None = None  # the way to it: home, ssh, command …
    tools: str | None = None  # what it is read with there; None: not known yet
    left_logs: int = 0  # for the next run, as this one has reached the host's limit
    left_bytes: int = 0
    limit: int | None = None  # bytes a run

    @property
    def changed(self) -> int:
        return self.new + self.grown + self.rewritten

    def said(self) -> str:
        """In a line. Problems and links are counted; they are named in the report."""
        if self.error is not None:
            return "failed"
        if self.seen is None:
            return ", ".join(["reached", *self._troubles()])
        if self.planned:
            would = readable(sum(planned.bytes for planned in self.planned))
            parts = [f"would fetch {len(self.planned)} ({would})"]
        else:
            parts = self._counts()
        logs = "1 log" if self.seen == 1 else f"{self.seen} logs"
        return f"{logs}, {', '.join([*parts, *self._troubles()])}"

    def _counts(self) -> list[str]:
        counts = {
            "new": self.new,
            "grown": self.grown,
            "rewritten": self.rewritten,
            "gone": self.gone,
        }
        parts = [f"{count} {word}" for word, count in counts.items() if count] or ["nothing new"]
        if self.changed:
            parts[-1] += f" ({readable(self.bytes)})"
        return parts

    def _troubles(self) -> list[str]:
        parts = []
        if self.left_logs:
            left = f"{self.left_logs} ({readable(self.left_bytes)}) left for the next run"
            parts.append(f"{left}: limit {readable(self.limit or 0)}")
        if self.problems:
            parts.append(f"{len(self.problems)} could not be had: {self.problems[0]}")
        if self.links:
            parts.append(f"{len(self.links)} link{'s' * (len(self.links) > 1)} not followed")
        return parts


def readable(size: float) -> str:
    """Bytes with a unit."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
