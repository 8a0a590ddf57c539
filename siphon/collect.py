"""Collect: every host into the archive. A host that fails is recorded and never stops the others."""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from functools import partial

from siphon import audit, jobs
from siphon.archive import Archive
from siphon.besides import besides
from siphon.config import Config
from siphon.crew import in_processes
from siphon.errors import SiphonError
from siphon.hostreport import HostReport, Progress, Say
from siphon.jobs import Job, wanted_of
from siphon.ledger import Run
from siphon.pull import Pull
from siphon.reach import Asked, Part
from siphon.transports import TRANSPORTS


def collect(
    config: Config,
    archive: Archive,
    hosts: Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[str, str], None] | None = None,
    now: Callable[[], int] = jobs.now,
) -> list[HostReport]:
    """Collect the named hosts, or all whose turn it is; reports in the order of the config.

    `progress` is told (host, what it is doing). `now` tells the time in ms; a module's function.
    Raises SiphonError for an unknown name, or where another collect is at work on the archive.
    """
    due = jobs.jobs(config, archive, hosts, dry_run, now)

    def say(word: Progress) -> None:
        if progress is not None:
            progress(word.host, word.doing)

    if not dry_run:
        archive.share(config.group)
    with nullcontext() if dry_run else archive.lock("collect", now()):
        if len(due) == 1 or not any(TRANSPORTS[job.host.transport].apart for job in due):
            # Starting a process costs more than most local homes; what a network delays gets its own.
            done: Sequence[list[HostReport] | None] = [collect_host(job, say) for job in due]
        else:
            done = in_processes(collect_host, due, say)
        reports = [reports or [lost(job)] for job, reports in zip(due, done, strict=True)]
    return [report for some in reports for report in some]


def collect_host(job: Job, say: Say) -> list[HostReport]:
    """Collect one configured host and record how it went; that it cannot be recorded is told, too.

    One report for each host of the archive that it leads to; the first is on the configured host itself.
    """
    try:
        return _collected(job, say)
    except SiphonError as error:
        return [_failed(job, str(error))]


def _collected(job: Job, say: Say) -> list[HostReport]:
    """Raises SiphonError where the ledger cannot be written."""
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
        unseen = besides(job, part.name, host, pull)
        report = pull.report()
        return report._replace(problems=(*report.problems, *unseen))


def _tell_parts(job: Job, own: HostReport) -> None:
    """Note the error of a host that was not reached on those that it is known to lead to."""
    for state in job.archive.host_states():
        if state.name.startswith(f"{own.host}/"):
            job.archive.ledger.record_host(state.name, own.ended_at, own.error)


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
    report = _failed(job, "its process was killed")
    if job.dry_run:
        return report
    try:
        job.archive.ledger.record_host(job.host.name, report.ended_at, report.error)
        _tell_parts(job, report)
    except SiphonError as error:
        return _failed(job, f"{report.error}; {error}")
    return report


def _failed(job: Job, error: str) -> HostReport:
    at = job.now()
    return HostReport(job.host.name, at, at, error=error, transport=job.host.transport)


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, SiphonError):
        return str(error).removeprefix(f"{name}: ")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
