"""Collecting again and again: each host in its turn, none waiting for another, and loading what came.

A host behind a network is collected in a process of its own, however long that takes: it is not begun
again before it has ended, and no other host waits for it. Local homes are collected here, at once when
something in them changed.
"""

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from siphon import crew
from siphon.archive import Archive
from siphon.collect import collect_host, lost
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.fleet import due_at, tries
from siphon.hostreport import HostReport, Progress
from siphon.jobs import Job, due, now
from siphon.load import load
from siphon.progress import bytes_bar
from siphon.runs import thin
from siphon.transports import TRANSPORTS

TICK = 1.0  # seconds: how often to look whether something is due
SETTLE = 0.3  # seconds without a further change: tools write a turn in several goes
PATIENCE = 1.0  # seconds that a change waits while more of them come
AGAIN = 10.0  # seconds, where somebody else is at work on the archive or the database
_THIN = 24 * 3600.0  # seconds between two clean-ups of the runs
_BUSY = 1 << 62  # ms: due once it has ended
_ENDING_SECONDS = 10  # for processes that were told to end

Tell = Callable[[str], None]


class _Said(NamedTuple):
    """From a crew's reader: a message, or None as its end."""

    by: "_Crew"
    message: crew.Message | None


class _Crew:
    """Hosts at work in processes of their own."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.left = dict(enumerate(jobs))
        self.process = crew.begin(collect_host, jobs)

    def read(self, put: Callable[[_Said], None]) -> None:
        """Hand on what it says, in a thread that ends with it."""
        for message in crew.messages(self.process):
            put(_Said(self, message))
        put(_Said(self, None))

    def end(self) -> None:
        """End its processes, and wait until they are gone; its reader ends with them."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Rounds:
    """The state of the whole: who is at work, who is due, what changed, what is to be loaded."""

    def __init__(self, config: Config, archive: Archive, say: Tell, complain: Tell) -> None:
        self.archive = archive
        self.say = say
        self.complain = complain
        self.crews: list[_Crew] = []
        self.due: dict[str, int] = {}  # ms
        self.take(config)
        self.lock = ExitStack()  # of the archive, while anything is at work
        self.held = False
        self.news: queue.SimpleQueue[str | _Said] = queue.SimpleQueue()
        self.changed: set[str] = set()
        self.since = self.last = 0.0  # of the changes, by the clock of time.monotonic
        self.rested = 0.0  # when changes may be looked at again: they never take all of a core
        self.load_at = 0.0
        self.thin_at = 0.0
        self.blocked_until = 0.0
        self.told: dict[str, str] = {}  # host → its error, told once
        self.refused: dict[str, str] = {}  # archive, database → who else is at work there, told once

    def take(self, config: Config) -> None:
        """Go by this configuration from now on; what is at work ends as it began."""
        self.config = config
        self.hosts = {host.name: host for host in config.hosts if host.enabled}
        at_work = {job.host.name for crew in self.crews for job in crew.left.values()}
        first = {host.name for host in due(config, self.archive, now())} - self.due.keys()
        self.due = {
            name: _BUSY if name in at_work else 0 if name in first else self._next(name)
            for name in self.hosts
        }
        self.unloaded = self.urgent = True  # other tools may be skipped

    def note(self, name: str) -> None:
        """A host's logs may have changed; called in any thread."""
        self.news.put(name)

    def step(self) -> None:
        """Begin what is due, wait a moment for news, and deal with them."""
        self._begin()
        self._wait(self._idle())
        self._look()
        if not self.crews:
            self._release()
        self._load()

    def close(self) -> None:
        """End all processes; nothing is left half done that the next start would not finish."""
        for one in self.crews:
            one.end()
        self._release()
        if self.archive.root.exists():
            with suppress(SiphonError), self.archive.lock("siphon up, ending", now()):
                pass  # it marks the runs that were cut off

    # Collecting

    def _begin(self) -> None:
        at = now()
        waiting = [host for name, host in self.hosts.items() if self.due[name] <= at]
        if not waiting or not self._hold():
            return
        jobs = [Job(self.config, self.archive, host, False, now) for host in waiting]
        self.due |= {host.name: _BUSY for host in waiting}
        apart = [job for job in jobs if TRANSPORTS[job.host.transport].apart]
        if apart:
            self._send(apart)
        for job in jobs:
            if job not in apart:
                self._ended(job, collect_host(job, _silent))

    def _send(self, jobs: Sequence[Job]) -> None:
        sent = _Crew(jobs)
        self.crews.append(sent)
        threading.Thread(target=sent.read, args=(self.news.put,), daemon=True).start()

    def _ended(self, job: Job, reports: Sequence[HostReport]) -> None:
        name = job.host.name
        if name in self.hosts:
            self.due[name] = self._next(name)
        self.unloaded = True
        self.urgent = self.urgent or any(report.changed for report in reports)
        for report in reports:
            self._tell(report)

    def _tell(self, report: HostReport) -> None:
        """Say what is news; an error once, until it is over or another."""
        if report.error is not None and self.told.get(report.host) != report.error:
            self.complain(f"{report.host}: {report.error}; it is tried again, later and later")
        elif report.error is None and (report.changed or report.host in self.told):
            self.say(f"{report.host}: {report.said()}")
        if report.error is None:
            self.told.pop(report.host, None)
        else:
            self.told[report.host] = report.error

    def _next(self, name: str) -> int:
        return due_at(self.config, self.hosts[name], *tries(self.archive, name), now())

    def _hold(self) -> bool:
        """Be the one who collects; False, and told, while somebody else is."""
        if self.held:
            return True
        if time.monotonic() < self.blocked_until:
            return False
        try:
            self.archive.share(self.config.group)
            self.lock.enter_context(self.archive.lock("siphon up", now()))
        except SiphonError as error:
            self._refused("archive", error)
            self.blocked_until = time.monotonic() + AGAIN
            return False
        self.held = True
        self.refused.pop("archive", None)
        return True

    def _refused(self, what: str, error: SiphonError) -> None:
        """Say that somebody else is at work, once."""
        if self.refused.get(what) != str(error):
            self.complain(f"{error}; it is tried again")
        self.refused[what] = str(error)

    def _release(self) -> None:
        self.lock.close()
        self.held = False

    # News

    def _idle(self) -> float:
        """Seconds that nothing needs to be done for."""
        soon = min(self.due.values(), default=_BUSY) / 1000 - time.time()
        if self.changed:
            soon = min(soon, self._settled_at() - time.monotonic())
        if self.unloaded:
            soon = min(soon, self.load_at - time.monotonic())
        return max(0.0, min(TICK, soon))

    def _settled_at(self) -> float:
        return max(self.rested, min(self.last + SETTLE, self.since + PATIENCE))

    def _wait(self, seconds: float) -> None:
        with suppress(queue.Empty):
            self._hear(self.news.get(timeout=seconds))
            while True:
                self._hear(self.news.get_nowait())

    def _hear(self, news: str | _Said) -> None:
        if isinstance(news, str):
            self.last = time.monotonic()
            self.since = self.since if self.changed else self.last
            self.changed.add(news)
        elif news.message is None:
            for job in news.by.left.values():
                self._ended(job, [lost(job)])
            self.crews.remove(news.by)
            news.by.end()
        elif news.message.result:
            self._ended(news.by.left.pop(news.message.job), news.message.value)

    def _look(self) -> None:
        """Collect local homes that changed, once the changes have settled."""
        if not self.changed or time.monotonic() < self._settled_at() or not self._hold():
            return
        names, self.changed = self.changed, set()
        begun = time.monotonic()
        for name in sorted(names & self.hosts.keys()):
            job = Job(self.config, self.archive, self.hosts[name], False, now)
            self._ended(job, collect_host(job, _silent))
        self._load()
        self.rested = 2 * time.monotonic() - begun

    # Loading

    def _load(self) -> None:
        """Load what came, at once; what is only known to be unchanged when nobody is at work."""
        if not self.unloaded or not (self.urgent or not self.crews):
            return
        if time.monotonic() < self.load_at:
            return
        try:
            self._loaded()
            self.unloaded = self.urgent = False
            self.refused.pop("database", None)
        except SiphonError as error:
            self._refused("database", error)
            self.load_at = time.monotonic() + AGAIN

    def _loaded(self) -> None:
        if time.monotonic() >= self.thin_at:
            thin(self.archive, now())
            self.thin_at = time.monotonic() + _THIN
        with bytes_bar("loading") as bar:
            done = load(
                self.archive,
                self.config.database,
                skip=self.config.skip,
                tries=self.config.health.tries,
                progress=bar,
            )
        for place, error in done.failed:
            self.complain(f"{place}: not loaded: {error}")
        if done.changed:
            self.say(f"{done.changed} logs read, {done.rows} rows written")


def _silent(_word: Progress) -> None:
    return
