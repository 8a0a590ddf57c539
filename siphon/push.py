"""Push: this machine's logs to where siphon collects them, for a machine that nobody can reach.

The same logs that a collect would take, and stores as consistent copies; only what has changed; nothing
is ever removed there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from siphon import audit
from siphon.ahead import ahead
from siphon.config import Config, HostConfig
from siphon.errors import SiphonError
from siphon.hostreport import Planned, readable
from siphon.hosts import Host
from siphon.jobs import wanted_of
from siphon.layout import MARK, is_machine
from siphon.local import LocalHost
from siphon.plan import plan
from siphon.pull import allowed
from siphon.pushmemory import Memory, Sent
from siphon.pushread import Reader, Ready
from siphon.pushtarget import Target, named, opened
from siphon.wanted import Wanted

_AT_ONCE = 8
_REMEMBER = 100  # logs: no more than these are compared again after a kill


class PushReport(NamedTuple):
    """What a push did. Times in ms."""

    target: str
    machine: str
    started_at: int
    ended_at: int
    seen: int  # logs here
    sent: tuple[Planned, ...]  # new or changed; by a dry run: what would be sent
    problems: tuple[str, ...]  # logs that could not be sent; the others are there
    links: tuple[str, ...]  # not followed
    dry_run: bool

    def said(self) -> str:
        """In a line."""
        new = sum(one.kind == "new" for one in self.sent)
        counts = ((new, "new"), (len(self.sent) - new, "changed"))
        parts = [f"{count} {word}" for count, word in counts if count] or ["nothing new"]
        if self.sent:
            parts[-1] += f" ({readable(sum(one.bytes for one in self.sent))})"
        if self.dry_run:
            parts[0] = f"would send {parts[0]}"
        if self.problems:
            parts.append(f"{len(self.problems)} could not be sent: {self.problems[0]}")
        if self.links:
            parts.append(f"{len(self.links)} links not followed")
        return f"{self.seen} logs, {', '.join(parts)}"


Say = Callable[[str, str], None]  # told (machine, what it is doing)


class Push:
    """The state of one push."""

    def __init__(self, home: Host, target: Target, machine: str, memory: Memory, say: Say) -> None:
        self._home = home
        self._target = target
        self._machine = machine
        self._memory = memory
        self._say = say
        self._fresh: dict[str, Sent] = {}  # not yet in the memory
        self._failed: dict[str, str] = {}

    def run(self, wanted: Wanted, now: Callable[[], int], dry_run: bool = False) -> PushReport:
        """Send what has changed, or only tell. Raises SiphonError where the target cannot be had."""
        started = now()
        self._say(self._machine, "listing")
        listing = allowed(self._home.find(wanted), wanted)
        todo = plan(listing, wanted, {})
        reader = Reader(self._home, self._target.there(wanted), self._memory.sent(), self._remember)
        ready = reader.read(todo)
        sent = [_planned(each, reader) for each in (_closed(ready) if dry_run else self._send(ready))]
        if not dry_run:
            self._memory.add(self._fresh)
        failed = {**reader.problems, **self._failed}
        report = PushReport(
            target=self._target.name,
            machine=self._machine,
            started_at=started,
            ended_at=now(),
            seen=todo.seen,
            sent=tuple(sent),
            problems=(*listing.problems, *(f"{path}: {why}" for path, why in failed.items())),
            links=tuple(listing.links),
            dry_run=dry_run,
        )
        if not dry_run:
            self._target.say(MARK, _mark(report))
        return report

    def _send(self, found: Iterator[Ready]) -> Iterator[Ready]:
        """Send them, several at a time; yields what has arrived."""
        count = size = 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for ready, (mark, problem) in ahead(pool, self._put, found, _AT_ONCE):
                content = ready.content
                if problem is not None:
                    self._failed[content.path] = problem
                    continue
                count, size = count + 1, size + content.size
                self._say(self._machine, f"sent {count} logs, {readable(size)}")
                self._remember(content.path, ready.stamp, mark)
                yield ready

    def _put(self, ready: Ready) -> tuple[str, str | None]:
        """The mark it has there, and why it could not be put."""
        try:
            return self._target.put(ready.content), None
        except SiphonError as error:
            return "", str(error).removeprefix(f"{self._target.name}: ")

    def _remember(self, path: str, stamp: str | None, mark: str) -> None:
        if stamp is None or not mark:
            return
        self._fresh[path] = Sent(stamp, mark)
        if len(self._fresh) >= _REMEMBER:
            self._memory.add(self._fresh)
            self._fresh = {}


def push(
    config: Config,
    word: str,
    machine: str,
    *,
    environ: Mapping[str, str],
    here: Path,
    now: Callable[[], int],
    options: Mapping[str, str | None] | None = None,
    dry_run: bool = False,
    progress: Say = lambda _machine, _doing: None,
) -> PushReport:
    """Push the user's home to what `word` names (siphon/pushtarget.py), with options of a bucket.

    Raises SiphonError where nothing at all can be pushed.
    """
    if not is_machine(machine):
        what = "letters, digits, '.', '_' and '-' make the name of a machine"
        raise SiphonError(f"{machine!r}: {what}; choose one with --machine")
    place = named(word, config, here, **(options or {}))
    home = LocalHost(
        config.ssh.parent, without=[config.archive, *([place.folder] if place.folder else [])]
    )
    memory = Memory(config.archive.parent / "pushed.db", f"{place.url} {machine}")
    chosen = wanted_of(config, _own(config, machine))
    progress(machine, "connecting")
    with memory.lock(), closing(opened(place, machine, config, environ)) as target:
        if dry_run:
            return Push(home, target, machine, memory, progress).run(chosen, now, dry_run=True)
        target.sweep()
        if not config.archive.is_dir():
            return Push(home, target, machine, memory, progress).run(chosen, now)
        audit.note(config.archive, "push", now(), target=place.url, machine=machine)
        report = Push(home, target, machine, memory, progress).run(chosen, now)
    audit.note(
        config.archive,
        "pushed",
        now(),
        target=place.url,
        machine=machine,
        logs=len(report.sent),
        bytes=sum(one.bytes for one in report.sent),
        problems=len(report.problems),
    )
    return report


def _own(config: Config, machine: str) -> HostConfig:
    """What siphon.yml says about the user's home, if anything: what is not collected is not pushed."""
    home = config.ssh.parent
    mine = (host for host in config.hosts if host.home == home)
    return next(mine, HostConfig(machine, home=home))


def _closed(found: Iterator[Ready]) -> Iterator[Ready]:
    for ready in found:
        ready.content.file.close()
        yield ready


def _planned(ready: Ready, reader: Reader) -> Planned:
    path = ready.content.path
    return Planned(path, "changed" if reader.has(path) else "new", ready.content.size)


def _mark(report: PushReport) -> bytes:
    """Says that the machine was heard of, though nothing was new."""
    said = {"at": report.ended_at, "logs": report.seen, "problems": len(report.problems)}
    return json.dumps(said).encode() + b"\n"
