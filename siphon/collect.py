"""Collect: every host into the archive. A host that fails is recorded and never stops the others."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from functools import partial
from subprocess import TimeoutExpired
from typing import NamedTuple

from siphon import audit, outcomes, retention
from siphon.archive import Archive
from siphon.config import Config, HostConfig
from siphon.crew import in_processes
from siphon.errors import SiphonError
from siphon.hostreport import HostReport, Progress, Say
from siphon.hosts import Host
from siphon.ledger import Run
from siphon.pull import Pull
from siphon.reach import Asked, Part
from siphon.repos import normalise
from siphon.schedule import next_due
from siphon.source import Source
from siphon.sources import sources
from siphon.transports import TRANSPORTS
from siphon.wanted import Wanted, wanted

_DAY = 24 * 3600 * 1000  # ms: a folder's remote is not asked for more often
_FOLDERS = 500  # asked about in one run; the others have their turn in the next


def now() -> int:
    """This moment, in ms."""
    return time.time_ns() // 1_000_000


class Job(NamedTuple):
    """One host to collect."""

    config: Config
    archive: Archive
    host: HostConfig
    dry_run: bool
    now: Callable[[], int]
    parts: tuple[str, ...] = ()  # only these of the hosts it leads to; none: all

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that its way needs."""
        return (TRANSPORTS[self.host.transport].module,)


def collect(
    config: Config,
    archive: Archive,
    hosts: Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[str, str], None] | None = None,
    now: Callable[[], int] = now,
) -> list[HostReport]:
    """Collect the named hosts, or all whose turn it is; reports in the order of the config.

    `progress` is told (host, what it is doing). `now` tells the time in ms; a module's function.
    Raises SiphonError for an unknown name, or where another collect is at work on the archive.
    """
    at = now()
    jobs = [
        Job(config, archive, host, dry_run, now, _parts(host.name, hosts))
        for host in _chosen(config, archive, hosts, at)
    ]

    def say(word: Progress) -> None:
        if progress is not None:
            progress(word.host, word.doing)

    if not dry_run:
        archive.share(config.group)
    with nullcontext() if dry_run else archive.lock("collect", at):
        if len(jobs) == 1 or not any(TRANSPORTS[job.host.transport].apart for job in jobs):
            # Starting a process costs more than most local homes; what a network delays gets its own.
            done: Sequence[list[HostReport] | None] = [collect_host(job, say) for job in jobs]
        else:
            done = in_processes(collect_host, jobs, say)
        reports = [reports or [lost(job)] for job, reports in zip(jobs, done, strict=True)]
    return [report for some in reports for report in some]


def collect_host(job: Job, say: Say) -> list[HostReport]:
    """Collect one configured host and record how it went.

    One report for each host of the archive that it leads to; the first is on the configured host itself.
    """
    parts: list[HostReport] = []

    def whole(attempt: _Attempt) -> HostReport:
        say(Progress(job.host.name, "connect"))
        asked = Asked(job.host, job.config, job.archive)
        with closing(TRANSPORTS[job.host.transport].reach(asked)) as reached:
            attempt.reachable = True
            if [part.name for part in reached.parts] == [job.host.name]:
                return _pulled(job, reached.parts[0], say, attempt)
            for part in _asked(job, reached.parts):
                parts.append(_reported(job, part.name, partial(_pulled, job, part, say)))
                if part.heard_at is not None and not job.dry_run:
                    job.archive.ledger.note_heard(part.name, part.heard_at)
        return HostReport(job.host.name, problems=tuple(reached.problems), reachable=True)

    own = _reported(job, job.host.name, whole)
    if own.error is not None and not own.reachable and not job.dry_run:
        _tell_parts(job, own)
    return [own, *parts]


def _asked(job: Job, parts: Sequence[Part]) -> list[Part]:
    known = {part.name for part in parts}
    missing = [name for name in job.parts if name not in known]
    if missing:
        raise SiphonError(
            f"{job.host.name}: it leads to no {missing[0]!r}, but to {', '.join(sorted(known))}"
        )
    return [part for part in parts if not job.parts or part.name in job.parts]


class _Attempt:
    """What has been done when something fails."""

    reachable = False
    pull: Pull | None = None


def _reported(job: Job, name: str, work: Callable[[_Attempt], HostReport]) -> HostReport:
    """Do the work on a host, and record how it went."""
    started, attempt = job.now(), _Attempt()
    start = Run(kind="collect", host=name, started_at=started)
    run = None if job.dry_run else job.archive.record_run(start)
    try:
        report = work(attempt)
    except Exception as error:  # this host failed, whatever the reason; the others must not
        reached = HostReport(name, reachable=attempt.reachable)
        so_far = attempt.pull.report() if attempt.pull else reached
        report = so_far._replace(error=_reason(job.host.name, error))
    report = report._replace(
        started_at=started, ended_at=job.now(), transport=job.host.transport, limit=job.host.limit
    )
    if run is not None:
        _record(job.archive, run, report)
    return report


def _pulled(job: Job, part: Part, say: Say, attempt: _Attempt) -> HostReport:
    attempt.reachable = True
    lock = nullcontext() if job.dry_run else job.archive.host_lock(part.name)
    with closing(part.open()) as host, lock:
        attempt.pull = pull = Pull(job.archive, host, part.name, say, job.now)
        if job.dry_run:
            return pull.try_run(wanted_of(job.config, job.host), job.host.limit)
        pull.run(wanted_of(job.config, job.host), job.host.limit)
        job.archive.pack(part.name, job.now())
        say(Progress(part.name, "git"))
        unasked = _ask_git(job, part.name, host, pull.folders.found())
        unasked += _look_at_commits(job, part.name, host)
        unseen = _look_at_settings(job, part.name, host, pull)
        report = pull.report()
        return report._replace(problems=(*report.problems, *unasked, *unseen))


def _tell_parts(job: Job, own: HostReport) -> None:
    """Note the error of a host that was not reached on those that it is known to lead to."""
    for state in job.archive.host_states():
        if state.name.startswith(f"{own.host}/"):
            job.archive.ledger.record_host(state.name, own.ended_at, own.error)


def wanted_of(config: Config, host: HostConfig) -> Wanted:
    """What is collected of a host."""
    return wanted(sources_of(config, host))._replace(only=host.paths, never=host.skip_paths)


def sources_of(config: Config, host: HostConfig) -> list[Source]:
    """The tools whose logs are collected of a host."""
    chosen = host.sources if host.sources is not None else sources().keys()
    return [source for name, source in sources().items() if name in chosen and name not in config.skip]


def _chosen(config: Config, archive: Archive, names: Sequence[str], at: int) -> list[HostConfig]:
    """Those that are named, else those whose turn it is."""
    known = {host.name: host for host in config.hosts}
    unknown = [name for name in names if name.partition("/")[0] not in known]
    if unknown:
        raise SiphonError(f"unknown host {unknown[0]!r}; known hosts: {', '.join(known)}")
    if names:
        wanted = {name.partition("/")[0] for name in names}
        return [host for host in config.hosts if host.name in wanted]
    return due(config, archive, at)


def _parts(host: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of a host's users or machines that are named; none, if it is itself."""
    return () if host in names else tuple(name for name in names if name.startswith(f"{host}/"))


def due(config: Config, archive: Archive, at: int) -> list[HostConfig]:
    """The hosts that are enabled and whose schedule does not make them wait."""
    enabled = [host for host in config.hosts if host.enabled]
    if not any(host.every or host.hours for host in enabled) or not archive.root.exists():
        return enabled
    last = {state.name: state.attempted_at for state in archive.host_states()}
    return [host for host in enabled if next_due(host, last.get(host.name), at) <= at]


def _ask_git(job: Job, name: str, host: Host, folders: Sequence[str]) -> list[str]:
    """Ask for the remotes of folders that logs name; each once, and again after a day if it comes up."""
    at = job.now()
    asked = job.archive.asked_repos(name)
    due = [folder for folder in folders if (last := asked.get(folder)) is None or last < at - _DAY]
    waiting = [folder for folder, when in asked.items() if when is None]
    turn = sorted({*due, *waiting})
    job.archive.add_repos(name, dict.fromkeys(set(turn[_FOLDERS:]) - asked.keys()), None)
    if not turn:
        return []
    try:
        urls = host.remotes(turn[:_FOLDERS])
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"git remotes: {error}"]
    job.archive.add_repos(name, {folder: url and normalise(url) for folder, url in urls.items()}, at)
    return []


def _look_at_commits(job: Job, name: str, host: Host) -> list[str]:
    """What came of the sessions in git, where the configuration asks for it."""
    if not job.host.git:
        return []
    try:
        outcomes.look(job.archive, host, name, job.now())
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"git commits: {error}"]
    return []


def _look_at_settings(job: Job, name: str, host: Host, pull: Pull) -> list[str]:
    """How long the tools there keep their logs."""
    chosen = sources_of(job.config, job.host)
    try:
        return retention.look(job.archive, host, name, pull.listing.found, chosen, job.now())
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"settings: {error}"]


def _record(archive: Archive, run: Run, report: HostReport) -> None:
    done = run._replace(
        ended_at=report.ended_at,
        outcome="error" if report.error else "ok",
        logs_seen=report.seen,
        logs_changed=report.changed,
        bytes=report.bytes,
        problems=len(report.problems),
        error=report.error,
        reachable=report.reachable,
        transport=report.transport,
        tools=report.tools,
        wire=report.wire,
        left_logs=report.left_logs,
        left_bytes=report.left_bytes,
    )
    archive.record_run(done)
    archive.ledger.record_host(report.host, report.ended_at, report.error)
    if report.error or report.new or report.rewritten or report.gone:  # not each line that a log grows
        _note(archive, report)


def _note(archive: Archive, report: HostReport) -> None:
    audit.note(
        archive.root,
        "collect",
        report.ended_at,
        host=report.host,
        seen=report.seen,
        new=report.new,
        grown=report.grown,
        rewritten=report.rewritten,
        gone=report.gone,
        bytes=report.bytes,
        problems=len(report.problems),
        error=report.error,
    )


def lost(job: Job) -> HostReport:
    """A host whose process ended without a report: killed, or out of memory."""
    at, error = job.now(), "its process was killed"
    report = HostReport(job.host.name, at, at, error=error, transport=job.host.transport)
    if not job.dry_run:
        job.archive.ledger.record_host(job.host.name, at, error)
        _tell_parts(job, report)
    return report


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, SiphonError):
        return str(error).removeprefix(f"{name}: ")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
