"""Whether all is well: what was found, how bad it is, and the way out.

ok: as it should be. info: worth knowing. unknown: cannot be told. warning: needs a look. error: logs
are lost, or nothing can be searched, until somebody acts.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from siphon import db, figures
from siphon.archive import Archive
from siphon.config import LEVELS, Config
from siphon.counts import Count, by_host, counts
from siphon.errors import SiphonError
from siphon.fleet import HostStatus, configured, fleet, grace, ledger
from siphon.retention import judged, keepings
from siphon.sources import sources
from siphon.stale import Readers

EXIT_CODES = {"ok": 0, "info": 0, "unknown": 3, "warning": 4, "error": 5}
MOST = 20  # findings of one kind; the rest are counted
_QUIET = 7 * 24 * 3600 * 1000  # ms without news from a machine that pushes and does not say when
STUCK = 4  # lag graces that an archived log may wait to be loaded


class Finding(NamedTuple):
    """One thing found. Times are UTC ms."""

    level: str  # one of LEVELS
    check: str  # database, archive, host, load, stuck, quarantine, problems, retention
    what: str  # a sentence, with the way out
    host: str | None = None
    source: str | None = None
    path: str | None = None  # of a log, below its home
    since: int | None = None  # when it began
    until: int | None = None  # when it gets worse


def health(
    connection: sqlite3.Connection | None, archive: Archive | None, config: Config, now: int
) -> list[Finding]:
    """All findings, the worst first. `connection`: siphon.db to read; None: there is none.

    `archive` None: only what the connection shows.
    """
    found = [*_database(connection, config)]
    loaded = [] if connection is None else counts(connection)
    try:
        hosts = fleet(connection, archive, config, now, loaded)
        found += [_host(config, one, now) for one in hosts]
        found += _problems(loaded)
        found += _archived(connection, archive, config, now)
        found += retention(hosts, archive, config, now)
    except SiphonError as error:
        found.append(Finding("error", "archive", str(error)))
    return sorted(found, key=lambda one: -LEVELS.index(one.level))


def worst(findings: Iterable[Finding]) -> str:
    """The highest level; "ok" where nothing was found."""
    return max((one.level for one in findings), key=LEVELS.index, default="ok")


def as_json(findings: Sequence[Finding], now: int) -> dict[str, Any]:
    """What scripts read."""
    level = worst(findings)
    return {
        "level": level,
        "ok": EXIT_CODES[level] == 0,
        "at": now,
        "findings": [one._asdict() for one in findings],
    }


def _database(connection: sqlite3.Connection | None, config: Config) -> Iterator[Finding]:
    if connection is None:
        what = f"{config.database}: there is no database; `siphon load` makes it"
        yield Finding("error", "database", what)
    elif not _current(connection):
        what = (
            "the database was made by another version of siphon; the next `siphon load` builds it anew"
        )
        yield Finding("warning", "database", what)
    else:
        yield Finding("ok", "database", f"{config.database} is there and can be read")


def _current(connection: sqlite3.Connection) -> bool:
    row = connection.execute("select value from meta where key = 'layout'").fetchone()
    return row is not None and row[0] == db.layout()


def _host(config: Config, one: HostStatus, now: int) -> Finding:
    level, what = _judged(config, one, now)
    return Finding(level, "host", what, host=one.host, since=one.collected_at)


def _judged(config: Config, one: HostStatus, now: int) -> tuple[str, str]:
    since = "never collected" if one.lag is None else f"last collected {figures.duration(one.lag)} ago"
    if one.state == "kept":
        return "ok", "no longer in siphon.yml; what it has sent is kept"
    if one.state == "off":
        return "ok", f"not collected, as siphon.yml says (enabled: false); {since}"
    if one.state == "never":
        return "unknown", f"never collected; `siphon collect {one.host.partition('/')[0]}` tries it"
    late = one.lag is None or one.lag > grace(config, configured(config, one.host))
    if one.state in ("failing", "unreachable"):
        how = "could not be reached" if one.state == "unreachable" else "was reached, but failed"
        told = f"{how}, {figures.plural(one.failures, 'time')} in a row: {one.error}; {since}"
        return "warning" if late else "info", told
    if one.state == "silent" and one.heard_at is not None:
        ago = figures.duration(now - one.heard_at)
        return "warning", f"it stopped sending: its last push was {ago} ago; {_news(one, now)}"
    if late:
        return "warning", f"{since}; nobody collects: `siphon up` or `siphon service install` does"
    news = _news(one, now)
    if one.pushes and one.heard_at is None and one.news_at is not None and now - one.news_at > _QUIET:
        return "unknown", f"{news}, and it does not say when it pushes: it may have stopped sending"
    return "ok", f"{since}; {news}"


def _news(one: HostStatus, now: int) -> str:
    if one.news_at is None:
        return "it has no logs"
    return f"something new {figures.duration(max(0, now - one.news_at))} ago"


def _archived(
    connection: sqlite3.Connection | None, archive: Archive | None, config: Config, now: int
) -> Iterator[Finding]:
    """What the archive holds and the database should."""
    if connection is None:
        return
    yield from _at_most(_failed(connection, config))
    book = ledger(archive)
    if book is not None:
        yield from _at_most(_waiting(connection, book, config, now))


def _failed(connection: sqlite3.Connection, config: Config) -> Iterator[Finding]:
    rows = connection.execute(
        "select host, source, path, error, tries, loaded_at from logs where error is not null"
        " order by tries desc, host, path"
    )
    for host, source, path, error, tries, at in rows:
        given_up = tries >= config.health.tries
        way = "; `siphon load --retry` tries again" if given_up else "; the next load tries again"
        kept = f"quarantined after {tries} tries" if given_up else f"failed to load {tries} time(s)"
        level, check = ("warning", "quarantine") if given_up else ("info", "load")
        yield Finding(level, check, f"{kept}: {error}{way}", host, source, path, since=at)


def _problems(loaded: Iterable[Count]) -> Iterator[Finding]:
    for host, one in sorted(by_host(loaded).items()):
        if one.problems:
            many = figures.plural(one.problems, "part")
            what = f"{many} of logs could not be read; `siphon status --problems`"
            yield Finding("info", "problems", what, host)


def retention(
    hosts: Iterable[HostStatus], archive: Archive | None, config: Config, now: int
) -> Iterator[Finding]:
    """What the tools' own clean-up will delete, or has deleted, uncollected."""
    book = ledger(archive)
    states = {one.host: one for one in hosts}
    for one in keepings(book, now) if book is not None else ():
        said = judged(config, one, states.get(one.host), now)
        yield Finding(said.level, "retention", said.what, one.host, one.source, until=said.until)


class _Waiting(NamedTuple):
    """An archived log whose newest bytes are not loaded."""

    host: str
    path: str
    source: str
    since: int  # ms: the first of those bytes arrived


def _waiting(
    connection: sqlite3.Connection, book: sqlite3.Connection, config: Config, now: int
) -> Iterator[Finding]:
    """Logs that wait too long: stuck where newer ones went past them, else the whole load is late."""
    waiting, newest = _unloaded(connection, book, config)
    late = grace(config, None)
    stuck_after = config.health.stuck_after
    stuck = STUCK * late if stuck_after is None else 1000 * stuck_after
    for one in waiting:
        age = now - one.since
        place = (one.host, one.source, one.path)
        if newest > one.since and age > stuck:
            what = f"stuck: archived {figures.duration(age)} ago, not loaded, though newer logs are"
            yield Finding(config.health.stuck, "stuck", what, *place, since=one.since)
        elif newest <= one.since and age > late:
            what = f"archived {figures.duration(age)} ago, and nothing was loaded since; `siphon load`"
            yield Finding("warning", "load", what, *place, since=one.since)


def _unloaded(
    connection: sqlite3.Connection, book: sqlite3.Connection, config: Config
) -> tuple[list[_Waiting], int]:
    """The logs not loaded as they are archived, oldest first; and when the newest loaded log arrived.

    Those that failed to parse are told of elsewhere.
    """
    sql = "select host, path, generation, size, error from logs"
    loaded = {(host, path): state for host, path, *state in connection.execute(sql)}
    readers = Readers(one for one in sources().values() if one.name not in config.skip)
    waiting, newest = [], 0
    rows = book.execute(
        "select id, host, path, generation, size, changed_at from logs where pruned_at is null"
    )
    for id, host, path, generation, size, changed in rows:
        done = loaded.get((host, path), [None, 0, None])
        if done == [generation, size, None]:
            newest = max(newest, changed)
        elif done[2] is None and (source := readers.of(path)) is not None:  # else a companion
            start = done[1] if done[0] == generation else 0
            since = _arrived(book, id, generation, start) or changed
            waiting.append(_Waiting(host, path, source.name, since))
    return sorted(waiting, key=lambda one: one.since), newest


def _arrived(book: sqlite3.Connection, id: int, generation: int, start: int) -> int | None:
    """When the first bytes from `start` on arrived."""
    row = book.execute(
        "select min(arrived_at) from segments where log_id = ? and generation = ? and start >= ?",
        [id, generation, start],
    ).fetchone()
    return None if row is None else row[0]


def _at_most(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The first MOST of each check; the rest are counted."""
    counts: dict[str, int] = {}
    last: dict[str, Finding] = {}
    for one in findings:
        counts[one.check] = counts.get(one.check, 0) + 1
        last[one.check] = one
        if counts[one.check] <= MOST:
            yield one
    for check, count in counts.items():
        if count > MOST:
            yield Finding(last[check].level, check, f"and {count - MOST} more logs like these")
