"""Collect: every host into the archive. A host that fails is recorded and never stops the others."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from subprocess import TimeoutExpired
from typing import NamedTuple

from siphon.archive import Archive
from siphon.config import Config, HostConfig
from siphon.crew import in_processes
from siphon.errors import SiphonError
from siphon.hosts import Host
from siphon.ledger import Run
from siphon.local import LocalHost
from siphon.pull import HostReport, Progress, Pull, Say
from siphon.repos import normalise
from siphon.sources import sources
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


def collect(
    config: Config,
    archive: Archive,
    hosts: Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[str, str], None] | None = None,
    now: Callable[[], int] = now,
) -> list[HostReport]:
    """Collect the named hosts, or all that are enabled; one report each, in the order of the config.

    `progress` is told (host, what it is doing). `now` tells the time in ms; a module's function.
    Raises SiphonError for an unknown name, or where another collect is at work on the archive.
    """
    jobs = [Job(config, archive, host, dry_run, now) for host in _chosen(config, hosts)]

    def say(word: Progress) -> None:
        if progress is not None:
            progress(word.host, word.doing)

    with nullcontext() if dry_run else archive.lock("collect", now()):
        if len(jobs) == 1 or all(job.host.ssh is None for job in jobs):
            # Starting a process costs more than most local homes; what a network delays gets its own.
            return [collect_host(job, say) for job in jobs]
        reports = in_processes(collect_host, jobs, say)
        return [report or _lost(job) for job, report in zip(jobs, reports, strict=True)]


def collect_host(job: Job, say: Say) -> HostReport:
    """Collect one host and record how it went."""
    if job.dry_run:
        return _tried(job, say)
    run = job.archive.record_run(Run(kind="collect", host=job.host.name, started_at=job.now()))
    report = _tried(job, say)
    _record(job.archive, run, report)
    return report


def _tried(job: Job, say: Say) -> HostReport:
    name, started = job.host.name, job.now()
    say(Progress(name, "connect"))
    try:
        return _collected(job, say)._replace(started_at=started, ended_at=job.now())
    except Exception as error:  # this host failed, whatever the reason; the others must not
        return HostReport(name, started, job.now(), error=_reason(name, error))


def _collected(job: Job, say: Say) -> HostReport:
    name = job.host.name
    with closing(_opened(job)) as host, nullcontext() if job.dry_run else job.archive.host_lock(name):
        pull = Pull(job.archive, host, name, say, job.now)
        report = pull.run(_wanted(job.config, job.host), job.dry_run)
        if job.dry_run:
            return report
        job.archive.pack(name)
        say(Progress(name, "git"))
        unasked = _ask_git(job, host, pull.folders.found())
        return report._replace(problems=(*report.problems, *unasked), wire=host.wire)


def _opened(job: Job) -> Host:
    if job.host.ssh is None:
        return LocalHost(job.host.home or job.config.ssh.parent, without=[job.archive.root])
    from siphon.remote import SshHost  # Fabric takes longer to load than a local home to collect

    return SshHost(job.host, job.config.ssh)


def _wanted(config: Config, host: HostConfig) -> Wanted:
    chosen = host.sources if host.sources is not None else sources().keys()
    return wanted(
        source for name, source in sources().items() if name in chosen and name not in config.skip
    )


def _chosen(config: Config, names: Sequence[str]) -> list[HostConfig]:
    known = {host.name: host for host in config.hosts}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SiphonError(f"unknown host {unknown[0]!r}; known hosts: {', '.join(known)}")
    return [host for host in config.hosts if (host.name in names if names else host.enabled)]


def _ask_git(job: Job, host: Host, folders: Sequence[str]) -> list[str]:
    """Ask for the remotes of folders that logs name; each once, and again after a day if it comes up."""
    at, name = job.now(), job.host.name
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


def _record(archive: Archive, run: Run, report: HostReport) -> None:
    done = run._replace(
        ended_at=report.ended_at,
        outcome="error" if report.error else "ok",
        logs_seen=report.seen,
        logs_changed=report.changed,
        bytes=report.bytes,
        problems=len(report.problems),
        error=report.error,
    )
    archive.record_run(done)
    archive.ledger.record_host(report.host, report.ended_at, report.error)


def _lost(job: Job) -> HostReport:
    """A host whose process ended without a report: killed, or out of memory."""
    at, error = job.now(), "its process was killed"
    if not job.dry_run:
        job.archive.ledger.record_host(job.host.name, at, error)
    return HostReport(job.host.name, at, at, error=error)


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, SiphonError):
        return str(error).removeprefix(f"{name}: ")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
