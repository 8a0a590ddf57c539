"""What is known of each host: reached or not, since when, how far behind, when it is tried again.

Told from the archive's ledger, which is right also where nothing was loaded since; where a database
is served without its archive, from the copy that the database holds.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from siphon.archive import Archive
from siphon.backoff import next_run
from siphon.config import Config, HostConfig
from siphon.counts import Count, by_host, counts
from siphon.schedule import next_due

LATE = 2  # intervals since the last success that need no word
_PUSHED = ("bucket", "inbox")  # transports of machines that are not asked, but leave their logs
_SILENT = 24 * 3600 * 1000  # ms without a push, at least, that make a machine silent

# Why the newest tries failed, and how often since the last success. A run cut off by us is no failure.
_RUNS = """
with ends as (
    select host,
        max(id) filter (where outcome = 'ok') as good,
        max(id) filter (where reachable or logs_seen is not null) as seen,
        max(id) filter (where outcome <> 'running' and error is not 'interrupted') as last,
        max(started_at) filter (where outcome = 'running') as running
    from runs where kind = 'collect' and host is not null group by host
)
select ends.host, seen.ended_at, last.id = seen.id, last.logs_changed, last.problems, ends.running,
    (select count(*) from runs r where r.host = ends.host and r.id > coalesce(ends.good, 0)
        and r.kind = 'collect' and r.outcome = 'error' and r.error is not 'interrupted')
from ends left join runs seen on seen.id = ends.seen left join runs last on last.id = ends.last
"""
_FAILURES = """
select count(*) from runs where kind = 'collect' and host = ?1 and outcome = 'error'
    and error is not 'interrupted' and id > coalesce(
        (select max(id) from runs where kind = 'collect' and host = ?1 and outcome = 'ok'), 0)
"""
_HELD = (
    "select host, count(*), sum(size), max(changed_at), sum(gone_at is not null) from logs"
    " where pruned_at is null group by host"
)


_Facts = Mapping[str, Mapping[str, Any]]
"""What was asked → host → the answer."""


class HostStatus(NamedTuple):
    """A host as it stands. Times are UTC ms; None: never, or not known."""

    host: str
    state: str  # well, late, silent, failing, unreachable, never, off, kept
    reachable: bool | None  # at the last try
    seen_at: int | None  # last time it answered
    collected_at: int | None  # last success
    attempted_at: int | None  # last try
    lag: int | None  # ms since the last success
    news_at: int | None  # last time bytes of a log arrived
    next_run_at: int | None  # as `siphon up` tries it; in the past: at once; None: never
    failures: int  # tries in a row that failed
    running_since: int | None
    logs: int  # archived
    gone: int  # of them no longer on the host
    bytes: int
    changed: int | None  # logs that the last run found new, grown or rewritten
    unfetched: int  # parts of the host that the last run could not have
    problems: int  # parts of logs that could not be read
    failed_logs: int  # that could not be loaded at all
    sessions: int
    last_activity_at: int | None
    error: str | None  # of the last try
    pushes: bool  # it is not asked: it leaves its logs in a bucket or an inbox
    heard_at: int | None  # when it last did, be it nothing new; None: it does not say


class _Run(NamedTuple):
    seen_at: int | None = None
    reached: int | None = None
    changed: int | None = None
    unfetched: int | None = None
    running: int | None = None
    failures: int = 0


def fleet(
    connection: sqlite3.Connection | None,
    archive: Archive | None,
    config: Config,
    now: int,
    loaded: Sequence[Count] | None = None,
) -> list[HostStatus]:
    """Every host that is configured or has logs, by name.

    `connection`: siphon.db, if there is one. `archive` None: only what the connection shows, as it may
    be that of a reader who is not to see all hosts. `loaded`: its counts, if they are known already.
    """
    book = ledger(archive) or connection
    if loaded is None:
        loaded = [] if connection is None else counts(connection)
    facts: _Facts = {} if book is None else _facts(book, connection, by_host(loaded))
    known = [host.name for host in config.hosts] if archive is not None else []
    names = set(known).union(*(part.keys() for part in facts.values()))
    return [_status(config, name, facts, now) for name in sorted(names) if _shown(name, facts)]


def _facts(
    book: sqlite3.Connection, connection: sqlite3.Connection | None, loaded: Mapping[str, Count]
) -> _Facts:
    own = book is not connection  # the ledger, which knows more
    heard = "heard_at" if own else "null"
    return {
        "state": _by_host(book, f"select name, collected_at, attempted_at, error, {heard} from hosts"),
        "run": {row[0]: _Run(*row[1:]) for row in book.execute(_RUNS)},
        "held": _by_host(book, _HELD)
        if own
        else {host: (one.logs, one.bytes, one.loaded_at, 0) for host, one in loaded.items() if one.logs},
        "read": {} if connection is None else _read(connection, loaded),
    }


def _read(connection: sqlite3.Connection, loaded: Mapping[str, Count]) -> Mapping[str, tuple[Any, ...]]:
    """Of every host that the database knows."""
    known = {row[0]: loaded.get(row[0]) for row in connection.execute("select name from hosts")}
    return {
        host: (0, 0, 0, None)
        if one is None
        else (one.problems, one.failed_logs, one.sessions, one.last_activity_at)
        for host, one in known.items()
    }


def ledger(archive: Archive | None) -> sqlite3.Connection | None:
    """The archive's ledger to read; None if there is none. Raises SiphonError if it cannot be opened."""
    there = archive is not None and (archive.root / ".ledger.db").exists()
    return archive.ledger.db if archive is not None and there else None


def configured(config: Config, name: str) -> HostConfig | None:
    """The host of siphon.yml that a host's logs come by: `gpu` for `gpu/ada` too."""
    known = {host.name: host for host in config.hosts}
    return known.get(name) or known.get(name.partition("/")[0])


def interval(config: Config, host: HostConfig | None) -> int:
    """Seconds between two collects of the host."""
    return config.interval if host is None or host.every is None else host.every


def due_at(config: Config, host: HostConfig, attempted: int | None, failures: int, now: int) -> int:
    """When `siphon up` collects the host next (ms); not after `now`: at once."""
    wait = next_run(interval(config, host), attempted, failures)
    return next_due(host._replace(every=None), None, now if wait is None else wait)


def grace(config: Config, host: HostConfig | None) -> int:
    """ms since the last success that need no word."""
    lag = config.health.lag
    return 1000 * (lag if lag is not None else LATE * interval(config, host))


def _by_host(connection: sqlite3.Connection, sql: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in connection.execute(sql)}


def _shown(name: str, facts: _Facts) -> bool:
    """A host that stands for several homes has no line of its own unless something is wrong with it."""
    held = facts.get("held", {})
    parts = any(other.startswith(f"{name}/") for other in held)
    return not parts or name in held or _state_of(name, facts)[2] is not None


def _state_of(name: str, facts: _Facts) -> tuple[int | None, int | None, str | None, int | None]:
    """Last success, last try, its error, last push."""
    collected, attempted, error, heard = facts.get("state", {}).get(name, (None,) * 4)
    return collected, attempted, error, heard


def _status(config: Config, name: str, facts: _Facts, now: int) -> HostStatus:
    collected, attempted, error, heard = _state_of(name, facts)
    run = facts.get("run", {}).get(name, _Run())
    logs, size, news, gone = facts.get("held", {}).get(name, (0, 0, None, 0))
    problems, failed, sessions, activity = facts.get("read", {}).get(name, (0, 0, 0, None))
    host = configured(config, name)
    reachable = None if attempted is None else error is None or bool(run.reached)
    lag = None if collected is None else max(0, now - collected)
    found = HostStatus(
        host=name,
        state="well",
        reachable=reachable,
        seen_at=_latest((run.seen_at, collected)),
        collected_at=collected,
        attempted_at=attempted,
        lag=lag,
        news_at=news,
        next_run_at=due_at(config, host, attempted, run.failures, now) if host else None,
        failures=run.failures,
        running_since=run.running,
        logs=logs,
        gone=gone or 0,
        bytes=size or 0,
        changed=run.changed,
        unfetched=run.unfetched or 0,
        problems=problems,
        failed_logs=failed,
        sessions=sessions,
        last_activity_at=activity,
        error=error,
        pushes=host is not None and host.transport in _PUSHED,
        heard_at=heard,
    )
    found = found._replace(state=_state(config, host, found, now))
    return found if found.state not in ("off", "kept") else found._replace(next_run_at=None)


def _state(config: Config, host: HostConfig | None, found: HostStatus, now: int) -> str:
    if host is None:
        return "kept"
    if not host.enabled:
        return "off"
    if found.attempted_at is None:
        return "never"
    if found.error is not None:
        return "failing" if found.reachable else "unreachable"
    if found.lag is None or found.lag > grace(config, host):
        return "late"
    quiet = found.heard_at is not None and now - found.heard_at > max(grace(config, host), _SILENT)
    return "silent" if quiet else "well"


def _latest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)


def tries(archive: Archive, host: str) -> tuple[int | None, int]:
    """When the host was last tried (ms), and how many tries have failed since the last success."""
    book = ledger(archive)
    if book is None:
        return None, 0
    state = book.execute("select attempted_at from hosts where name = ?", [host]).fetchone()
    failures = book.execute(_FAILURES, [host]).fetchone()
    return None if state is None else state[0], int(failures[0])
